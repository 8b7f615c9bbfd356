"""A class through journal and gradebook: killed, blocked and broken, and still everything is there once."""

import gc
import multiprocessing
import os
import random
import shutil
import signal
import sqlite3
import sys
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest
from class_kit import NAME, OTHER, SHEET, autograded, graded_wholly, hand_in, make_course, rows, solved
from nbformat.v4 import new_markdown_cell, new_output
from sample_kit import sampled

from autograder.bridge.direct import Direct
from autograder.bridge.gradebook_writer import STAGING, Writer
from autograder.grading import batch
from autograder.grading.batch import FAILED, GRADED, KEPT, UNCHANGED, Course, grade_class
from autograder.grading.finding import find
from autograder.grading.grade import Ran
from autograder.grading.journal import Journal, key_of
from autograder.grading.writer import GradebookProblem
from autograder.sandbox import Answer, CellResult, Outcome, SandboxUnavailable

pytestmark = pytest.mark.slow  # each grades whole classes

STUDENTS = ["ada", "bo", "cy", "di", "el", "flo", "gus", "hal"]


def invented(level, marks, whole):
    """In the place of a worker: every cell runs, the first question is answered by nothing, the others are missing."""
    job = whole if marks is None else marks
    printed = [
        {"output_type": "stream", "name": "stdout", "text": random.Random(cell.source).randbytes(1500).hex()}
        for cell in job.cells
    ]
    cells = tuple(CellResult(cell.id, "ok", [output], 1) for cell, output in zip(job.cells, printed, strict=True))
    answers = {ask.id: tuple(Answer("missing", message="nothing") for _ in ask.challenges) for ask in job.asks}
    return Ran(Outcome(cells, answers, "full", 0.01, 1000), marks is None)


@pytest.fixture(scope="module")
def released(tmp_path_factory, root):
    """A course with a class in it, not graded."""
    course = make_course(tmp_path_factory.mktemp("released") / "course", root)
    for number, student in enumerate(STUDENTS):
        hand_in(course, student, solved(root, loss=f"y = 0.8\nloss = {number}"))
    return course


@pytest.fixture
def course(released, tmp_path):
    """A copy of that course for one test."""
    return shutil.copytree(released, tmp_path / "course")


@pytest.fixture(scope="module")
def released_and_graded(released, tmp_path_factory):
    """The class, graded once for the tests of what comes after that."""
    course = shutil.copytree(released, tmp_path_factory.mktemp("graded") / "course")
    grade(course)
    return course


@pytest.fixture
def graded(released_and_graded, tmp_path):
    """A copy of the graded course for one test."""
    return shutil.copytree(released_and_graded, tmp_path / "course")


def grade(folder, run=invented, jobs=2, seed=7, feedback=True, only=(), found=None):
    """Grade the class in this process with `run` as the work of a worker; everything that was done.

    `only` are paths in the place of the whole class, `found` is what was handed in when somebody looked.
    """
    original = batch.run_isolated
    batch.run_isolated = run
    try:
        with Journal(folder) as journal, Writer(folder) as writer, ThreadPoolExecutor(jobs) as pool:
            shared = Course(folder, journal, writer, pool, journal.seed(seed))
            found = find(only or [folder / "submitted"]) if found is None else found
            return list(grade_class(shared, found, feedback=feedback))
    finally:
        batch.run_isolated = original


def never(*_):
    raise AssertionError("this was run before")


def marks_of(done):
    return {one.submission.student: one.how for one in done if not one.feedback}


def kept(folder):
    """The keys of all runs in the journal."""
    Journal(folder).__exit__()
    with sqlite3.connect(folder / ".autograder" / "journal.db") as db:
        return {key for (key,) in db.execute("select key from runs")}


def test_a_second_run_does_nothing_at_all(course):
    assert set(marks_of(grade(course)).values()) == {GRADED}
    before, times = rows(course), {path: path.stat().st_mtime_ns for path in (course / "autograded").rglob("*")}

    assert set(marks_of(grade(course, never)).values()) == {UNCHANGED}
    assert rows(course) == before
    assert {path: path.stat().st_mtime_ns for path in (course / "autograded").rglob("*")} == times


