"""`autograder forget`: nothing with the student's name remains, and everything of the others does."""

import io
import shutil
import sqlite3
import zipfile
from datetime import datetime

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.api import Gradebook

from autograder.bridge.given import Given, Mark, Place
from autograder.cli import main
from autograder.environment import put_programs_on_path
from autograder.exercises import load
from autograder.grading.grade import Ran
from autograder.grading.journal import Entry, Journal
from autograder.records.requests import keep, read_requests
from autograder.sandbox import CellResult, Outcome
from autograder.views.requests import Request

GONE, STAYS, NAME, SHEET = "ephraim", "bo", "tanh_swap", "training"
WORDS = (b"ephraim", b"Ephraim", b"Feldspar", b"9071")


def notebook(student):
    cells = [
        new_code_cell(f"# {student}", metadata={"nbgrader": {
            "grade_id": one.id, "grade": True, "solution": False, "points": 1, "locked": True, "schema_version": 3,
            "cell_type": "code"}})
        for one in load(NAME).questions
    ]  # fmt: skip
    return nbformat.writes(new_notebook(cells=cells)).encode()


ARCHIVES = {
    "moodle": {
        f"{{name}}_{{number}}_assignsubmission_file/{NAME}.ipynb": None,
        "{name}_{number}_assignsubmission_onlinetext/onlinetext.html": b"<p>",
    },
    "canvas": {f"{{sortable}}_{{number}}_1{{number}}_{NAME}.ipynb": None, "{sortable}_{number}_2{number}_x.csv": b"1"},
    "gradescope": {f"export/submission_{{number}}/{NAME}.ipynb": None},
    "folders": {f"{{id}}/{NAME}.ipynb": None, "{id}/x.csv": b"1"},
}
PEOPLE = {
    GONE: {"id": GONE, "name": "Ephraim Feldspar", "sortable": "feldsparephraim", "number": "9071"},
    STAYS: {"id": STAYS, "name": "Bo Li", "sortable": "libo", "number": "44"},
}
METADATA = (
    "submission_{number}:\n  :submitters:\n  - :name: {name}\n    :email: {id}@x.org\n  :created_at: 2026-11-01\n"
)


def archive(platform):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        for student, about in PEOPLE.items():
            for name, data in ARCHIVES[platform].items():
                made.writestr(name.format(**about), data or notebook(student))
        if platform == "gradescope":
            text = "".join(METADATA.format(**about) for about in PEOPLE.values())
            made.writestr("export/submission_metadata.yml", text)
    return packed.getvalue()


@pytest.fixture
def course(tmp_path, root, monkeypatch):
    """A course that knows two students in every place that there is."""
    put_programs_on_path()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    exchange = tmp_path / "exchange" / "course"
    (tmp_path / "source").mkdir()
    (tmp_path / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.CourseDirectory.course_id = 'course'\nc.Exchange.root = {str(tmp_path / 'exchange')!r}\n"
    )
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as book:
        book.add_assignment(SHEET, duedate=datetime(2026, 11, 1))
        book.add_notebook(NAME, SHEET)
        book.add_grade_cell("loss", NAME, SHEET, max_score=10, cell_type="code")
        for student, about in PEOPLE.items():
            book.add_student(student, email=f"{student}@x.org", last_name=about["name"].split()[1])
            book.add_submission(SHEET, student, timestamp=datetime(2026, 11, 1))
            Given(book.db).add(Mark(Place(SHEET, NAME, student), "loss", "me", "d", 3.0, comment=f"well, {student}"))
        book.db.commit()
    with Journal(tmp_path) as journal:
        for student in PEOPLE:
            cell = CellResult(
                "c", "ok", [{"output_type": "stream", "name": "stdout", "text": student * 50}], 1, "", 0.1
            )
            journal.keep(f"run-{student}", NAME, "asked", Ran(Outcome((cell,), {}, "full", 1.0, 1, 0), True))
            journal.note(Entry(student, SHEET, NAME, "stamp", f"run-{student}", 1, "complete", b""))
    for platform in ARCHIVES:
        shutil.rmtree("submitted", ignore_errors=True)
        (tmp_path / "given.zip").write_bytes(archive(platform))
        (tmp_path / "people.csv").write_text(
            "id,name,email,Canvas ID\n"
            + "".join(f"{s},{a['name']},{s}@x.org,{a['number']}\n" for s, a in PEOPLE.items())
        )
        given = "given.zip"
        if platform == "folders":
            given = "given"
            with zipfile.ZipFile("given.zip") as packed:
                packed.extractall(given)
        assert main(["collect", given, "--people", "people.csv"]) == 0
        for student in PEOPLE:
            page = tmp_path / "feedback" / student / SHEET / f"{NAME}.html"
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(f"{platform} {student}")
        way = ["--folders", "back"] if platform == "folders" else [f"--{platform}", "back.zip"]
        assert main(["return", SHEET, *way]) == 0
    for name in ("given", "back"):
        shutil.rmtree(tmp_path / name)
    for name in ("given.zip", "back.zip"):
        (tmp_path / name).unlink()
    for student in PEOPLE:
        for folder in ("autograded", "numbers"):
            (tmp_path / folder / student / SHEET).mkdir(parents=True)
            (tmp_path / folder / student / SHEET / f"{NAME}.ipynb").write_bytes(notebook(student))
        inbound = exchange / "inbound" / f"{student}+{SHEET}+2026-11-01 10:00:00 UTC"
        inbound.mkdir(parents=True)
        (inbound / f"{NAME}.ipynb").write_bytes(notebook(student))
        oral = tmp_path / "viva" / SHEET
        oral.mkdir(parents=True, exist_ok=True)
        (oral / f"{student}.html").write_text(f"questions for {student}")
        keep(
            tmp_path,
            Request(len(student), "c", student, SHEET, NAME, "loss", "", f"I am {student}", "", 1, 1, 1, "now"),
        )
    (oral / "results.csv").write_text(f'student,note\n{GONE},"for {GONE}:\nright"\n{STAYS},"two\nlines"\n')
    (tmp_path / "numbers.json").write_text(f'{{"students": ["{GONE}", "{STAYS}"], "exercise": "x"}}')
    (tmp_path / "extensions.csv").write_text(f"id;sheet;days\n{GONE};{SHEET};2\n{STAYS};{SHEET};3\n")
    return tmp_path


