"""From diagnosis to verdicts: which line is charged."""

import html
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from autograder.diagnosis import Point, Spec, aliases, explain, mutate
from autograder.exercise import Line, Reply
from autograder.exercises import load, tanh_swap
from autograder.exercises.shared import SMALL
from autograder.marking import LineMark, Marks, QuestionMark, challenges, from_json, to_json
from autograder.marking.gradients import explain_gradients
from autograder.views.feedback import feedback_page

SPEC = Spec(hidden=("tanh",), output="sigmoid", loss="bce")


def replies(change):
    """What a network answers at every challenge when its gradients are changed."""
    found = []
    for challenge in challenges(load("tanh_swap"), 5)["gradients"]:
        exact = tanh_swap.TANH.truth(challenge.given)
        values = {name: exact[name] for name in ("Z1", "A1", "Z2", "A2", "dW2", "db2", "dW1", "db1")}
        found.append(Reply(challenge.given, values | change(exact, challenge.given), challenge.shown))
    return tuple(found)


def test_a_named_mistake_is_charged_where_it_is_made_and_followed_downstream():
    def extra(exact, given):
        """The output error with a factor a(1 - a) too many, everything else right."""
        error = (exact["A2"] - given["Y"]) * exact["A2"] * (1 - exact["A2"])
        m = given["X"].shape[1]
        hidden = (given["W2"].T @ error) * (1 - exact["A1"] ** 2)
        return {
            "dW2": error @ exact["A1"].T / m,
            "db2": error.sum(axis=1, keepdims=True) / m,
            "dW1": hidden @ given["X"].T / m,
            "db1": hidden.sum(axis=1, keepdims=True) / m,
        }

    found = explain_gradients(SPEC)(replies(extra))
    assert found["dW2"].mistakes == ("extra-output-derivative",)
    assert found["dW2"].share == 0
    for name in ("db2", "dW1", "db1"):
        assert (found[name].share, found[name].own, found[name].mistakes) == (1, True, ())


def test_a_random_change_is_measured_and_not_named():
    rng = np.random.default_rng(0)
    noisy = replies(lambda exact, given: {"dW1": exact["dW1"] + rng.normal(size=exact["dW1"].shape)})
    found = explain_gradients(SPEC)(noisy)
    assert found["dW1"].mistakes == ()
    assert found["dW1"].share == 0
    assert found["dW1"].hint == ""


def test_arrays_that_do_not_fit_are_left_to_the_comparison():
    found = explain_gradients(SPEC)(replies(lambda exact, given: {"A1": np.ones((9, 9)), "dW1": exact["dW1"] * 2}))
    assert found == {}


def test_a_slip_in_both_layers_is_charged_in_the_last():
    """No chain carries it on: each layer sums its own bias gradient."""

    def not_summed(exact, given):
        first = exact["dZ2"][:, :1] / given["X"].shape[1], exact["dZ1"][:, :1] / given["X"].shape[1]
        return dict(zip(("db2", "db1"), first))

    found = explain_gradients(SPEC)(replies(not_summed))
    assert (found["db2"].share, found["db2"].mistakes) == (0, ("only-one-example",))
    assert (found["db1"].share, found["db1"].own, found["db1"].mistakes) == (1, True, ())


@pytest.mark.parametrize("seed", range(60))
def test_the_grammar_never_says_that_what_is_judged_wrong_is_right(seed):
    """One judge of right: half a per cent off in small entries was wrong to the one and right to the other."""
    rng = np.random.default_rng(seed)

    def rounded(exact, given):
        size = np.abs(exact["dW1"]).max()
        return {"dW1": (exact["dW1"] + 5e-3 * size * rng.choice([-1, 1], exact["dW1"].shape)).astype(np.float16)}

    answered = replies(rounded)
    assert "dW1" not in explain_gradients(SPEC)(answered) or explain_gradients(SPEC)(answered)["dW1"].share == 0
    assert tanh_swap.TANH.judge((Line("dW1", 5),), answered)["dW1"].share == 0


def test_the_grammar_restores_a_line_at_a_kink_and_names_it():
    spec = Spec(hidden=("relu",), output="sigmoid", loss="bce")
    given = SMALL | {"Y": np.array([[1.0, 0.0]]), "b1": np.array([[-0.5], [-1.0]])}
    given["Z1"] = given["W1"] @ given["X"] + given["b1"]
    assert np.any(given["Z1"] == 0)
    answers = mutate(spec, Point(given), {"derivative-1": "right-at-zero"})
    finding = explain(spec, [Point(given, answers)]).parameters["W1"]
    assert finding.kinks == ("right-at-zero",)
    assert explain_gradients(spec)([Reply(given, answers)])["dW1"].share == 1
    exact = mutate(spec, Point(given), {})
    assert explain(spec, [Point(given, exact)]).parameters["W1"].kinks == ()
    assert "dW1" not in explain_gradients(spec)([Reply(given, exact)])


@pytest.mark.parametrize("seed", range(5))
def test_no_two_single_mistakes_look_the_same_at_the_challenges(seed):
    points = [Point(challenge.given) for challenge in challenges(load("tanh_swap"), seed)["gradients"]]
    assert aliases(SPEC, points) == ()


def test_submissions_marked_at_the_same_time_keep_their_own_verdicts():
    """Two questions about the same answers are searched once, and never get the verdicts of another submission."""
    explain = explain_gradients(SPEC)
    flipped = replies(lambda exact, given: {"dW2": -exact["dW2"]})
    doubled = replies(lambda exact, given: {"dW1": 2 * exact["dW1"]})
    started = threading.Barrier(2)

    def again_and_again(own):
        found = []
        for _ in range(4):
            started.wait()
            found += [explain(own), explain(own)]
        return [{name: verdict.mistakes for name, verdict in one.items()} for one in found]

    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(again_and_again, (flipped, doubled))
    assert one == [one[0]] * 8
    assert two == [two[0]] * 8
    assert one[0]["dW2"] == ("sign-flipped",)
    assert two[0].get("dW2", ()) == ()


def test_the_example_that_can_be_followed_by_hand_reaches_the_record_and_the_page():
    answered = replies(lambda exact, given: {"dW2": -exact["dW2"]})
    verdict = tanh_swap.TANH.judge((Line("dW2", 3),), answered)["dW2"]
    assert verdict.mistakes == ("sign-flipped",)
    assert verdict.evidence.startswith("With X = 1, W1 = 1, b1 = 1, ")
    assert "dW2 should be" in verdict.evidence
    assert "this way it is" in verdict.evidence
    line = LineMark("dW2", "dW2", 0, 3, "wrong", mistakes=verdict.mistakes, evidence=verdict.evidence)
    question = QuestionMark("output_gradients", "Gradients", 0, 3, "wrong", lines=(line,))
    marks = Marks("", "training", "tanh_swap", (question,))
    assert from_json(to_json(marks)).questions[0].lines[0].evidence == verdict.evidence
    cell = new_code_cell("", metadata={"nbgrader": {"grade_id": question.id}})
    page = feedback_page(new_notebook(cells=[cell]), marks)
    assert verdict.evidence in html.unescape(page)
