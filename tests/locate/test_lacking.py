"""What a function lacks, or has the other way round: a loop, an axis, an argument, the other end of a list."""

import ast
from types import SimpleNamespace

import numpy as np
import pytest

from autograder.sandbox.inside.repair import done
from autograder.sandbox.inside.repair.instrument import Instrument

RIGHT = """
def learn(line, X, Y, order):
    for k in order:
        line.look(X[:, [k]])
        line.step(X[:, [k]], Y[:, [k]])

def halves(X):
    found = []
    for _ in range(4):
        X = X / 2
        found.insert(0, X)
    return found

def powers(X):
    return [X, X**2, X**3]

def ends(X):
    values = [float(one) for one in np.cumsum(X[0])]
    return values[-1], len(values)

class Scaled:
    factor = 1.0

    def keep(self, factor):
        self.factor = factor

    def times(self, X):
        return self.factor * X

class Twice(Scaled):
    def times(self, X):
        return 2 * super().times(X)

    def both(self, X):
        return self.times(X) + X
"""

FUNCTIONS = ("learn", "halves", "powers", "ends", "Scaled", "Twice")


class Line:
    """A stand-in for a network: it has to look at an example before it can make a step with it."""

    def __init__(self, w):
        self.w, self.error = w.copy(), None

    def look(self, X):
        self.error = self.w @ X

    def step(self, X, Y):
        self.w = self.w - 0.1 * (self.error - Y) @ X.T


def asked(student, given):
    last, count = student.ends(given["X"])
    scaled, twice = student.Scaled(), student.Twice()
    scaled.keep(float(given["w"][0, 0]))
    found = {"halves": student.halves(given["X"]), "powers": student.powers(given["X"])}
    yield found | {"last": last, "count": count, "scaled": scaled.times(given["X"]), "both": twice.both(given["X"])}
    line = Line(given["w"])
    student.learn(line, given["X"], given["Y"], [int(one) for one in given["order"]])
    yield {"w": line.w}


def run(source, task="repair", exact=None):
    instrument = Instrument({0})
    instrument.cell = 0
    names = {"np": np, "__name__": "cells"}
    exec(compile(instrument.visit_Module(ast.parse(source)), "<cell 0>", "exec"), names)
    stream = np.random.default_rng(3)
    shapes = {"w": (2, 3), "X": (3, 5), "Y": (2, 5)}
    points = [{name: stream.standard_normal(shape) for name, shape in shapes.items()} for _ in range(3)]
    points = [{**one, "order": stream.permutation(5)[:3]} for one in points]
    given = {"points": points, "exact": exact, "table": [[np.array(0.0)] * 3], "levels": [0.02], "wholes": [0]}
    given |= {"named": [True], "formulas": [""], "rtol": 1e-7, "shown": -1, "seconds": 60.0}
    given |= {"rows": [], "in_calls": [], "handed": []}
    return done(
        task, instrument, names, lambda now, read: (read.update(FUNCTIONS), SimpleNamespace(**now))[1], asked, given
    )


@pytest.fixture(scope="module")
def exact():
    return run(RIGHT, "record")["answers"]


LOOP = RIGHT[RIGHT.index("    for k in order") : RIGHT.index("\ndef halves")]


def at_once(columns):
    return f"    line.look(X{columns})\n    line.step(X{columns}, Y{columns})\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "code", "kind"),
    [
        (LOOP, LOOP.replace("[k]", "k"), "X[:, k]", "kept axis"),
        (LOOP, at_once(""), "line.look(X)", "each order"),
        (LOOP, at_once("[:, order]"), "line.look(X[:, order])", "each order"),
        ("found.insert(0, X)", "found.append(X)", "found.append(X)", "at the beginning"),
        ("[X, X**2, X**3]", "[X**3, X**2, X]", "[X**3, X**2, X]", "backwards"),
        ("values[-1], len", "values, len", "values", "entry values[-1]"),
        ("self.factor = factor", "factor = self.factor", "factor = self.factor", "turned"),
        ("return self.times(X) + X", "return super().times(X) + X", "super().times(X)", "name self"),
    ],
    ids=["an axis", "all examples", "all of the order", "the other end", "backwards", "all for one", "turned", "super"],
)
def test_what_a_function_lacks(old, new, code, kind, exact):
    assert RIGHT.count(old) == 1
    source = RIGHT.replace(old, new)
    found, lines = run(source, exact=exact)["found"], source.split("\n")
    told = [(lines[one["line"] - 1][one["col"] : one["end_col"]].strip(), one["kind"]) for one in found]
    assert told[:1] == [(code, kind)]


def test_right_code_lacks_nothing(exact):
    assert run(RIGHT, exact=exact)["found"] == []
