"""Each export is a pure function of the records: golden files, the other system's schema, and the traps."""

import csv
import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator

from autograder.exercises import load
from autograder.marking import Marks, from_json, to_json
from autograder.views import classroom50, github, gradescope, junit, marks_page
from autograder.views.scores import by_sheet, moodle, plain_csv

RUNNER = {
    "CLASSROOM": "cs",
    "ASSIGNMENT": "training",
    "SUBMISSION_TAG": "submit/2026-11-01T10-00-00Z-abcdef0",
    "OWNER": "ada",
    "COMMIT_URL": "https://host.example/c",
    "RELEASE_URL": "https://host.example/r",
}
NOW = datetime(2026, 11, 1, 10, 0, 5, tzinfo=UTC)


def exports(records):
    """Every export by the name of its golden file."""
    wanted = [load("tanh_swap"), load("worked_calculation")]
    scores = by_sheet(records)
    return {
        "marks.jsonl": "".join(json.dumps(to_json(one)) + "\n" for one in records),
        "junit.xml": junit.junit(records),
        "summary.md": github.summary(records),
        "annotations.txt": "\n".join(github.notices(records)) + "\n",
        "outputs.txt": github.outputs(records),
        "gradescope.json": json.dumps(gradescope.results(records[1:2], wanted, done=False, seconds=1.23456), indent=1),
        "classroom50.json": json.dumps(classroom50.result(records, RUNNER, NOW), indent=1),
        "marks.csv": plain_csv(records),
        "moodle.csv": moodle(scores, {"ada": "ada@example.org"})[0],
        "page.html": marks_page.page(records),
    }


@pytest.mark.parametrize(
    "name",
    [
        "marks.jsonl",
        "junit.xml",
        "summary.md",
        "annotations.txt",
        "outputs.txt",
        "gradescope.json",
        "classroom50.json",
        "marks.csv",
        "moodle.csv",
        "page.html",
    ],
)
def test_golden(name, records, golden):
    golden(name, exports(records)[name])


def test_every_export_depends_on_the_record_alone(records):
    """What comes back from JSON gives the same files."""
    again = [from_json(json.loads(json.dumps(to_json(one)))) for one in records]
    assert exports(again) == exports(records)


# JUnit XML


def test_junit_counts_and_keeps_hostile_text_as_text(records):
    tree = ElementTree.fromstring(junit.junit(records).encode())
    assert (tree.get("tests"), tree.get("failures"), tree.get("errors")) == ("11", "4", "2")
    message = tree.findall(".//failure")[1].get("message")
    assert "<script>" in message
    assert "\x00" not in message
    properties = {p.get("name"): p.get("value") for p in tree.find(".//testcase/properties")}
    assert (properties["points"], properties["max_points"], properties["status"]) == ("5", "5", "correct")


# GitHub


def test_at_most_ten_annotations_and_the_last_counts_the_rest(records):
    many = [replace(records[1], student=f"s{number}") for number in range(6)]
    found = github.notices(many)
    assert len(found) == 10
    assert found[-1].startswith("::notice title=15 more::")


def test_every_annotation_is_one_line_and_one_command(records):
    for line in github.notices(records):
        assert re.fullmatch(r"::(error|warning|notice) title=[^:,\n\r]+(%2C[^:,\n\r]*)*::[^\n\r]+", line), line


def test_the_summary_has_one_row_per_question_and_no_markup_of_the_student(records):
    text = github.summary(records[1:2])
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 1 + 4
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}
    assert "<script>" not in text
    assert "@team" not in text
    assert "Look first at Question forward&#95;tanh" in text


def test_a_summary_that_github_would_refuse_is_shortened(records):
    long = replace(records[1], notes=("x" * 2_000_000,))
    text = github.summary([long])
    assert len(text.encode()) < github.MAX_SUMMARY
    assert "2.5 / 20" in text


# Gradescope

TEST_FIELDS = {"score", "max_score", "status", "name", "name_format", "number", "output", "output_format", "tags",
               "visibility", "extra_data"}  # fmt: skip
TOP_FIELDS = {"score", "execution_time", "output", "output_format", "test_output_format", "test_name_format",
              "visibility", "stdout_visibility", "extra_data", "tests", "leaderboard"}  # fmt: skip
VISIBILITY = {"visible", "hidden", "after_due_date", "after_published"}


def check_gradescope(file):
    assert set(file) <= TOP_FIELDS
    assert isinstance(file["execution_time"], float)
    assert {file["visibility"], file["stdout_visibility"]} <= VISIBILITY
    assert "score" in file or any("score" in test for test in file["tests"])
    for test in file["tests"]:
        assert set(test) <= TEST_FIELDS
        assert test.get("status", "passed") in {"passed", "failed"}
        assert test["output_format"] in {"text", "html", "simple_format", "md", "ansi"}
        assert test["visibility"] in VISIBILITY
        assert isinstance(test["number"], str)
        assert 0 <= test.get("score", 0) <= test["max_score"]


