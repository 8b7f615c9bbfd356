"""Not what uses a wrong value, stands beside a slip, or is what a wrongly chosen branch gives: the slip itself."""

import ast
from types import SimpleNamespace

import numpy as np
import pytest

from autograder.locate.locate import asked_of
from autograder.locate.quantities import quantities
from autograder.sandbox.inside.repair import done
from autograder.sandbox.inside.repair.instrument import Instrument

RIGHT = """
def shares(Z):
    E = np.exp(Z - Z.max(axis=0, keepdims=True))
    return E / E.sum(axis=0, keepdims=True)

def centred(Z, axis):
    n = Z.shape[axis]
    total = Z.sum(axis=axis, keepdims=True)
    return total, Z - total / n + total**2 / n

def slope(Z):
    return (Z > 0).astype(float)

def step(net, rate):
    net.forward()
    loss = net.loss()
    net.w = net.w - rate * net.w
    return loss

def all_positive(z):
    for one in z:
        if not one > 0:
            return False
    return True
"""

COUNTED = RIGHT[RIGHT.index("    n = Z.shape") : RIGHT.index("def slope")]

SLOPE = "    return (Z > 0).astype(float)"


def asked(student, given):
    class Net:
        def __init__(self):
            self.w = given["Z"].copy()

        def forward(self):
            self.a = self.w**2

        def loss(self):
            return float(np.sum(self.w**3))

    Z, net = given["Z"], Net()
    found = {"shares": student.shares(Z), "far": student.shares(Z**2 + 2000.0 * np.arange(Z.shape[1]))}
    found["total_1"], found["centred_1"] = student.centred(Z, 1)
    found["total"], found["centred"] = student.centred(Z, 0)
    found["slope"] = student.slope(Z)
    found["returned"] = student.step(net, 0.1)
    found["w_new"] = net.w
    found["verdicts"] = [student.all_positive(list(one)) for one in (Z + 1.0)]
    return found


def points():
    stream = np.random.default_rng(4)
    return [{"Z": stream.standard_normal(shape)} for shape in ((7, 3), (6, 4), (8, 3))]


def run(source, task="repair", known=None):
    instrument = Instrument({0})
    instrument.cell = 0
    names = {"np": np}
    exec(compile(instrument.visit_Module(ast.parse(source)), "<cell 0>", "exec"), names)
    asked_for = {"points": points()} if known is None else known
    return done(task, instrument, names, lambda now, _: SimpleNamespace(**now), asked, {**asked_for, "seconds": 60.0})


@pytest.fixture(scope="module")
def known():
    found = run(RIGHT, "record")
    table = quantities(None, points(), found["quantities"], found["answers"])
    return asked_of(points(), found["answers"], table, -1, found["rows"], found["in_calls"], found["handed"])


def pointed(source, known):
    lines = source.split("\n")
    for one in run(source, known=known)["found"]:
        end = one["end_col"] if one["end_col"] >= 0 else None
        yield one["kind"], lines[one["line"] - 1][one["col"] : end].strip()


@pytest.mark.parametrize(
    ("old", "new", "kind", "code"),
    [
        (
            "    E = np.exp(Z - Z.max(axis=0, keepdims=True))",
            "    top = Z.max()\n    E = np.exp(Z - top)",
            "axis",
            "Z.max()",
        ),
        (
            COUNTED,
            COUNTED.replace("n = Z.shape[axis]", "m = Z.shape[1]").replace("/ n", "/ m"),
            "value",
            "1",
        ),
        (
            SLOPE,
            "    if np.any(Z > 0):\n        return np.ones_like(Z)\n    return np.zeros_like(Z)",
            "entries",
            "np.any(Z > 0)",
        ),
        (
            "    loss = net.loss()\n    net.w = net.w - rate * net.w\n    return loss",
            "    net.w = net.w - rate * net.w\n    net.forward()\n    return net.loss()",
            "late",
            "net.loss()",
        ),
        (
            "        if not one > 0:\n            return False\n    return True",
            "        if one > 0:\n            return True\n        else:\n            return False",
            "out of",
            "return True",
        ),
    ],
    ids=["the largest of all", "a count", "one choice for all", "after the step", "at the first entry"],
)
def test_the_slip_is_pointed_at(old, new, kind, code, known):
    assert RIGHT.count(old) == 1
    assert list(pointed(RIGHT.replace(old, new), known)) == [(kind, code)]


def test_a_choice_for_each_entry_is_right(known):
    other = "    return np.array([1.0 if one > 0 else 0.0 for one in Z.ravel()]).reshape(Z.shape)"
    assert list(pointed(RIGHT.replace(SLOPE, other), known)) == []