def test_a_notebook_in_no_students_folder_is_told_where_it_belongs(course):
    stray = course / "submitted" / f"{NAME}.ipynb"
    shutil.copy(course / "submitted" / "ada" / SHEET / f"{NAME}.ipynb", stray)
    found = {one.submission.path: one for one in grade(course)}
    place = course / "submitted" / "<student>" / SHEET / f"{NAME}.ipynb"
    assert found[stray].problem == f"it lies in no student's folder of this course: put it at {place}."
    assert all(not one.problem for path, one in found.items() if path != stray)


def test_a_folder_that_cannot_be_put_in_place_leaves_the_old_one(graded, root, monkeypatch):
    before = autograded(graded)
    hand_in(graded, "bo", solved(root, loss="y = 0.8\nloss = 77"))
    real = Path.rename

    def refused(path, target):
        if Path(target) == graded / "autograded" / "bo" / SHEET and path.suffix != ".old":
            raise OSError(5, "Input/output error")
        return real(path, target)

    monkeypatch.setattr(Path, "rename", refused)
    failed = {one.submission.student: one.problem for one in grade(graded) if one.problem}
    assert set(failed) == {"bo"}
    assert "cannot be read or written" in failed["bo"]
    assert autograded(graded) == before
    monkeypatch.undo()
    assert marks_of(grade(graded))["bo"] in {GRADED, KEPT}
    assert autograded(graded) != before


@pytest.mark.parametrize(
    "change", sampled(["prose", "outputs", "metadata", "gradebook", "autograded"], "metadata", "gradebook")
)
def test_what_is_not_code_runs_nothing(graded, change):
    before = rows(graded)
    path = graded / "submitted" / "ada" / SHEET / f"{NAME}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    if change == "prose":
        notebook.cells.insert(0, new_markdown_cell("Dear grader"))
    elif change == "outputs":
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [new_output("stream", text="1")], 9
    elif change == "metadata":
        notebook.metadata["mine"] = 1
    elif change == "gradebook":
        with sqlite3.connect(graded / "gradebook.db") as db:
            db.execute("update grade set auto_score = 99")
    else:
        shutil.rmtree(graded / "autograded" / "ada")
    nbformat.write(notebook, path)

    found = marks_of(grade(graded, never))
    assert found["ada"] == KEPT
    assert rows(graded) == before
    assert len([name for name in autograded(graded) if name.endswith(".ipynb")]) == len(STUDENTS)


def test_changed_code_is_run_and_only_that(graded, root):
    hand_in(graded, "bo", solved(root, loss="y = 0.8\nloss = 77"))
    ran = []

    def counting(*arguments):
        ran.append(arguments)
        return invented(*arguments)

    found = marks_of(grade(graded, counting))
    assert found.pop("bo") == GRADED
    assert set(found.values()) == {UNCHANGED}
    assert [marks is None for _, marks, _ in ran] == [False, True]  # once for the marks, once to show


def _child(folder, log):
    """Grade until the end or until killed; log the key of each run as it begins."""
    submit = batch._Pass._submit

    def logged(self, sheet, at, part, *tries):
        shown = self.feedback and part.marks_ran is not None
        key = key_of(batch.only_to_show(part.prepared), "auto") if shown else part.key
        os.write(log, f"{key}\n".encode())
        submit(self, sheet, at, part, *tries)

    def slowly(*arguments):
        time.sleep(0.01)
        return invented(*arguments)

    batch._Pass._submit = logged
    done = grade(folder, slowly)
    os._exit(0 if all(not one.problem for one in done) else 1)


