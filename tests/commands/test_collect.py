"""What platforms give arrives at the right student or is asked about; feedback goes back under the platforms' names.

The archives are built after the platforms' source: see autograder/records/layouts.py for files and commits.
"""

from __future__ import annotations

import email
import io
import json
import shutil
import zipfile
from email import policy
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from autograder.cli import main
from autograder.exercises import load
from autograder.records.layouts import squashed

NAME = "tanh_swap"
PEOPLE = (
    "id,first_name,last_name,email,Username,Canvas ID\nada,Ada,Lovelace,ada@x.org,alovelace,101\n"
    "zoe,Zoë,O'Neil,zoe@x.org,zo,102\nli1,Bo,Li,bo1@x.org,bli,103\nli2,Bo,Li,bo2@x.org,bli2,104\n"
)


def notebook(text: str = "", exercise: str = NAME) -> bytes:
    cells = [
        new_code_cell(text, metadata={"nbgrader": {"grade_id": one.id, "grade": True, "solution": False, "points": 1,
                                                   "locked": True, "schema_version": 3, "cell_type": "code"}})
        for one in load(exercise).questions
    ]  # fmt: skip
    return nbformat.writes(new_notebook(cells=cells)).encode()


def zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()


GRADESCOPE = (
    "submission_11:\n  :submitters:\n  - :name: Ada Lovelace\n    :sid: '1'\n    :email: ada@x.org\n"
    "  :created_at: 2026-11-01 10:00:00.5 Z\n"
    "submission_12:\n  :submitters:\n  - :name: Zoë O'Neil\n    :email: zoe@x.org\n"
)
ONE, TWO = notebook("1"), notebook("2")
ARCHIVES = {
    "moodle": {
        f"Ada Lovelace_123456_assignsubmission_file/{NAME}.ipynb": ONE,
        "Ada Lovelace_123456_assignsubmission_onlinetext/onlinetext.html": b"<p>hello",
        f"Zoë O'Neil_123457_assignsubmission_file_/work/{NAME} (1).ipynb": TWO,
        "Zoë O'Neil_123457_assignsubmission_file_/work/data.csv": b"1",
        f"Bo Li_123458_assignsubmission_file_/{NAME}.ipynb": ONE,
    },
    "canvas": {
        f"lovelaceada_101_9001_{NAME}-1.ipynb": ONE,
        f"oneilzoë_LATE_102_9002_{NAME}.ipynb": TWO,
        "oneilzoë_LATE_102_9003_data.csv": b"1",
        f"libo_999_9004_{NAME}.ipynb": ONE,
    },
    "gradescope": {
        "assignment_7_export/submission_metadata.yml": GRADESCOPE.encode(),
        f"assignment_7_export/submission_11/{NAME}.ipynb": ONE,
        "assignment_7_export/submission_12/hw.zip": zipped({"x/My work.ipynb": TWO, "x/data.csv": b"1"}),
        f"assignment_7_export/submission_13/{NAME}.ipynb": ONE,
    },
    "blackboard": {
        f"Sheet 1_alovelace_attempt_2026-11-01-10-00-00_{NAME}.ipynb": ONE,
        "Sheet 1_alovelace_attempt_2026-11-01-10-00-00.txt": b"Name: Ada",
        f"Sheet 1_zo_attempt_2026-11-01-11-00-00_{NAME}.ipynb": TWO,
        "Sheet 1_zo_attempt_2026-11-01-11-00-00_data.csv": b"1",
        f"Sheet 1_nobody_attempt_2026-11-01-11-00-00_{NAME}.ipynb": ONE,
    },
    "clones": {
        f"sheet-alovelace/training/{NAME}.ipynb": ONE,
        f"sheet-zo/training/{NAME}.ipynb": TWO,
        "sheet-zo/training/data.csv": b"1",
        f"sheet-unknown/training/{NAME}.ipynb": ONE,
    },
    "inbound": {
        f"ada+training+2026-11-01 09:00:00.5 UTC/{NAME}.ipynb": TWO,
        f"ada+training+2026-11-01 10:00:00.5 UTC/{NAME}.ipynb": ONE,
        f"zoe+training+2026-11-01 11:00:00 UTC+abc/{NAME}.ipynb": TWO,
        "zoe+training+2026-11-01 11:00:00 UTC+abc/data.csv": b"1",
        f"who+training+2026-11-01 11:00:00 UTC/{NAME}.ipynb": ONE,
    },
}


