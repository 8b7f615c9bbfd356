"""Marking again holds one submission at a time: its memory hardly grows with the class."""

import gc
import shutil
import sqlite3
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from class_kit import NAME, hand_in, make_course, solved

from autograder.bridge.gradebook_writer import Writer
from autograder.cli import main
from autograder.exercises import load
from autograder.grading import kept, remark
from autograder.grading.batch import Course, grade_class
from autograder.grading.finding import find
from autograder.grading.journal import Journal

pytestmark = pytest.mark.slow  # each marks hundreds of submissions again


@pytest.fixture(scope="module")
def graded(tmp_path_factory, root):
    course = make_course(tmp_path_factory.mktemp("graded") / "course", root)
    hand_in(course, "s0000", solved(root))
    with Journal(course) as journal, Writer(course) as writer, ThreadPoolExecutor(1) as pool:
        shared = Course(course, journal, writer, pool, journal.seed(7))
        assert not [done for done in grade_class(shared, find([course / "submitted"])) if done.problem]
    return course


def class_of(number, graded, folder, alike):
    """A course whose journal holds so many submissions, all with the same answers or each with its own run."""
    course = shutil.copytree(graded, folder)
    with sqlite3.connect(course / ".autograder" / "journal.db") as db:
        (run,) = db.execute("select run from submissions").fetchone()
        for index in range(1, number):
            key = run if alike else f"{run}{index}"
            if not alike:
                db.execute(
                    "insert into runs select ?, exercise, asked, whole, ?, data from runs where key = ?",
                    (key, f"{index}", run),
                )
            db.execute(
                "insert into submissions select ?, sheet, exercise, stamp, ?, seed, state, marks from submissions"
                " where student = 's0000'",
                (f"s{index:04}", key),
            )
            shutil.copytree(course / "submitted" / "s0000", course / "submitted" / f"s{index:04}")
    return course


def peak(course, *more):
    """The most memory that marking a course again takes, in KB."""
    gc.collect()
    tracemalloc.start()
    try:
        assert main(["remark", "--json", *more, "--root", str(course)]) == 0
        return tracemalloc.get_traced_memory()[1] / 1024
    finally:
        tracemalloc.stop()


def growth(few, many, graded, folder, alike, *more):
    """By how many KB memory grows with each further submission; what is loaded once is loaded before."""
    made = {number: class_of(number, graded, folder / f"{number}", alike) for number in (2, few, many)}
    _, less, most = (peak(course, *more) for course in made.values())
    return (most - less) / (many - few)


@pytest.fixture
def stricter(monkeypatch):
    """A check of the loss that gives half of what it gave: every submission changes."""
    exercise = load(NAME)
    judge = exercise.question("loss_value").judge

    def half(lines, replies):
        return {name: replace(verdict, share=verdict.share / 2) for name, verdict in judge(lines, replies).items()}

    questions = tuple(replace(q, judge=half) if q.id == "loss_value" else q for q in exercise.questions)
    changed = replace(exercise, questions=questions)
    monkeypatch.setattr("autograder.personal.load", lambda _: changed)
    monkeypatch.setattr(kept, "_context", lambda root, sheet: "changed")


@pytest.mark.parametrize(
    "alike", [True, pytest.param(False, marks=pytest.mark.long)], ids=["equal answers", "all different"]
)
def test_what_does_not_change_costs_next_to_nothing(graded, tmp_path, monkeypatch, alike):
    monkeypatch.setattr(remark, "MOST_KEPT", 20)
    assert growth(420, 820, graded, tmp_path, alike, "--diff") < 0.7  # both more than the journal's pages


def test_a_change_costs_its_line(graded, tmp_path, stricter):
    assert growth(420, 820, graded, tmp_path, True, "--diff") < 2.0


@pytest.mark.long
def test_what_is_remembered_of_different_answers_is_small_and_bounded(graded, tmp_path):
    assert remark.MOST_KEPT * growth(220, 420, graded, tmp_path, False, "--diff") < 32 * 1024


@pytest.mark.long
def test_nothing_of_a_sheet_is_held_when_it_is_written(graded, tmp_path, stricter, monkeypatch):
    course = class_of(30, graded, tmp_path / "course", True)
    write, held = Writer.write, []

    def counting(*given, **more):
        write(*given, **more)
        gc.collect()
        held.append(sys.getallocatedblocks())

    monkeypatch.setattr(Writer, "write", counting)
    assert main(["remark", "--json", "--root", str(course)]) == 0
    assert len(held) == 30
    assert (held[-1] - held[9]) / 20 < 60  # the record of marks of one notebook alone has some 200 objects