@pytest.mark.parametrize("often", sampled([4, 12], 4))
def test_killed_at_any_moment_nothing_is_lost_done_twice_or_half_written(course, tmp_path, often):
    undisturbed = shutil.copytree(course, tmp_path / "undisturbed")
    began = time.monotonic()
    grade(undisturbed)
    length = time.monotonic() - began
    chance = random.Random(3)
    kills = 0
    while kills < often:
        folder = shutil.copytree(course, tmp_path / "killed")
        killed = _kill_until_done(folder, chance, length)
        assert rows(folder) == rows(undisturbed)
        assert autograded(folder) == autograded(undisturbed)
        assert len(kept(folder)) == 2 * len(STUDENTS)
        shutil.rmtree(folder)
        kills += killed
        length *= 1.0 if killed else 0.5  # the machine has become faster


def _kill_until_done(folder, chance, length):
    """Grade, kill, and grade again until one run comes to its end; how many were killed."""
    fork = multiprocessing.get_context("fork")
    written, known = 0, set()
    for attempt in range(41):
        path = folder / f"log{attempt}"
        log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        child = fork.Process(target=_child, args=(folder, log))
        child.start()
        os.close(log)
        child.join(chance.uniform(0.1, 0.6) * length if attempt < 40 else None)
        if child.is_alive():
            os.kill(child.pid, signal.SIGKILL)
        child.join()
        started = path.read_text().splitlines()
        assert len(started) == len(set(started))
        assert not known & set(started), "what the journal had was run again"
        now = kept(folder)
        assert known <= now, "the journal has lost something"
        known = now
        sheets = graded_wholly(folder)
        assert sheets >= written, "a sheet that was written is gone"
        written = sheets
        if child.exitcode == 0:
            return attempt
        assert child.exitcode == -signal.SIGKILL
    raise AssertionError("it never came to an end")


def test_a_locked_gradebook_leaves_a_clear_list_and_the_next_run_runs_nothing(course, monkeypatch):
    monkeypatch.setattr(batch, "BLOCKED_SECONDS", 60.0)
    holder = sqlite3.connect(course / "gradebook.db", isolation_level=None)
    with Writer(course):
        pass  # its first opening makes an entry of its own
    holder.execute("begin immediate")
    done = grade(course)
    problems = {one.submission.student: one.problem for one in done if one.how == FAILED}
    assert set(problems) == set(STUDENTS)
    assert all("locked by another program" in problem for problem in problems.values())
    holder.execute("rollback")
    holder.close()

    assert set(marks_of(grade(course, never)).values()) == {KEPT}
    assert graded_wholly(course) == len(STUDENTS)


def test_a_gradebook_that_is_free_again_at_the_end_is_written_in_the_same_run(course, monkeypatch):
    problem = batch.GradebookProblem("the gradebook is locked by another program", again=True)
    write, calls = Writer.write, []

    def sometimes(self, student, sheet, graded, **more):
        calls.append(student)
        if len(calls) == 2:
            raise problem
        write(self, student, sheet, graded, **more)

    monkeypatch.setattr(Writer, "write", sometimes)
    monkeypatch.setattr(batch, "BLOCKED_SECONDS", 0.0)
    done = grade(course)
    assert [one for one in done if one.problem] == []
    assert graded_wholly(course) == len(STUDENTS)


def _limited(folder, name, extra_pages):
    """Let a database of the course grow by so many pages only: to SQLite that is a full disk."""
    original = sqlite3.connect

    def connect(path, *args, **kwargs):
        db = original(path, *args, **kwargs)
        if str(path).endswith(name):
            (pages,) = db.execute("pragma page_count").fetchone()
            db.execute(f"pragma max_page_count = {pages + extra_pages}")
        return db

    return connect


