"""A checker that is asked many times: its numbers and conditions are mended call by call."""

import ast
import zlib
from types import SimpleNamespace

import numpy as np
import pytest

from autograder.sandbox.inside.repair import done
from autograder.sandbox.inside.repair.in_calls import verdicts
from autograder.sandbox.inside.repair.instrument import Instrument

RIGHT = """
def is_right(slopes, claimed):
    for due, one in zip(slopes, claimed):
        slack = 1e-3 * abs(due)
        if abs(due - one) > slack:
            return False
    return True
"""


def asked(student, given):
    """Verdicts on forty lists of slopes; lists of different lengths are no array."""
    lists = [
        (one[: 2 + n % 2], other[: 2 + n % 2]) for n, (one, other) in enumerate(zip(given["due"], given["claimed"]))
    ]
    return {"verdicts": [student.is_right(list(due), list(claimed)) for due, claimed in lists]}


def points():
    stream = np.random.default_rng(11)
    found = []
    for _ in range(3):
        due = stream.uniform(1, 2, (40, 3)) * 10.0 ** stream.integers(-6, 1, (40, 1))
        factor = np.where(stream.random((40, 3)) < 0.2, stream.choice([0.9, 1.1, -1.0], (40, 3)), 1.0)
        found.append({"due": due, "claimed": due * factor})
    return found


def run(source, task="repair", known=None):
    instrument = Instrument({0})
    instrument.cell = 0
    names = {"np": np}
    exec(compile(instrument.visit_Module(ast.parse(source)), "<cell 0>", "exec"), names)
    given = {"points": points(), "rtol": 1e-7, "shown": -1, "seconds": 60.0}
    if known is not None:
        table = [one["values"] for one in known["quantities"]]
        given |= {"exact": known["answers"], "table": table, "levels": [2.0] * len(table)}
        given |= {"wholes": [0] * len(table), "named": [False] * len(table), "formulas": [""] * len(table)}
        given |= {way: [hashed(one) for one in known[way]] for way in ("rows", "in_calls", "handed")}

    class Read(SimpleNamespace):
        def __getattribute__(self, name):
            read.add(name)
            return super().__getattribute__(name)

    read = set()

    def student(now, names_read):
        nonlocal read
        read = names_read
        return Read(**now)

    return done(task, instrument, names, student, asked, given)


def hashed(one):
    ways = [way for way in ("names", "read") if way in one]
    return {**one, **{way: [zlib.crc32(name.encode()) for name in one[way]] for way in ways}}


@pytest.fixture(scope="module")
def known():
    return run(RIGHT, "record")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("1e-3 * abs(due)", "1e-3", "slack = 1e-3"),
        ("abs(due - one) > slack", "due - one > slack", "due - one > slack"),
    ],
)
def test_what_lets_wrong_ones_pass_is_found(old, new, code, known):
    lines = RIGHT.replace(old, new).split("\n")
    found = run("\n".join(lines), known=known)["found"]
    assert [lines[one["line"] - 1][one["col"] : one["end_col"]] for one in found][:1] == [code]


def test_a_condition_is_not_blamed_where_a_number_in_it_is_wrong(known):
    lines = RIGHT.replace("slack = 1e-3 * abs(due)", "gap = 0.5\n        slack = gap").split("\n")
    found = run("\n".join(lines), known=known)["found"]
    assert not any("abs(due - one)" in lines[one["line"] - 1] for one in found)


def test_the_whole_answer_of_a_checker_may_be_at_fault(known):
    lines = ["def is_right(slopes, claimed):", "    return bool(np.ptp(np.subtract(claimed, slopes)) < 1e-4)"]
    found = run("\n".join(lines), known=known)["found"]
    assert [(one["line"], one["col"]) for one in found] == [(2, lines[1].index("bool"))]


def test_a_condition_that_is_a_part_of_the_one_that_is_due_is_no_right_one():
    form = "    if len(claimed) > 2 or slopes[0] > 1e-3:\n        return False\n    for due"
    right = RIGHT.replace("    for due", form)
    lines = right.replace(" or slopes[0] > 1e-3", "").split("\n")
    found = run("\n".join(lines), known=run(right, "record"))["found"]
    assert [lines[one["line"] - 1][one["col"] : one["end_col"]] for one in found] == ["len(claimed) > 2"]
    assert run(right, known=run(right, "record"))["found"] == []


def test_a_list_of_arrays_of_several_shapes_holds_no_verdicts():
    assert verdicts([{"said": [True, False]}], 2) == [{(0, 0): True, (1, 0): False}]
    assert verdicts([{"said": [True, False], "signals": [np.zeros(2), np.zeros((3, 2))]}], 2) == []


def test_what_is_right_is_not_pointed_at(known):
    assert run(RIGHT, known=known)["found"] == []
