"""HTML of a student's that would keep the makers of pages busy for hours."""

import time

import pytest

from autograder.bridge.safe_pages import safe_html
from autograder.views.nesting import MAX_DEPTH, TOO_DEEP, is_too_deep
from autograder.views.prose import clean

CLEANERS = pytest.mark.parametrize("cleaner", [safe_html, clean], ids=["formgrader", "feedback"])
DEEP = {
    "divisions": "<div>",
    "emphasis": "<b>x",
    "capitals": "<DIV\n>",
    "ends that end nothing": "<svg><desc><div></svg></desc></div>",
    "unknown elements": "<a-b></a-b>",
    "ends of others": "<div></b></span>",
    "tables": "<table><tr><td>",
    "lists": "<ul><li>",
}


@pytest.mark.slow
@CLEANERS
@pytest.mark.parametrize("part", DEEP.values(), ids=DEEP)
def test_what_is_nested_too_deep_is_left_out_at_once_and_said(cleaner, part):
    began = time.process_time()
    assert TOO_DEEP in cleaner(part * 100_000)
    assert time.process_time() - began < 60


@CLEANERS
def test_a_long_table_is_no_deep_one(cleaner):
    row = "<tr><td>1<td><b>2</b></td><td><img src=x><br><p>3</tr>"
    assert cleaner(f"<div><table>{row * 2000}</table></div>").count("<b>2</b>") == 2000


def test_as_deep_as_allowed_is_allowed():
    assert not is_too_deep("<div>" * MAX_DEPTH + "</div>" * MAX_DEPTH)
    assert is_too_deep("<div>" * (MAX_DEPTH + 1))
    assert not is_too_deep("<div></div>" * 10 * MAX_DEPTH)