@pytest.mark.parametrize(("name", "pages"), sampled([("journal.db", 12), ("gradebook.db", 1)], ("gradebook.db", 1)))
def test_a_full_disk_ends_with_the_rest_done_and_a_list(course, name, pages, monkeypatch):
    if name == "journal.db":
        Journal(course).__exit__()
    with monkeypatch.context() as full:
        full.setattr("sqlite3.connect", _limited(course, name, pages))
        full.setattr(batch, "BLOCKED_SECONDS", 0.0)
        if name == "gradebook.db":
            full.setattr("sqlite3.dbapi2.connect", _limited(course, name, pages))
        done = grade(course)
    failed = {one.submission.student: one.problem for one in done if one.problem}
    assert failed
    assert all("free some space" in problem for problem in failed.values()), failed
    assert len({one.submission.student for one in done}) == len(STUDENTS)
    graded_wholly(course)
    assert [one for one in grade(course) if one.problem] == []
    assert graded_wholly(course) == len(STUDENTS)


def test_a_worker_that_dies_is_tried_again_and_then_listed(course):
    tries = {}

    def dies(level, marks, whole):
        text = "".join(cell.source for cell in whole.cells)
        student = next(number for number in range(len(STUDENTS)) if f"loss = {number}" in text)
        tries[student] = tries.get(student, 0) + 1
        if student == 3 or (student == 5 and tries[student] == 1):
            raise SandboxUnavailable("The isolated process keeps ending.")
        return invented(level, marks, whole)

    done = grade(course, dies, feedback=False)
    failed = {one.submission.student: one.problem for one in done if one.problem}
    assert set(failed) == {STUDENTS[3]}
    assert "keeps ending" in failed[STUDENTS[3]]
    assert (tries[3], tries[5], tries[0]) == (batch.TRIES, 2, 1)
    assert graded_wholly(course) == len(STUDENTS) - 1


class Breaking(Executor):
    """Workers that are processes: one takes its pool with it."""

    def submit(self, function, *arguments):
        future = Future()
        future.set_exception(batch.BrokenProcessPool("a process ended"))
        return future


def test_a_broken_pool_ends_the_batch_with_a_list(course):
    with Journal(course) as journal, Writer(course) as writer:
        shared = Course(course, journal, writer, Breaking(), 7)
        done = list(grade_class(shared, find([course / "submitted"]), feedback=False))
    assert {one.submission.student for one in done if "its worker ended" in one.problem} == set(STUDENTS)


def test_a_bad_notebook_costs_itself_and_no_mark_is_invented_for_it(course):
    (course / "submitted" / "cy" / SHEET / f"{NAME}.ipynb").write_text("{")
    done = grade(course)
    failed = {one.submission.student: one.problem for one in done if one.problem and not one.feedback}
    assert set(failed) == {"cy"}
    assert "not valid JSON" in failed["cy"]
    assert graded_wholly(course) == len(STUDENTS) - 1


@pytest.mark.parametrize("same", [True, False])
def test_an_archive_unpacked_into_itself_costs_nothing_and_is_told(course, same):
    """It ended the whole class with an AttributeError."""
    mine = course / "submitted" / "cy" / SHEET / f"{NAME}.ipynb"
    for nested in ("cy/cy", "cy/old/cy"):
        copy = course / "submitted" / nested / SHEET / mine.name
        copy.parent.mkdir(parents=True)
        copy.write_bytes(mine.read_bytes() + b"\n" * (not same))  # the very same is no second hand-in
    for _ in range(2):
        done = [one for one in grade(course) if not one.feedback]
        told = {one.submission.path: one.problem for one in done if one.problem}
        assert len(told) == (0 if same else 2)
        assert all(str(path) in problem and str(mine) in problem for path, problem in told.items())
        assert [one.marks.points for one in done if one.submission.path == mine] == [0]
    assert graded_wholly(course) == len(STUDENTS)


@pytest.mark.parametrize(
    "where",
    sampled(["stamp", "_in_place", "give_marks", "heal", "exercise_of", "prepare", "packed"], "give_marks", "heal"),
)
def test_nothing_about_one_sheet_ends_the_batch(course, monkeypatch, where):
    """Whatever goes wrong, and wherever: it is told as an error of ours, and the others are graded."""
    real, count = getattr(batch, where), []

    def fails(*arguments, **named):
        count.append(1)
        if len(count) == 2:
            raise AttributeError("'NoneType' object has no attribute 'points'")
        return real(*arguments, **named)

    monkeypatch.setattr(batch, where, fails)
    done = grade(course, feedback=False)
    assert len(done) == len(STUDENTS)
    (failed,) = (one for one in done if one.problem)
    assert "the grader failed at this" in failed.problem
    assert failed.marks is None or failed.marks.error


