"""`autograder export`: records in, files out, and one sentence for every bad use."""

import csv
import json
import subprocess
import sys
from datetime import datetime, timedelta

import nbformat
import page_kit
import pytest

from autograder.cli import main
from autograder.environment import put_programs_on_path
from autograder.exercises import all_exercises
from autograder.marking import LineMark, Marks, QuestionMark, to_json

SHEET = sum(q.points for exercise in all_exercises() if exercise.sheet == "training" for q in exercise.questions)
CANVAS = (
    "Student,ID,SIS Login ID,Section,Training (1)\n"
    f'    Points Possible,,,,{SHEET:g}\n"A, B",1,ada,S,\n"C, D",2,bo,S,4\n'
)


def record(student, points, **more):
    line = LineMark("a", "a", points, 20.0, "correct" if points == 20 else "wrong")
    question = QuestionMark("q", "Q", points, 20.0, line.status, message="Look.", lines=(line,))
    return Marks(student, "training", "tanh_swap", (question,), isolation="full", seed=1, **more)


@pytest.fixture
def marks(tmp_path):
    path = tmp_path / "marks.jsonl"
    path.write_text("".join(json.dumps(to_json(one)) + "\n" for one in (record("ada", 20.0), record("bo", 5.0))))
    return path


@pytest.fixture(autouse=True)
def no_runner(monkeypatch):
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "CLASSROOM"):
        monkeypatch.delenv(name, raising=False)


def test_several_exports_of_one_run(marks, tmp_path, capsys):
    files = {name: tmp_path / name for name in ("a.csv", "b.xml", "c.html")}
    status = main(
        [
            "export",
            str(marks),
            "--csv",
            str(files["a.csv"]),
            "--junit",
            str(files["b.xml"]),
            "--html",
            str(files["c.html"]),
        ]
    )
    assert status == 0
    assert all(path.stat().st_size > 100 for path in files.values())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "b.xml", "c.html", "marks.jsonl"]


def test_canvas_is_filled_in_place_and_keeps_its_permissions(marks, tmp_path, capsys):
    path = tmp_path / "grades.csv"
    path.write_text(CANVAS)
    path.chmod(0o640)
    assert main(["export", str(marks), "--canvas", str(path)]) == 0
    assert path.read_text() == CANVAS.replace("ada,S,", "ada,S,20").replace("bo,S,4", "bo,S,5")
    assert path.stat().st_mode & 0o777 == 0o640
    assert "2 scores changed" in capsys.readouterr().err


def test_what_is_left_out_is_told_and_gives_exit_status_one(marks, tmp_path, capsys):
    path = tmp_path / "grades.csv"
    path.write_text(CANVAS.replace("ada", "eve"))
    assert main(["export", str(marks), "--canvas", str(path)]) == 1
    assert "left out: ada: not in this gradebook." in capsys.readouterr().err


def test_moodle_takes_addresses_from_the_people_file(marks, tmp_path):
    people = tmp_path / "people.csv"
    people.write_text('id,last_name,email\nada,"L, A",ada@example.org\nbo,O,bo@example.org\n')
    assert main(["export", str(marks), "--moodle", str(tmp_path / "m.csv"), "--people", str(people)]) == 0
    assert (tmp_path / "m.csv").read_text() == "Email address,Training\nada@example.org,20\nbo@example.org,5\n"


def test_records_are_read_from_graded_notebooks_and_standard_input(tmp_path, marks, monkeypatch, capsys):
    notebook = nbformat.v4.new_notebook(metadata={"autograder": to_json(record("ada", 20.0))})
    sheet = tmp_path / "autograded" / "ada" / "training"
    sheet.mkdir(parents=True)
    nbformat.write(notebook, sheet / "tanh_swap.ipynb")
    nbformat.write(nbformat.v4.new_notebook(), sheet / "other.ipynb")
    assert main(["export", str(tmp_path / "autograded"), "--csv", "-"]) == 0
    assert "ada,training,tanh_swap,20,20" in capsys.readouterr().out
    with marks.open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert main(["export", "-", "--csv", "-"]) == 0
    assert "bo,training,tanh_swap,5,20" in capsys.readouterr().out