@pytest.fixture
def course(tmp_path, root, monkeypatch) -> Path:
    (tmp_path / "source").mkdir()
    shutil.copy(root / "nbgrader_config.py", tmp_path)
    (tmp_path / "people.csv").write_text(PEOPLE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "250")
    return tmp_path


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("platform", ARCHIVES)
def test_what_a_platform_gives_arrives_or_is_asked_about(course, capsys, platform, packed):
    given = course / "given.zip"
    given.write_bytes(zipped(ARCHIVES[platform]))
    if not packed:
        given = course / "given"
        with zipfile.ZipFile(course / "given.zip") as archive:
            archive.extractall(given)
    arguments = ["collect", str(given), "--people", "people.csv", "--zone", "Europe/Berlin"]
    assert main([*arguments, "--dry-run"]) == 1
    assert not (course / "submitted").exists()
    assert main(arguments) == 1  # somebody is to be asked about
    out = capsys.readouterr().out
    assert "1 file to be asked about" in out
    assert "Nothing of 2: li1, li2" in out
    found = {path.relative_to(course / "submitted").as_posix(): path.read_bytes()
             for path in (course / "submitted").rglob("*") if path.is_file()}  # fmt: skip
    stamps = {name: found.pop(name) for name in list(found) if name.endswith("timestamp.txt")}
    assert found == {
        f"ada/training/{NAME}.ipynb": ONE,
        f"zoe/training/{NAME}.ipynb": TWO,
        "zoe/training/data.csv": b"1",
    }
    if platform in ("gradescope", "blackboard", "inbound"):
        hour = "09" if platform == "blackboard" else "10"
        assert stamps["ada/training/timestamp.txt"] == f"2026-11-01 {hour}:00:00 UTC\n".encode()
    assert any((course / "collected").iterdir())
    assert main(arguments) == 1  # again: the same, and nothing is asked anew
    assert "is there already" in " ".join(capsys.readouterr().out.split())


def test_moodles_grading_worksheet_tells_two_of_one_name_apart(course, capsys):
    (course / "people.csv").write_text(
        "Identifier,Full name,Email address\nParticipant 123456,Bo Li,bo1@x.org\nParticipant 23456,Bo Li,bo2@x.org\n"
    )
    files = {
        f"Bo Li_{number}_assignsubmission_file/{NAME}.ipynb": data for number, data in ((23456, ONE), (123456, TWO))
    }
    (course / "g.zip").write_bytes(zipped(files))
    assert main(["collect", "g.zip", "--people", "people.csv"]) == 0
    for student, data in (("bo1@x.org", TWO), ("bo2@x.org", ONE)):
        assert (course / "submitted" / student / "training" / f"{NAME}.ipynb").read_bytes() == data


def test_an_archive_of_another_kind_is_to_be_unpacked(course, capsys):
    (course / "class.tar.gz").write_bytes(b"x")
    assert main(["collect", "class.tar.gz", "--people", "people.csv"]) == 2
    assert "unpack it, and give the folder" in capsys.readouterr().err


def test_other_work_is_never_replaced_unasked(course, capsys):
    for data, extra, status in ((ONE, [], 0), (TWO, [], 1), (TWO, ["--replace"], 0)):
        (course / "g.zip").write_bytes(zipped({f"ada/{NAME}.ipynb": data}))
        assert main(["collect", "g.zip", *extra]) == status
    assert (course / f"submitted/ada/training/{NAME}.ipynb").read_bytes() == TWO
    assert [path.read_bytes() for path in (course / "submitted/ada/.set_aside").rglob("*.ipynb")] == [ONE]