def test_an_error_of_the_grader_is_tried_again_next_time(course):
    def fails(level, marks, whole):
        ran = invented(level, marks, whole)
        answers = {name: (Answer("grader_error", message="ours"),) for name in ran.outcome.answers}
        return Ran(Outcome(ran.outcome.cells, answers, "full", 0.0, 0), ran.whole)

    done = grade(course, fails)
    assert all(one.marks.needs_person for one in done if not one.feedback)
    assert set(marks_of(grade(course)).values()) == {GRADED}


def grades_of(folder, student):
    """What a student's cells earned by machine, and whether a person has to look."""
    with sqlite3.connect(folder / "gradebook.db") as db:
        return db.execute(
            "select grade.auto_score, grade.needs_manual_grade from grade"
            " join submitted_notebook on submitted_notebook.id = grade.notebook_id"
            " join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id"
            " where submitted_assignment.student_id = ?", (student,),
        ).fetchall()  # fmt: skip


def dies(*_):
    raise SandboxUnavailable("The isolated process keeps ending.")


@pytest.mark.parametrize("how", sampled(["unreadable", "its worker dies"], "unreadable"))
def test_marks_do_not_outlive_the_work_that_they_were_given_for(graded, root, how):
    path = graded / "submitted" / "cy" / SHEET / f"{NAME}.ipynb"
    if how == "unreadable":
        path.write_text("{")
    else:
        hand_in(graded, "cy", solved(root, loss="y = 0.8\nloss = 77"))
    others = grades_of(graded, "di")
    done = grade(graded, dies)
    assert {one.submission.student for one in done if one.problem} == {"cy"}
    assert set(grades_of(graded, "cy")) == {(None, 1)}
    assert not (graded / "autograded" / "cy" / SHEET).exists()
    assert grades_of(graded, "di") == others
    (first,), (again,) = ([one.problem for one in some if one.problem] for some in (done, grade(graded, dies)))
    assert again.startswith(first), "the reason is told each time"
    hand_in(graded, "cy", solved(root, loss="y = 0.8\nloss = 2"))  # what was handed in first
    assert [one for one in grade(graded, dies) if one.problem] == []
    assert all(score is not None for score, _ in grades_of(graded, "cy"))


def test_marks_stay_when_only_the_machine_is_to_blame(graded, monkeypatch):
    before, times = rows(graded), autograded(graded)
    for module in ("kept", "journal"):  # other libraries: everything would have to be run again
        monkeypatch.setattr(f"autograder.grading.{module}.environment", lambda: "other")
    done = grade(graded, dies)
    assert {one.submission.student for one in done if one.problem} == set(STUDENTS)
    assert rows(graded) == before
    assert autograded(graded) == times


def test_a_bad_notebook_beside_a_good_one_costs_only_itself(course):
    folder = course / "submitted" / "cy" / SHEET
    (folder / "notes.ipynb").write_text("{")
    (folder / "mine.ipynb").symlink_to(folder / f"{NAME}.ipynb")
    done = grade(course)
    failed = {one.submission.exercise for one in done if one.problem and not one.feedback}
    assert failed == {"notes", "mine"}
    assert graded_wholly(course) == len(STUDENTS)
    assert (course / "submitted" / "cy" / ".set_aside" / SHEET / "mine.ipynb").is_symlink()


