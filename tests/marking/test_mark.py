"""Answers to marks: statuses, errors of the grader, the record."""

import json
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from autograder.exercise import Challenge, Line, Probe, Question, Verdict, sentence
from autograder.exercises import NAMES, load, tanh_swap
from autograder.exercises.reports import reported
from autograder.marking import Marks, challenges, from_json, mark, to_json, work_out_truth
from autograder.mistakes import MISTAKES
from autograder.truth import Network


@dataclass(frozen=True)
class Answer:
    status: str = "answered"
    values: dict = field(default_factory=dict)
    message: str = ""
    changed_inputs: tuple = ()
    warnings: tuple = ()
    earlier: dict = field(default_factory=dict)


EXERCISE = load("tanh_swap")


def right_answers(seed=1):
    """What a right network answers: from the exact values."""
    asked = challenges(load("tanh_swap"), seed)
    names = ("Z1", "A1", "Z2", "A2", "dW2", "db2", "dW1", "db1", "returned")
    task = tanh_swap.TANH
    return {
        probe: [Answer(values={n: v for n, v in task.truth(c.known).items() if n in names}) for c in asked[probe]]
        for probe in ("forward", "gradients")
    } | {
        "training": [Answer(values=dict(reported(c.given))) for c in asked["training"]],
    }


def by_id(questions):
    return {question.id: question for question in questions}


def test_right_answers_get_full_marks():
    questions = mark(EXERCISE, 1, right_answers())
    assert sum(q.points for q in questions) == sum(q.max_points for q in questions) == 20


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_what_is_true_can_be_worked_out_before_there_are_answers(name, caplog):
    """Then marking the first right answers is a matter of comparing."""
    work_out_truth(load(name), 5)
    assert not caplog.records


def test_after_that_nothing_is_worked_out_again(monkeypatch):
    work_out_truth(EXERCISE, 6)
    monkeypatch.setattr(Network, "evaluate", None)
    assert sum(question.points for question in mark(EXERCISE, 6, right_answers(seed=6))) == 20


def test_title_and_hint_of_the_catalogue_make_the_message():
    worked = load("worked_calculation")
    values = {"z1": [1.2, 2.2], "a1": [1.2, 2.2]}
    forward = by_id(mark(worked, 1, {"filled_in": [Answer(values=values)]}))["forward_values"]
    entry = MISTAKES["activation-forgotten"]
    assert forward.message == f"a1: {sentence(entry.title)} {entry.hint}"


def test_marks_are_reproducible_from_the_seed():
    assert mark(EXERCISE, 1, right_answers()) == mark(EXERCISE, 1, right_answers())
    one, two = challenges(load("tanh_swap"), 1)["gradients"], challenges(load("tanh_swap"), 2)["gradients"]
    assert not np.array_equal(one[1].given["W1"], two[1].given["W1"])


@pytest.mark.slow
def test_answers_to_other_challenges_are_wrong():
    """Answers replayed from another seed earn nothing where the challenge is drawn afresh."""
    questions = by_id(mark(EXERCISE, 2, right_answers(1)))
    assert questions["hidden_gradients"].points == 0


@pytest.mark.parametrize("status", ["raised", "timed_out", "out_of_memory", "crashed", "output_limit", "missing"])
def test_a_challenge_without_an_answer_costs_its_question_only(status):
    answers = right_answers()
    answers["training"][1] = Answer(status, message="what happened")
    questions = by_id(mark(EXERCISE, 1, answers))
    assert questions["training_report"].status == status
    assert questions["training_report"].points == 0
    assert questions["training_report"].message == "what happened"
    assert questions["hidden_gradients"].points == 8


def test_a_probe_that_was_not_asked_is_an_error_of_the_grader_and_no_zero():
    answers = right_answers()
    del answers["training"]
    questions = by_id(mark(EXERCISE, 1, answers))
    assert questions["training_report"].status == "grader_error"
    assert Marks("", "", "", tuple(questions.values())).needs_person


def test_a_judge_that_raises_is_an_error_of_the_grader():
    def broken(lines, replies):
        raise RuntimeError("the judge is broken")

    question = replace(EXERCISE.questions[0], judge=broken)
    exercise = replace(EXERCISE, questions=(question, *EXERCISE.questions[1:]))
    questions = mark(exercise, 1, right_answers())
    assert questions[0].status == "grader_error"
    assert questions[1].points == questions[1].max_points


def test_remarks_cost_nothing():
    answers = right_answers()
    answers["forward"] = [
        replace(a, changed_inputs=("X",), warnings=("RuntimeWarning: overflow encountered in exp",))
        for a in answers["forward"]
    ]
    question = by_id(mark(EXERCISE, 1, answers))["forward_tanh"]
    assert question.points == question.max_points
    assert any("changes its input in place: X" in remark for remark in question.remarks)
    assert any("overflow" in remark for remark in question.remarks)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wrong", "kept"),
    [
        (np.ones((30, 30)), "an array of shape (30, 30)"),
        ([[0.5] * 30] * 30, "an array of shape (30, 30)"),
        ([[1.0], [2.0, 3.0]] * 500, "2501 values"),
        ("x" * 5000, "5000 values"),
    ],
)
def test_a_record_keeps_what_is_asked_for_and_of_more_only_its_shape(wrong, kept):
    """One notebook made a record of 28 MB."""
    answers = right_answers()
    answers["gradients"] = [replace(one, values={**one.values, "dW1": wrong}) for one in answers["gradients"]]
    (line, _) = by_id(mark(EXERCISE, 1, answers))["hidden_gradients"].lines
    assert (line.status, line.got) == ("wrong", kept)
    small = [replace(one, values={**one.values, "dW1": np.ones((4, 7))}) for one in answers["gradients"]]
    (line, _) = by_id(mark(EXERCISE, 1, {**answers, "gradients": small}))["hidden_gradients"].lines
    np.testing.assert_array_equal(line.got, np.ones((4, 7)))


