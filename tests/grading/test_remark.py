"""Marking again from kept answers: who goes up or down is shown before anything is written."""

import json
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from class_kit import NAME, hand_in, make_course, rows, solved

from autograder.bridge.gradebook_writer import Writer
from autograder.cli import main
from autograder.exercises import load
from autograder.grading import batch, kept
from autograder.grading.batch import Course, grade_class
from autograder.grading.finding import find
from autograder.grading.journal import Journal
from autograder.grading.remark import remark
from autograder.marking import to_json


@pytest.fixture(scope="module")
def graded(tmp_path_factory, root):
    """A graded class: one right, one with a wrong loss, two with the same work as the first."""
    course = make_course(tmp_path_factory.mktemp("graded") / "course", root)
    for student in ("ada", "bo", "cy"):
        hand_in(course, student, solved(root))
    hand_in(course, "di", solved(root, loss="y = 0.8\nloss = 5.0"))
    with Journal(course) as journal, Writer(course) as writer, ThreadPoolExecutor(2) as pool:
        shared = Course(course, journal, writer, pool, journal.seed(7))
        assert not [done for done in grade_class(shared, find([course / "submitted"])) if done.problem]
    return course


@pytest.fixture
def course(graded, tmp_path):
    return shutil.copytree(graded, tmp_path / "course")


def change_course(monkeypatch, **changes):
    """Let the question about the loss be another one, in every module that marks."""
    exercise = load("worked_calculation")
    questions = tuple(replace(q, **changes) if q.id == "loss_value" else q for q in exercise.questions)
    changed = replace(exercise, questions=questions)
    monkeypatch.setattr("autograder.personal.load", lambda name: changed if name == exercise.name else load(name))
    monkeypatch.setattr(kept, "_context", lambda root, sheet: "changed")


@pytest.fixture
def dearer(monkeypatch):
    """The course with a loss that is worth three points more."""
    lines = load("worked_calculation").question("loss_value").lines
    change_course(monkeypatch, lines=tuple(replace(line, points=line.points + 3) for line in lines))


@pytest.fixture
def stricter(monkeypatch):
    """The course with a check of the loss that gives half of what it gave."""
    judge = load("worked_calculation").question("loss_value").judge

    def half(lines, replies):
        return {name: replace(verdict, share=verdict.share / 2) for name, verdict in judge(lines, replies).items()}

    change_course(monkeypatch, judge=half)


def never(*_):
    raise AssertionError("nothing may be run")


@pytest.mark.slow
def test_without_a_change_nobody_moves(course):
    with Journal(course) as journal:
        found = list(remark(journal))
    assert len(found) == 4
    assert [change.questions for change in found] == [[]] * 4
    assert all(to_json(change.before) == to_json(change.now) for change in found)