def test_no_space_for_the_autograded_notebooks(course, monkeypatch):
    monkeypatch.setattr(batch, "BLOCKED_SECONDS", 0.0)
    write, calls = Direct._write_files, []

    def full(*arguments, **more):
        calls.append(1)
        if len(calls) % 3 == 0:
            raise OSError(28, "No space left on device")
        return write(*arguments, **more)

    with monkeypatch.context() as disk:
        disk.setattr(Direct, "_write_files", full)
        done = grade(course)
    failed = {one.submission.student: one.problem for one in done if one.problem}
    assert failed
    assert set(failed.values()) == {"the disk is full: free some space and run the same command again."}
    graded_wholly(course)
    assert not (course / ".autograder" / "staging").exists()
    assert GRADED not in marks_of(grade(course)).values()
    assert graded_wholly(course) == len(STUDENTS)


def test_while_a_class_is_graded_its_workers_threads_go_on_soon(course, monkeypatch):
    """A thread waits so long for another one that computes, each time when a process has answered it."""
    usual, seen = sys.getswitchinterval(), []

    def noting(*job):
        seen.append(sys.getswitchinterval())
        return invented(*job)

    assert grade(course, noting)
    assert len(seen) >= len(STUDENTS)
    assert max(seen) <= usual / 5
    assert sys.getswitchinterval() == usual


@pytest.mark.long
def test_no_more_notebooks_are_held_than_the_window(course, monkeypatch):
    monkeypatch.setattr(batch, "run_isolated", invented)

    def held():
        gc.collect()  # what only awaits the collector is not held
        return sum(isinstance(one, Ran) for one in gc.get_objects())

    most, by_other_tests = 0, held()
    with Journal(course) as journal, Writer(course) as writer, ThreadPoolExecutor(1) as pool:
        shared = Course(course, journal, writer, pool, 7, window=lambda: 2)
        for _ in grade_class(shared, find([course / "submitted"]), feedback=True):
            most = max(most, held() - by_other_tests)
    assert 0 < most <= 3 + 2 * 2 < 2 * len(STUDENTS)  # one sheet that is written, and those that run


def sheet_of_two(folder, root):
    """A course whose sheet has two notebooks; ada hands in both."""
    names = (NAME, OTHER)
    course = make_course(folder, root, names)
    for name in names:
        hand_in(course, "ada", solved(root, name), name)
    return course


def test_a_notebook_graded_alone_leaves_its_sheets_other_notebooks(tmp_path, root):
    course = sheet_of_two(tmp_path / "course", root)
    grade(course)
    before = autograded(course)
    hand_in(course, "ada", solved(root, loss="y = 0.8\nloss = 77"))
    assert grade(course, only=[course / "submitted" / "ada" / SHEET / f"{NAME}.ipynb"])
    after = autograded(course)
    assert after.keys() == before.keys()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {f"autograded/ada/{SHEET}/{NAME}.ipynb"}
    assert set(marks_of(grade(course, never)).values()) == {UNCHANGED}


def test_one_folder_that_cannot_be_written_costs_only_itself(graded):
    before = rows(graded)
    shutil.rmtree(graded / "autograded")
    (graded / "autograded").mkdir()
    (graded / "autograded" / "cy").touch()
    failed = {one.submission.student: one.problem for one in grade(graded, never) if one.problem}
    assert set(failed) == {"cy"}
    assert "see that" in failed["cy"]
    assert {name.split("/")[1] for name in autograded(graded)} == set(STUDENTS)
    (graded / "autograded" / "cy").unlink()
    assert not [one for one in grade(graded, never) if one.problem]
    assert rows(graded) == before


@pytest.mark.parametrize("gone", sampled(["notebook", "folder", "everything"], "folder"))
def test_what_is_taken_away_in_the_middle_is_listed_and_nothing_is_written_in_its_place(graded, gone):
    before = grades_of(graded, "cy")
    hand_ins = find([graded / "submitted"])
    folder = graded / "submitted" / "cy" / SHEET
    if gone == "notebook":
        (folder / f"{NAME}.ipynb").rename(graded / "taken")
    else:
        (folder if gone == "folder" else graded / "submitted").rename(graded / "taken")
    done = grade(graded, never, found=hand_ins)
    failed = {one.submission.student: one.problem for one in done if one.problem}
    assert set(failed) == (set(STUDENTS) if gone == "everything" else {"cy"})
    assert "is not there any more" in failed["cy"]
    assert not (folder / f"{NAME}.ipynb").exists()
    assert grades_of(graded, "cy") == before
    assert (graded / "autograded" / "cy" / SHEET / f"{NAME}.ipynb").is_file()


