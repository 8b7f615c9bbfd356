"""The pages of an oral check: questions on one sheet of paper, answers on the other, and the examiner's table."""

import csv
import io
import re

import numpy as np
import pytest
from page_kit import ATTACKS

from autograder.views.viva import Asked, Sheet, page, table

NUDGE = Asked(
    "nudge", 3, "tanh_swap", "`b2` grows by 0.1. By about how much does the loss change?", "About 0.01, so up.",
    own="Their own `db2` is 2.", tables=(("A2", np.array([[0.25, 1 / 3]])), ("b2", np.array([[-0.5]]))),
    check={"change": 0.98765},
)  # fmt: skip
LINE = Asked(
    "line", 1, "tanh_swap", "What is the shape?", "3 × 4.", code=((6, "    m = 3", False), (7, "    dZ = a < b", True))
)
SHEET = Sheet("ada", "training", 7, 3, (NUDGE, LINE), "There is not enough work here for more questions.")


@pytest.mark.slow  # it loads the exercises
def test_the_page_is_what_it_was(golden):
    golden("viva.html", re.sub("<style>.*?</style>\n", "", page(SHEET), flags=re.DOTALL))


def test_what_is_only_for_checks_is_not_printed():
    assert "0.98765" not in page(SHEET)
    assert "0.3333" in page(SHEET)


def test_everything_a_student_chose_is_escaped_and_nothing_is_loaded():
    for attack in ATTACKS:
        shown = page(
            Sheet(attack, "training", 7, 1, (Asked("line", 1, "tanh_swap", attack, attack, code=((1, attack, True),)),))
        )
        assert 'Content-Security-Policy" content="default-src &#39;none&#39;' in shown
        for tag in ("<script", "<img", "<svg", "<iframe", "<form", "<link", '<a href="java', "<math"):
            assert tag not in shown


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_the_table_keeps_what_the_examiner_noted():
    blank = table([SHEET])
    assert [(row["student"], row["number"], row["result"]) for row in rows(blank)] == [
        ("ada", "1", ""),
        ("ada", "2", ""),
    ]
    noted = blank.replace('"About 0.01, so up.",,', '"About 0.01, so up.",right,with a hint')
    assert noted != blank
    assert rows(table([SHEET], noted))[0]["note"] == "with a hint"
    bo = Sheet("bo", "training", 8, 1, (LINE,))
    both = rows(table([bo], noted))
    assert [(row["student"], row["note"]) for row in both] == [("ada", "with a hint"), ("ada", ""), ("bo", "")]
    with pytest.raises(ValueError, match="1 results are noted for other questions"):
        table([Sheet("ada", "training", 8, 3, (LINE,))], noted)


def test_a_name_is_no_formula_in_a_spreadsheet():
    (row,) = rows(table([Sheet("=cmd()", "training", 7, 1, (LINE,))]))
    assert row["student"] == "'=cmd()"
