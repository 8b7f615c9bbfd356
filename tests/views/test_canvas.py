"""Scores filled into gradebooks as Canvas exports them, with every trap that such a file carries."""

import csv
import io

import pytest

from autograder.views.canvas import NotCanvas, fill
from autograder.views.scores import Score

# a mark of UTF-8, two rows under the header, names with commas and quotes, a read-only column, the test student
SAMPLE = (
    "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,By hand (4711),Training (4712),Essay (4713),Final Score\r\n"
    ",,,,,,Manual Posting,,(read only)\r\n"
    "    Points Possible,,,,,25.00,20.00,10.00,(read only)\r\n"
    '"Lovelace, Ada",101,u101,ada,"Monday, 10:00",,3,,12.50\r\n'
    '"O\'Neil, Robert ""Bo""",102,u102,Bo@Example.org,Monday,25,,9,\r\n'
    '"Müller, Jörg",103,u103,jm,Monday,,"7",,\r\n'
    '"Student, Test",104,,,Monday,,,,\r\n'
)


def score(student, points, sheet="training", problem=""):
    return Score(student, sheet, points, {"training": 20, "by_hand": 25}[sheet], problem)


def cells(text, delimiter=","):
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=delimiter))


def test_scores_are_filled_and_every_other_byte_stays(golden):
    filled = fill(
        SAMPLE, [score("ada", 17.5), score("bo@example.org", 20), score("u103", 0), score("ada", 24, "by_hand")]
    )
    assert filled.changed == 4
    assert filled.left_out == ()
    golden("canvas.csv", filled.text)
    before, after = SAMPLE.splitlines(keepends=True), filled.text.splitlines(keepends=True)
    assert after[:3] == before[:3]
    assert after[3] == '"Lovelace, Ada",101,u101,ada,"Monday, 10:00",24,17.5,,12.50\r\n'
    assert after[4] == '"O\'Neil, Robert ""Bo""",102,u102,Bo@Example.org,Monday,25,20,9,\r\n'
    assert after[5] == '"Müller, Jörg",103,u103,jm,Monday,,"0",,\r\n'
    assert after[6] == before[6]


def test_a_round_trip_reads_the_same_scores():
    filled = fill(SAMPLE, [score("ada", 17.5), score("jm", 19.25)])
    by_login = {row[3]: row[6] for row in cells(filled.text)[3:]}
    assert (by_login["ada"], by_login["jm"]) == ("17.5", "19.25")
    assert fill(filled.text, [score("ada", 17.5), score("jm", 19.25)]).text == filled.text
    assert fill(filled.text, [score("ada", 17.5)]).changed == 0


def test_nothing_to_fill_changes_no_byte():
    assert fill(SAMPLE, []).text == SAMPLE
    short = SAMPLE.rstrip("\r\n")
    assert fill(short, []).text == short


def test_semicolons_and_commas_as_decimal_point():
    text = "Student;ID;SIS Login ID;Section;Training (1)\n    Points Possible;;;;20,00\nA, B;1;ada;S;\n"
    filled = fill(text, [score("ada", 3.5)])
    assert filled.text.splitlines()[2] == "A, B;1;ada;S;3.5"


def test_what_is_left_out_is_told_and_left_as_it_was():
    filled = fill(SAMPLE, [score("nobody", 1), score("ada", 20, problem="x: a person has to look.")])
    assert filled.text == SAMPLE
    assert filled.left_out == ("nobody: not in this gradebook.", "ada, training: x: a person has to look.")


def test_two_rows_of_one_name_are_not_guessed():
    twice = SAMPLE + '"Lovelace, Ada",105,u105,ada,Tuesday,,,,\r\n'
    filled = fill(twice, [score("ada", 5)])
    assert filled.text == twice
    assert "more than one row" in filled.left_out[0]


def test_logins_that_are_addresses_are_found_through_the_people_file():
    filled = fill(SAMPLE, [score("bo", 12)], emails={"bo": "bo@example.org"})
    assert cells(filled.text)[4][6] == "12"


def test_another_name_in_canvas_is_given():
    filled = fill(
        SAMPLE.replace("Training (4712)", "Homework 3 (4712)"), [score("ada", 5)], columns={"training": "homework 3"}
    )
    assert cells(filled.text)[3][6] == "5"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "does not begin with Student"),
        ("name,points\nada,3\n", "In Canvas open Grades and choose Export"),
        ("Student,Points\nada,3\n", "must have Student, ID and SIS Login ID"),
        ("Student,ID,Training (1)\nada,3,\n", "no row Points Possible"),
        (SAMPLE.replace("Training (4712)", "Homework (4712)"), "--column 'training=NAME'"),
        (SAMPLE.replace("Essay (4713)", "Training (4713)"), "more than one column"),
        (SAMPLE.replace("20.00", "10.00"), "set the points of the assignment in Canvas"),
        (SAMPLE.replace("20.00", "many"), "not a number"),
        (SAMPLE + '"Broken, Quote,1,2,3\r\n', "the quotes in line 8 do not close"),
    ],
)
def test_what_cannot_be_filled_is_refused_with_the_fix(text, said):
    with pytest.raises(NotCanvas, match=said.replace("(", r"\(")):
        fill(text, [score("ada", 5)])