@pytest.mark.slow
def test_diff_shows_who_moves_by_how_much_and_writes_nothing(course, dearer, capsys, monkeypatch):
    monkeypatch.setattr(batch, "run_isolated", never)
    before = rows(course)
    journal = (course / ".autograder" / "journal.db").read_bytes()
    assert main(["remark", "--diff", "--json", "--root", str(course)]) == 0
    moved = {row["student"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert set(moved) == {"ada", "bo", "cy"}
    assert moved["ada"]["now"] - moved["ada"]["before"] == 3
    assert moved["ada"]["questions"] == {"loss_value": [2.0, 5.0]}
    assert rows(course) == before
    assert (course / ".autograder" / "journal.db").read_bytes() == journal
    assert main(["remark", "--diff", "--root", str(course)]) == 0
    said = capsys.readouterr().out
    assert "3 would go up, 0 down" in said
    assert "loss_value 2 → 5" in said


@pytest.mark.slow
def test_without_diff_the_gradebook_gets_the_new_marks_and_nothing_is_run(course, stricter, monkeypatch, capsys):
    monkeypatch.setattr(batch, "run_isolated", never)
    assert main(["remark", "--root", str(course)]) == 0
    assert "0 would go up, 3 down" in capsys.readouterr().out
    with sqlite3.connect(course / "gradebook.db") as db:
        scores = dict(db.execute(
            "select submitted_assignment.student_id, sum(auto_score) from grade"
            " join submitted_notebook on submitted_notebook.id = grade.notebook_id"
            " join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id group by 1"
        ))  # fmt: skip
    assert scores == {"ada": 24, "bo": 24, "cy": 24, "di": 23}
    text = (course / "autograded" / "ada" / "by_hand" / "worked_calculation.ipynb").read_text()
    assert "1 of 2 points" in text
    with Journal(course) as journal:
        assert [change.questions for change in remark(journal)] == [[]] * 4


@pytest.mark.slow
def test_points_that_the_gradebook_does_not_know_say_what_to_run(course, dearer, capsys):
    assert main(["remark", "--root", str(course)]) == 1
    assert "nbgrader generate_assignment by_hand" in " ".join(capsys.readouterr().err.split())


@pytest.mark.slow
def test_equal_answers_are_marked_once(course, dearer, monkeypatch):
    calls = []
    import autograder.grading.remark as module

    real = module.mark
    monkeypatch.setattr(module, "mark", lambda *given, **how: calls.append(given) or real(*given, **how))
    with Journal(course) as journal:
        assert len(list(remark(journal))) == 4
    assert len(calls) == 2


@pytest.mark.slow
def test_questions_that_ask_something_else_need_a_new_run(course, monkeypatch):
    monkeypatch.setattr("autograder.grading.remark.asked", lambda asks: "other")
    with Journal(course) as journal:
        found = list(remark(journal))
    assert all("ask something else" in change.problem for change in found)
    assert main(["remark", "--diff", "--root", str(course)]) == 1


@pytest.mark.slow
def test_one_damaged_record_costs_only_itself(course, stricter, capsys):
    with sqlite3.connect(course / ".autograder" / "journal.db") as db:
        db.execute("update submissions set marks = x'00' where student = 'bo'")
    assert main(["remark", "--diff", "--root", str(course)]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "0 would go up, 2 down" in said
    assert f"bo {NAME}: the record of its marks is damaged" in said
    assert main(["remark", "--root", str(course)]) == 1
    capsys.readouterr()
    assert main(["remark", "--diff", "--root", str(course)]) == 0  # it has been written anew
    with sqlite3.connect(course / "gradebook.db") as db:
        scores = db.execute(
            "select auto_score from grade join base_cell on base_cell.id = cell_id where name = 'loss_value'"
        )
        assert sorted(score for (score,) in scores) == [0, 1, 1, 1]


@pytest.mark.slow
def test_what_was_graded_unprotected_is_marked_again_from_its_own_answers(tmp_path, root, monkeypatch, capsys):
    course = make_course(tmp_path / "course", root)
    hand_in(course, "ada", solved(root))
    with Journal(course) as journal, Writer(course) as writer, ThreadPoolExecutor(1) as pool:
        shared = Course(course, journal, writer, pool, journal.seed(7), "none")
        assert not [done for done in grade_class(shared, find([course / "submitted"])) if done.problem]
    monkeypatch.setattr(batch, "run_isolated", never)
    monkeypatch.setattr(kept, "_context", lambda root, sheet: "changed")
    assert main(["remark", "--root", str(course)]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.slow
def test_no_journal_is_made_only_to_find_it_empty(tmp_path, root, capsys):
    course = make_course(tmp_path / "course", root)
    assert main(["remark", "--diff", "--root", str(course)]) == 2
    assert "the journal is empty" in capsys.readouterr().err
    assert not (course / ".autograder" / "journal.db").exists()


def test_an_empty_journal_says_what_to_do_first(tmp_path, root, capsys):
    (tmp_path / "source").mkdir()
    (tmp_path / "nbgrader_config.py").write_text("")
    assert main(["remark", "--root", str(tmp_path)]) == 2
    assert "autograder grade submitted/" in " ".join(capsys.readouterr().err.split())