@pytest.mark.slow
def test_the_gradebook_brings_written_parts_penalties_and_addresses(tmp_path, capsys):
    from nbgrader.api import Gradebook

    url = f"sqlite:///{tmp_path}/gradebook.db"
    with Gradebook(url) as book:
        book.add_assignment("training")
        book.add_notebook("n", "training")
        book.add_grade_cell("q", "n", "training", max_score=18, cell_type="code")
        book.add_task_cell("t", "n", "training", max_score=2, cell_type="markdown")
        for student, manual in (("ada", 1.5), ("bo", None)):
            book.add_student(student, email=f"{student}@example.org")
            submission = book.add_submission("training", student)
            submission.notebooks[0].late_submission_penalty = 1.0
            grades = {grade.name: grade for grade in submission.notebooks[0].grades}
            grades["q"].auto_score, grades["q"].needs_manual_grade = 16.0, False
            grades["t"].manual_score, grades["t"].needs_manual_grade = manual, manual is None
        book.db.commit()
    assert main(["export", "--gradebook", url, "--moodle", str(tmp_path / "m.csv")]) == 1
    assert (tmp_path / "m.csv").read_text() == "Email address,Training\nada@example.org,16.5\n"
    assert "left out: bo, training: a person still has to mark a part." in capsys.readouterr().err


def test_github_gets_its_summary_and_outputs(marks, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "outputs"))
    assert main(["export", str(marks), "--github"]) == 0
    assert "### bo tanh&#95;swap: 5 of 20 points" in (tmp_path / "summary").read_text()
    assert (tmp_path / "outputs").read_text() == "points=25\nmax-points=40\nneeds-person=false\n"
    assert capsys.readouterr().out.splitlines() == ["::warning title=bo tanh_swap%2C Q%3A 5 of 20 points::Look."]


def test_github_is_told_the_line_and_what_is_due_only_where_the_course_says_so(tmp_path, monkeypatch, capsys):
    course, handed_in = tmp_path / "course", tmp_path / "bo"
    (course / "source").mkdir(parents=True)
    (handed_in / "training").mkdir(parents=True)
    nbformat.write(nbformat.v4.new_notebook(cells=[page_kit.cell()]), handed_in / "training" / "tanh_swap.ipynb")
    line = page_kit.wrong_line("dW1", page_kit.EXPECTED + 1, place=page_kit.place())
    (tmp_path / "m.jsonl").write_text(json.dumps(to_json(page_kit.marks("bo", dW1=line))))
    monkeypatch.chdir(course)
    said = []
    for hint in (False, True):
        (course / "nbgrader_config.py").write_text(f"c = get_config()\nc.FeedbackExporter.place_only = {hint}\n")
        assert main(["export", str(tmp_path / "m.jsonl"), "--github", "--submission", str(handed_in)]) == 0
        said.append(capsys.readouterr().out.splitlines()[-1])
    assert [text.startswith("::warning file=training/tanh_swap.ipynb,line=") for text in said] == [True, True]
    assert ["the derivative of tanh is due" in text for text in said] == [True, False]
    assert "Look at this expression" in said[1]


def test_classroom50_reads_the_runner(marks, tmp_path, monkeypatch):
    for name in ("CLASSROOM", "ASSIGNMENT", "COMMIT_URL", "RELEASE_URL"):
        monkeypatch.setenv(name, name.lower())
    monkeypatch.setenv("SUBMISSION_TAG", "submit/1")
    assert main(["export", str(marks), "--classroom50", str(tmp_path / "result.json")]) == 0
    assert json.loads((tmp_path / "result.json").read_text())["score"] == 2500


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["MARKS"], "say what to write"),
        (["--csv", "-"], "there are no marks"),
        (["nowhere.jsonl", "--csv", "-"], "nowhere.jsonl cannot be read"),
        (["MARKS", "--canvas", "nowhere.csv"], "nowhere.csv cannot be written or read"),
        (["MARKS", "--canvas", "MARKS"], "no gradebook that Canvas exported"),
        (["MARKS", "--classroom50", "x"], "runner sets CLASSROOM"),
        (["MARKS", "--moodle", "-", "--people", "MARKS"], "the columns id and email"),
        (["MARKS", "--column", "x"], "SHEET=NAME is wanted"),
        (["MARKS", "--moodle", "-", "--gradebook", "sqlite:////nowhere/x.db"], "cannot be read"),
    ],
)
def test_bad_use_is_said_in_a_sentence(arguments, said, marks, capsys):
    before = marks.read_text()
    try:
        status = main(["export", *(str(marks) if word == "MARKS" else word for word in arguments)])
    except SystemExit as stop:
        status = stop.code
    assert status == 2
    assert said in capsys.readouterr().err
    assert marks.read_text() == before


@pytest.mark.parametrize("text", ["{}", "[1]", "{", '{"schema": "other/v1"}'])
def test_a_line_that_is_no_record_is_named(text, tmp_path, capsys):
    path = tmp_path / "x.jsonl"
    path.write_text(text)
    assert main(["export", str(path), "--csv", "-"]) == 2
    assert f"{path}, line 1" in capsys.readouterr().err


