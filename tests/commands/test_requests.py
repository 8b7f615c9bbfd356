"""`autograder requests`: from a code on a page to an answer on it; what a person changed says what the machine gave."""

import io
import json
import re

import pytest
from desk_kit import NAME, PART, SHEET, answers, marked_course, settings
from nbgrader.api import Gradebook

from autograder.bridge.gradebook_writer import Writer
from autograder.bridge.marking import Desk
from autograder.cli import main
from autograder.grading.submissions import Submission
from autograder.records.read import autograded
from autograder.records.requests import FILE, code_in, code_of, key_of, read_requests
from autograder.records.requests import named as named_by

QUESTION = "relu_values"
ATTACK = "<script>alert(1)</script> it is right"


@pytest.fixture(scope="module")
def course(tmp_path_factory, root):
    """Three students: of the first a person has changed a question and marked the part in words."""
    course = marked_course(tmp_path_factory.mktemp("requests") / "course", root, answers(6)[3:6])
    config = settings(course)
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        book.find_grade(QUESTION, NAME, SHEET, "s00").manual_score = 1.5  # as formgrader does
        book.db.commit()
    desk = Desk(config, SHEET, "kim")
    boxes = desk.part(NAME, PART)["boxes"]
    for one in desk.part(NAME, PART)["answers"][:2]:
        desk.mark(NAME, PART, [{"id": one["id"], "version": 0, "boxes": [boxes[0]["key"], boxes[1]["key"]]}])
    desk.close()
    return course


@pytest.fixture
def here(course, monkeypatch):
    monkeypatch.chdir(course)
    (course / FILE).unlink(missing_ok=True)
    return course


def page(course, student="s00"):
    assert main(["feedback"]) == 0
    return (course / "feedback" / student / SHEET / f"{NAME}.html").read_text()


def said(capsys):
    found = capsys.readouterr()
    return " ".join((found.out + found.err).split())


def mail(monkeypatch, text):
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


@pytest.mark.slow
def test_a_request_goes_from_the_page_to_an_answer_on_the_page(here, monkeypatch, capsys):
    before = page(here)
    assert "A person changed these points; the machine gave" in before
    assert "Why:" not in before
    (copied,) = [one for one in re.findall(r"Regrade request .*?again, and why:", before, re.DOTALL) if "1.5" in one]
    mail(monkeypatch, f"Dear Kim,\n\n{copied.lower()}\n{copied}\n\n{ATTACK}\n")
    capsys.readouterr()
    assert main(["requests", "add", "--student", "s00"]) == 0
    (kept,) = read_requests(here)
    assert (kept.question, kept.given, kept.state, kept.earlier) == (QUESTION, 1.5, "open", False)
    assert kept.text == ATTACK
    assert "relu" in kept.answer
    mail(monkeypatch, copied)
    assert main(["requests", "add", "--student", "s00"]) == 2
    assert "request 1 has this code, and is open" in said(capsys)
    assert main(["requests", "list"]) == 0
    assert "1 wait for an answer" in said(capsys)
    assert main(["requests", "reply", "1", "You <i>are</i> right."]) == 0
    assert main(["requests", "close", "1"]) == 0
    (kept,) = read_requests(here)
    assert (kept.state, kept.after) == ("closed", 1.5)
    after = page(here)
    assert "&lt;script&gt;alert(1)&lt;/script&gt; it is right" in after
    assert "<strong>Why:</strong> You &lt;i&gt;are&lt;/i&gt; right." in after
    assert "Closed on" in after
    assert "You asked on" not in page(here, "s01")
    capsys.readouterr()
    assert main(["requests", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["reply"] == "You <i>are</i> right."
    assert main(["requests", "reply", "1", "more"]) == 2
    assert "was closed on" in said(capsys)
    assert main(["report", "--to", "report.html"]) == 0
    text = (here / "report.html").read_text()
    assert "You &lt;i&gt;are&lt;/i&gt; right. (formgrader)" in text


@pytest.mark.slow
def test_the_lines_of_json_say_what_the_machine_gave(here):
    with Writer(here) as writer:
        (changed,) = writer.changed(Submission("s00", SHEET, NAME, here))
        assert writer.changed(Submission("s01", SHEET, NAME, here)) == []
        assert writer.changed(Submission("nobody", SHEET, NAME, here)) == []
    assert (changed["question"], changed["given"]) == (QUESTION, 1.5)
    assert changed["machine"] == changed["most"] > 1.5


def test_forged_and_foreign_codes_are_refused_with_a_sentence(here, monkeypatch, capsys):
    key, (one, other, _) = key_of(here), autograded(here)
    code = code_of(key, one, QUESTION)
    assert named_by(key, code_in(f"x {code.lower().replace('0', 'o')}."), [other, one]) == (one, QUESTION, False)
    forged = code[:-1] + ("A" if code[-1] != "A" else "B")
    theirs = code_of(b"another course", one, QUESTION)
    for text, student, sentence in (
        (f"code {forged}", "s00", "was not made by this course"),
        (f"code {theirs}", "s00", "was not made by this course"),
        (f"code {code}", "s01", "is not from a page of s01"),
        (f"{code} and {code_of(key, other, QUESTION)}", "s00", "there are 2 codes"),
        ("please look again", "s00", "there is no code in this text"),
    ):
        mail(monkeypatch, text)
        assert main(["requests", "add", "--student", student]) == 2
        assert sentence in said(capsys)
    assert read_requests(here) == []
    assert main(["requests", "close", "4"]) == 2
    assert "there is no request 4" in said(capsys)


def test_a_code_of_an_earlier_record_is_known_as_one(here):
    from dataclasses import replace

    key, one = key_of(here), autograded(here)[0]
    code = code_of(key, replace(one, digest="older"), QUESTION)
    assert named_by(key, code, [one]) == (one, QUESTION, True)
    codes = {code_of(key, marks, part) for marks in autograded(here) for part in (QUESTION, PART)}
    assert len(codes) == 6


def test_a_damaged_file_is_named(here, capsys):
    (here / FILE).write_text("{")
    assert main(["requests", "list"]) == 2
    assert "requests.json cannot be read" in said(capsys)


def test_the_report_has_what_people_gave(here, capsys):
    assert main(["report", "--to", "report.html"]) == 0
    text = (here / "report.html").read_text()
    assert "Points that a person changed" in text
    assert "no reason was given" in text
    assert "Parts that people mark" in text
    assert "2 marked, 1 wait. Mean 2 of 6: mean score 33 %." in text
    assert "have it, of 2" in text
    with Gradebook(f"sqlite:///{here}/gradebook.db") as book:  # sums are the gradebook's: what people gave is in them
        sums = {
            one.student.id: one.score for one in book.notebook_submissions(NAME, SHEET) if not one.needs_manual_grade
        }
    assert len(sums) == 2
    assert "with what people gave, 2 notebooks (1 wait)" in text
    assert f"mean {sum(sums.values()) / 2:g}</td>" in text
    for student, points in sums.items():
        row = text.partition(f'<th scope="row">{student}</th>')[2].partition("</tr>")[0]
        assert row == f'<td class="n">{points:g}</td><td class="n">{points:g} / 20</td>'
    assert re.search(r'<td class="n">[\d.]+ \+ 1</td><td class="n">[\d.]+ / 20</td>', text)
    assert '<td class="n">2</td><td class="n">100 %</td>' in text
    assert '<td class="n">0</td><td class="n">0 %</td>' in text
    assert main(["report", "--to", "report.html", "--no-names"]) == 0
    assert "no reason was given" not in (here / "report.html").read_text()