def test_two_of_which_nobody_says_which_counts_are_asked_about(course, capsys):
    (course / "g.zip").write_bytes(zipped({f"ada/a/{NAME}.ipynb": ONE, f"ada/b/{NAME}.ipynb": TWO}))
    assert main(["collect", "g.zip"]) == 1
    assert not (course / "submitted").exists()
    assert "which one counts?" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("name", ["../evil", "..", "a/b", "x\x1b[2J"])
def test_a_table_names_no_folder_outside(course, name, capsys):
    (course / "people.csv").write_text(f"id,email\n{name},ada@x.org\n")
    files = {"submission_metadata.yml": GRADESCOPE.encode(), f"submission_11/{NAME}.ipynb": ONE}
    (course / "g.zip").write_bytes(zipped(files))
    assert main(["collect", "g.zip", "--people", "people.csv"]) != 0
    assert not (course / "submitted").exists()
    assert sorted(path.name for path in course.parent.iterdir() if path.name == "evil") == []


BACK = {
    "moodle": {"Ada Lovelace_123456_assignsubmission_file/tanh_swap_feedback.html",
               "Zoë O'Neil_123457_assignsubmission_file/tanh_swap_feedback.html"},
    "canvas": {"lovelaceada_101_9001_tanh_swap-feedback.html", "oneilzoë_LATE_102_9002_tanh_swap-feedback.html"},
    "gradescope": {"submission_11/tanh_swap.html", "submission_12/tanh_swap.html"},
}  # fmt: skip


@pytest.mark.parametrize("platform", BACK)
def test_feedback_goes_back_under_the_names_of_the_platform_and_only_what_changed(course, platform, capsys):
    (course / "given.zip").write_bytes(zipped(ARCHIVES[platform]))
    main(["collect", "given.zip", "--people", "people.csv"])
    for student in ("ada", "zoe"):
        (course / "feedback" / student / "training").mkdir(parents=True)
        (course / "feedback" / student / "training" / f"{NAME}.html").write_text(student)

    def back() -> set[str]:
        Path("back.zip").unlink(missing_ok=True)
        assert main(["return", "training", f"--{platform}", "back.zip"]) == 0
        if not Path("back.zip").exists():
            return set()
        with zipfile.ZipFile("back.zip") as archive:
            return set(archive.namelist())

    assert back() == BACK[platform]
    assert back() == set()
    (course / "feedback/ada/training" / f"{NAME}.html").write_text("other")
    assert back() == {name for name in BACK[platform] if "ada" in name.lower() or "_11" in name}
    kept = json.loads((course / "collected/returned.json").read_text())
    assert kept[platform]["ada"]["training"][NAME]["at"].endswith("UTC")


def test_mail_goes_to_whom_it_is_about_and_the_others_are_named(course, capsys):
    for student in ("ada", "eve"):
        (course / "feedback" / student / "training").mkdir(parents=True)
        (course / "feedback" / student / "training" / f"{NAME}.html").write_text(f"<p>{student}")
    assert main(["return", "training", "--mail", "out", "--people", "people.csv", "--sender", "me@x.org"]) == 1
    assert "left out: eve: no e-mail address" in capsys.readouterr().err
    (path,) = (course / "out").iterdir()
    message = email.message_from_bytes(path.read_bytes(), policy=policy.default)
    assert (message["To"], message["From"], message["X-Unsent"]) == ("ada@x.org", "me@x.org", "1")
    (page,) = message.iter_attachments()
    assert page.get_content().strip() == "<p>ada"


def test_names_as_canvas_writes_them():
    assert squashed("O'Neil, Zoë") == "oneilzoë"