def test_two_batches_at_once_do_not_mix(course):
    with Writer(course), pytest.raises(GradebookProblem, match=r"another .* wait for its end"):
        grade(course)
    assert not [one for one in grade(course) if one.problem]


def test_a_batch_that_was_refused_takes_nothing_from_the_one_that_runs(course):
    """The folder in which a sheet is made is the running batch's own."""
    with Writer(course) as writer:
        begun = writer.root / STAGING / "ada"
        begun.mkdir(parents=True)
        with pytest.raises(GradebookProblem):
            Writer(course)
        assert begun.is_dir()


def _counting(method, refused):
    """A method of the writer that notes when the gradebook was refused to it."""

    def tried(*arguments, **more):
        try:
            return method(*arguments, **more)
        except GradebookProblem as problem:
            refused.append(problem)
            raise

    return tried


@pytest.mark.parametrize("held", [pytest.param("from the start", marks=pytest.mark.long), "from the middle"])
def test_a_gradebook_held_exclusively_costs_no_time_for_each_student(graded, monkeypatch, held):
    """Not even reading is possible then; SQLite waits some seconds at every try."""
    for number, student in enumerate(STUDENTS[:4]):
        path = graded / "submitted" / student / SHEET / f"{NAME}.ipynb"
        path.write_text(path.read_text().replace(f"loss = {number}", f"loss = {number + 50}"))
    monkeypatch.setattr(batch, "BLOCKED_SECONDS", 600.0)
    holder = sqlite3.connect(graded / "gradebook.db", isolation_level=None, check_same_thread=False)
    ran = []

    def hold():
        if not holder.in_transaction:
            holder.execute("begin exclusive")

    def holding(*arguments):
        hold()
        ran.append(arguments)
        return invented(*arguments)

    if held == "from the start":
        hold()
    refused = []
    for name in ("holds", "write"):
        monkeypatch.setattr(Writer, name, _counting(getattr(Writer, name), refused))
    done = grade(graded, holding)
    assert 0 < len(refused) <= 3, "it is tried a few times, not for every student"
    failed = {one.submission.student: one.problem for one in done if one.problem}
    assert set(failed) >= set(STUDENTS[:4])
    assert all("locked by another program" in problem for problem in failed.values())
    assert len({one.submission.student for one in done}) == len(STUDENTS)
    assert len(ran) == 4, "what could be run was run"
    holder.execute("rollback")
    holder.close()
    again = grade(graded)
    assert not [one for one in again if one.problem]
    assert GRADED not in marks_of(again).values()


@pytest.mark.parametrize("how", sampled(["its code is changed", "it is taken away"], "its code is changed"))
def test_a_notebook_that_changes_while_it_runs_is_not_written(graded, root, how):
    before = rows(graded)
    hand_in(graded, "cy", solved(root, loss="y = 0.8\nloss = 70"))
    path = graded / "submitted" / "cy" / SHEET / f"{NAME}.ipynb"

    def meanwhile(*arguments):
        path.unlink()
        if how == "its code is changed":
            hand_in(graded, "cy", solved(root, loss="y = 0.8\nloss = 71"))
        return invented(*arguments)

    failed = {one.submission.student: one.problem for one in grade(graded, meanwhile) if one.problem}
    assert set(failed) == {"cy"}
    assert ("has changed" if "changed" in how else "is not there any more") in failed["cy"]
    assert rows(graded) == before
    hand_in(graded, "cy", solved(root, loss="y = 0.8\nloss = 71"))
    assert marks_of(grade(graded))["cy"] == GRADED