def contents(folder):
    """Every file's name and content; archives opened as well."""
    for path in sorted(folder.rglob("*")):
        yield str(path.relative_to(folder)), path.read_bytes() if path.is_file() else b""
        if path.is_file() and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as packed:
                yield from ((f"{path.name}: {one}", packed.read(one)) for one in packed.namelist())


def naming(folder, words=WORDS):
    return [name for name, data in contents(folder) if any(word in name.encode() + data for word in words)]


@pytest.mark.slow
def test_nothing_with_the_name_remains_and_the_others_keep_all(course, capsys):
    before = dict(contents(course))
    assert main(["forget", GONE, "--people", "people.csv", "--dry-run"]) == 0
    would = capsys.readouterr().out.replace("would go:", "gone:")
    assert {k: v for k, v in contents(course) if ".autograder" not in k} == {
        k: v for k, v in before.items() if ".autograder" not in k
    }
    kept = naming(course, (b"bo/", b"Bo Li", b"libo", b"# bo"))
    (course / "report.html").write_text("a page with Ephraim Feldspar")
    assert main(["forget", GONE, "--people", "people.csv"]) == 1
    out, err = capsys.readouterr()
    assert out == would
    assert err.strip() == "still named in: people.csv, report.html. Make these again, or change them by hand."
    for name in ("people.csv", "report.html"):
        (course / name).unlink()
    assert naming(course) == []
    assert naming(course, (b"bo/", b"Bo Li", b"libo", b"# bo")) == [
        name for name in kept if name not in ("people.csv", "report.html")
    ]
    for folder in ("submitted", "autograded", "feedback", "numbers"):
        assert [path.name for path in (course / folder).iterdir()] == [STAYS]
    with sqlite3.connect(course / "gradebook.db") as db:
        for table in ("student", "submitted_assignment", "autograder_given"):
            assert db.execute(f"select count(*) from {table}").fetchone() == (1,), table
    with Journal(course) as journal:
        assert [entry.student for entry in journal.entries()] == [STAYS]
        assert journal.count() == 1
    assert (course / "extensions.csv").read_text() == f"id;sheet;days\n{STAYS};{SHEET};3\n"
    assert (course / "viva" / SHEET / "results.csv").read_text() == f'student,note\n{STAYS},"two\nlines"\n'
    assert [one.student for one in read_requests(course)] == [STAYS]
    assert main(["forget", GONE]) == 2
    assert "nothing of ephraim is here" in capsys.readouterr().err

    for nobody in ("..", "", "a/b", ".set_aside", "*", "nobody"):
        before = naming(course, (STAYS.encode(),))
        assert main(["forget", nobody]) == 2
        assert naming(course, (STAYS.encode(),)) == before


def test_the_page_says_what_is_done_here(root):
    section = (root / "docs" / "instructors.md").read_text(encoding="utf-8").split("\n## When a student leaves\n")[1]
    assert section.split("```sh\n")[1].split("```")[0].splitlines() == [
        "autograder forget carla --people students.csv --dry-run",
        "autograder forget carla --people students.csv",
    ]