@pytest.mark.slow
def test_who_handed_in_nothing_is_named_and_a_gradebook_has_its_rows(tmp_path, capsys):
    from nbgrader.api import Gradebook

    url = f"sqlite:///{tmp_path}/gradebook.db"
    with Gradebook(url) as book:
        book.add_assignment("training")
        for student in ("ada", "bob", "cy"):
            book.add_student(student, email=f"{student}@x.org")
        for student in ("ada", "bob"):
            book.add_submission("training", student)
    assert main(["export", "--gradebook", url, "--csv", "-"]) == 0
    told = capsys.readouterr()
    assert [line.split(",")[:3] for line in told.out.splitlines()[1:]] == [
        ["ada", "training", "0"],
        ["bob", "training", "0"],
    ]
    assert "training: nothing was handed in by cy; they stay blank." in told.err
    assert "2 students with scores, 0 waiting" in told.err
    assert main(["export", "--gradebook", url, "--csv", "-", "--moodle", str(tmp_path / "m"), "--missing", "zero"]) == 0
    assert "cy,training,0" in capsys.readouterr().out
    assert "cy@x.org,0" in (tmp_path / "m").read_text()


CLASS = """\
Student,ID,SIS User ID,SIS Login ID,Section,training (7)
    Points Possible,,,,,10
"Lovelace, Ada",1,,ada,1,
"Li, Bo",2,,bo,1,
"Roth, Cy",3,,cy,1,
"Poe, Dan",4,,dan,1,
"Wu, Eve",5,,eve,1,
"""


@pytest.mark.heavy
@pytest.mark.parametrize("first", ["nbgrader", "ours"])
def test_all_exports_of_one_gradebook_agree(tmp_path, monkeypatch, first):
    """Nobody has derived anything before: a late student, one with more time, one with too many points, and nothing."""
    from nbgrader.api import Gradebook

    put_programs_on_path()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "source").mkdir()
    (tmp_path / "nbgrader_config.py").write_text(
        "from autograder import bridge\nc = get_config()\nbridge.configure(c)\nc.LatePolicy.per_day = 0.1\n"
    )
    (tmp_path / "extensions.csv").write_text("id,sheet,days\nbo,training,2\n")
    (tmp_path / "canvas.csv").write_text(CLASS)
    url, due = f"sqlite:///{tmp_path}/gradebook.db", datetime(2026, 11, 1, 12)
    with Gradebook(url) as book:
        book.add_assignment("training", duedate=due)
        book.add_notebook("n", "training")
        book.add_grade_cell("q", "n", "training", max_score=10, cell_type="code")
        for student, hours, machine, given in (
            ("ada", 30, 8, None), ("bo", 30, 8, None), ("cy", -1, 8, 11), ("dan", 60, 7, 5.5), ("eve", None, 0, None),
        ):  # fmt: skip
            book.add_student(student, email=f"{student}@x.org")
            if hours is not None:
                book.add_submission("training", student, timestamp=due + timedelta(hours=hours))
                grade = book.find_grade("q", "n", "training", student)
                grade.auto_score, grade.manual_score, grade.needs_manual_grade = machine, given, False
        book.db.commit()

    def nbgraders():
        command = [sys.executable, "-m", "nbgrader", "export", "--to", "nbgrader.csv"]
        put_programs_on_path()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def ours():
        arguments = ["--gradebook", url, "--csv", "our.csv", "--moodle", "moodle.csv", "--canvas", "canvas.csv"]
        assert main(["export", *arguments, "--missing", "zero"]) == 0

    for export in (nbgraders, ours) if first == "nbgrader" else (ours, nbgraders):
        export()
    due_points = {"ada": 6.4, "bo": 8, "cy": 10, "dan": 5.5 * 0.7, "eve": 0}
    read = {
        name: list(csv.DictReader((tmp_path / f"{name}.csv").open()))
        for name in ("nbgrader", "our", "moodle", "canvas")
    }
    found = [
        {row["student_id"]: row["score"] for row in read["nbgrader"]},
        {row["student"]: row["points"] for row in read["our"]},
        {row["Email address"].partition("@")[0]: row["Training"] for row in read["moodle"]},
        {row["SIS Login ID"]: row["training (7)"] for row in read["canvas"] if row["SIS Login ID"]},
    ]
    for one in found:
        assert {student: float(points) for student, points in one.items()} == pytest.approx(due_points)