def test_the_record_survives_json():
    answers = right_answers()
    nan = {"dW1": np.full((1, 1), np.nan)}
    answers["gradients"] = [replace(a, values=a.values | nan) for a in answers["gradients"]]
    marks = Marks("ada", "training", "tanh_swap", mark(EXERCISE, 1, answers), isolation="full", seed=1)
    text = json.dumps(to_json(marks), allow_nan=False)
    record = json.loads(text)
    assert list(record)[:8] == ["schema", "student", "sheet", "exercise", "points", "max_points", "isolation", "seed"]
    assert {"id", "title", "points", "max_points", "status", "mistakes", "message"} <= record["questions"][0].keys()
    again = from_json(record)
    assert again.points == marks.points
    assert to_json(again) == record


def test_what_came_before_an_error_is_marked_and_the_rest_has_the_error():
    answers = right_answers()
    first, *rest = answers["gradients"]
    before = {name: value for name, value in first.values.items() if name != "db1"}
    answers["gradients"] = [replace(first, status="raised", values=before, message="ValueError: no"), *rest]
    marked = by_id(mark(EXERCISE, 1, answers))
    assert marked["output_gradients"].points == 4
    (dW1, db1) = marked["hidden_gradients"].lines
    assert (dW1.points, db1.points, db1.status, db1.message) == (5, 0, "raised", "ValueError: no")
    assert marked["hidden_gradients"].message == "db1: ValueError: no"


def test_an_error_of_the_grader_leaves_the_whole_question_to_a_person():
    answers = right_answers()
    first, *rest = answers["gradients"]
    answers["gradients"] = [replace(first, status="grader_error", values={"dW1": first.values["dW1"]}), *rest]
    assert by_id(mark(EXERCISE, 1, answers))["hidden_gradients"].status == "grader_error"


def test_the_inputs_of_the_small_example_stand_beside_its_numbers():
    """Only those that were sent, of the challenge that may be shown, and only where numbers of it are shown."""
    answers = right_answers()
    questions = by_id(mark(EXERCISE, 1, answers))
    assert all(question.example is None for question in questions.values())
    wrong = [replace(one, values=one.values | {"dW1": 2 * one.values["dW1"]}) for one in answers["gradients"]]
    questions = by_id(mark(EXERCISE, 1, answers | {"gradients": wrong}))
    (shown,) = (challenge for challenge in challenges(load("tanh_swap"), 1)["gradients"] if challenge.shown)
    example = questions["hidden_gradients"].example
    assert example.keys() == shown.given.keys()
    assert all(np.array_equal(example[name], shown.given[name]) for name in example)
    assert questions["forward_tanh"].example is None
    assert from_json(json.loads(json.dumps(to_json(Marks("", "", "tanh_swap", tuple(questions.values()))))))


# A mistake that is made again -----------------------------------------------------------------------------------------


def told(*mistakes, share=0.0):
    """A judge that tells its line these mistakes."""
    return lambda lines, replies: {line.name: Verdict("wrong", share=share, mistakes=mistakes) for line in lines}


def marked(*judges, value=1.0):
    """The points of questions with these judges, one line of 4 points each."""
    probes = [Probe(lambda student, given: {}, lambda rng: [Challenge({"g": 1.5})], called=f"p{i}") for i in range(9)]
    questions = tuple(Question(f"q{i}", "", (Line(f"l{i}", 4.0),), probes[i], judge) for i, judge in enumerate(judges))
    exercise = replace(EXERCISE, questions=questions, parts={})
    answers = {f"p{i}": [Answer(values={f"l{i}": value})] for i in range(len(judges))}
    return mark(exercise, 1, answers)


@pytest.mark.parametrize(
    ("judges", "points"),
    [
        ([told("sign-flipped"), told("sign-flipped")], [0, 4]),
        ([told("sign-flipped"), told("factor-2-extra"), told("factor-2-extra", "sign-flipped")], [0, 0, 4]),
        ([told("sign-flipped"), told("factor-2-extra", "sign-flipped")], [0, 0]),
        ([told("argument-changed-in-place", share=0.5)] * 2, [2, 4]),
        ([told("penalty-missing"), told("penalty-missing")], [0, 0]),
        ([told("argument-ignored"), told("argument-ignored")], [0, 0]),
        ([told(), told()], [0, 0]),
    ],
    ids=["once", "both charged before", "one of two", "in part", "a step not done", "a symptom", "unexplained"],
)
def test_a_mistake_costs_the_first_question_in_which_it_shows(judges, points):
    found = marked(*judges)
    assert [question.points for question in found] == points
    assert all(question.message == "" or not question.points or question.points == 2 for question in found)
    assert found[-1].lines[0].own == (points[-1] == 4)


def test_a_value_that_is_only_copied_is_charged_again():
    assert [question.points for question in marked(told("sign-flipped"), told("sign-flipped"), value=1.5)] == [0, 0]


def test_where_a_line_is_wrong_for_no_known_reason_nothing_is_taken_for_a_slip_made_again():
    def judge(lines, replies):
        return {"a": Verdict("wrong"), "b": Verdict("wrong", mistakes=("sign-flipped",))}

    question = Question("two", "", (Line("a", 1.0), Line("b", 1.0)), EXERCISE.questions[0].probe, judge)
    first = replace(question, id="one", lines=(Line("c", 1.0),), judge=told("sign-flipped"))
    found = mark(replace(EXERCISE, questions=(first, question)), 1, right_answers())
    assert [line.points for line in found[1].lines] == [0, 0]