@pytest.mark.parametrize("done", [True, False])
def test_gradescope_keeps_to_the_documented_fields(records, done):
    wanted = [load("tanh_swap"), load("worked_calculation")]
    for chosen in (records[:1], records[1:2], records[2:3], records[3:], []):
        check_gradescope(gradescope.results(chosen, wanted, done=done, seconds=2))


def test_gradescope_keeps_what_was_earned_before_the_time_ran_out(records):
    part = replace(records[0], questions=records[0].questions[:2])
    file = gradescope.results([part], [load("tanh_swap")], done=False, seconds=1)
    assert [test["score"] for test in file["tests"]] == [5, 4, 0, 0]
    assert "time of the autograder ran out" in file["tests"][2]["output"]
    assert "score" not in file


def test_gradescope_gives_no_score_where_a_person_has_to_look(records):
    file = gradescope.results(records[2:3], [load("tanh_swap")], done=True, seconds=1)
    assert "score" not in file["tests"][1]
    unread = gradescope.results(records[3:], [load("worked_calculation")], done=True, seconds=1)
    assert all("score" not in test for test in unread["tests"])
    assert unread["score"] == 0
    assert "this 0 is no mark" in unread["output"]


# Classroom 50: the structure that the runner and the collector check, written down from its published schema

INTEGER = {"type": "integer", "minimum": 0}
TEXT = {"type": "string", "minLength": 1}
CLASSROOM50 = {
    "type": "object",
    "additionalProperties": False,
    "required": ["schema", "classroom", "assignment", "assignment_type", "owner", "submission", "commit", "release",
                 "review", "datetime", "score", "max-score", "tests"],
    "properties": {
        "schema": {"const": "classroom50/result/v1"},
        "assignment_type": {"enum": ["individual", "group", "team"]},
        "submission": {"type": "string", "pattern": "^submit/"},
        "datetime": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$"},
        "score": INTEGER,
        "max-score": INTEGER,
        **dict.fromkeys(("classroom", "assignment", "owner", "commit", "release", "review"), TEXT),
        "tests": {
            "type": "array",
            "items": {
                "required": ["test-name", "passed", "score", "max-score"],
                "properties": {
                    "test-name": TEXT, "passed": {"type": "boolean"}, "score": INTEGER, "max-score": INTEGER,
                },
            },
        },
    },
}  # fmt: skip


def test_classroom50_gets_whole_numbers_that_add_up(records):
    file = classroom50.result(records, RUNNER, NOW)
    Draft202012Validator(CLASSROOM50).validate(file)
    assert file["score"] == sum(test["score"] for test in file["tests"]) == 100 * sum(one.points for one in records)
    assert file["tests"][4]["score"] == 250
    assert all(test["score"] <= test["max-score"] for test in file["tests"])


def test_classroom50_names_the_missing_variables(records):
    with pytest.raises(classroom50.NotTheRunner, match="ASSIGNMENT, RELEASE_URL"):
        classroom50.result(records, RUNNER | {"ASSIGNMENT": "", "RELEASE_URL": ""}, NOW)


# CSV files and Moodle


def test_the_csv_file_reads_back_with_names_that_have_commas_and_quotes(records):
    rows = list(csv.DictReader(io.StringIO(plain_csv(records))))
    assert [row["student"] for row in rows] == ["ada", 'O\'Neil, "Bo"', "'=cmd()", "zoe@example.org"]
    assert [row["points"] for row in rows] == ["20", "2.5", "5", ""]
    assert rows[3]["needs_person"] == "yes"


def test_a_sheet_sums_what_was_handed_in_over_all_that_is_due(records):
    score = by_sheet(records)[0]
    due = sum(q.points for name in ("tanh_swap",) for q in load(name).questions)
    assert (score.points, score.problem) == (20, "")
    assert score.max_points >= due


def test_moodle_goes_by_email_and_leaves_out_what_a_person_has_to_see(records):
    text, left_out = moodle(by_sheet(records), {"ada": "ada@example.org", "=cmd()": "c@example.org"})
    rows = list(csv.reader(io.StringIO(text)))
    assert rows == [["Email address", "By hand", "Training"], ["ada@example.org", "", "20"]]
    assert any("no e-mail address is known" in line for line in left_out)
    assert any("not valid JSON" in line for line in left_out)
    assert any(line.startswith("=cmd()") for line in left_out)


# the page


def test_the_page_has_no_element_of_the_student(records):
    class Elements(HTMLParser):
        found = ()

        def handle_starttag(self, tag, attrs):
            self.found = (*self.found, tag)

    parser = Elements()
    parser.feed(marks_page.page(records))
    assert "script" not in parser.found
    assert parser.found.count("h2") == len(records)


def test_no_notebook_is_said():
    assert "No notebook" in github.summary([])
    assert "No notebook" in marks_page.page([])
    assert github.notices([Marks("a", "training", "tanh_swap", ())]) == []
