"""Numbers that are worked out in cells: a statement alone says what is worth a whole run, and the same is found."""

import ast
from types import SimpleNamespace

import numpy as np
import pytest

from autograder.sandbox.inside.repair import alone, done
from autograder.sandbox.inside.repair.instrument import Instrument
from autograder.sandbox.inside.repair.runs import Runs

BY_HAND = """
def sigma(z):
    return 1 / (1 + math.exp(-z))

y = 0.8
z1 = [0.5 * 1 + 0.3 * 2 + 0.1, 0.2 * 1 + 0.8 * 2 + 0.4]
a1 = [sigma(z1[0]), sigma(z1[1])]
z2 = 0.9 * a1[0] + 0.7 * a1[1] + 0.2
a2 = sigma(z2)
loss = (a2 - y) ** 2
dz2 = 2 * (a2 - y) * a2 * (1 - a2)
dW2, db2 = [dz2 * a for a in a1], dz2
"""

NAMES = ("z1", "a1", "z2", "a2", "loss", "dz2", "dW2", "db2")

NUMBERS = [1.0, 2.0, 0.5, 0.3, 0.2, 0.8, 0.1, 0.4, 0.9, 0.7] + [0.01 * n + 0.003 for n in range(90)]


def values(student, given):
    return {name: getattr(student, name, None) for name in NAMES}


def run(source, task="repair", exact=None):
    import math

    instrument = Instrument({0})
    instrument.cell = 0
    names = {"np": np, "math": math}
    exec(compile(instrument.visit_Module(ast.parse(source)), "<cell 0>", "exec"), names)
    count = len(NUMBERS)
    given = {
        "points": [{}], "exact": exact, "table": [[np.array(one)] for one in NUMBERS], "levels": [0.02] * count,
        "wholes": [0] * count, "named": [True] * count, "formulas": [""] * count, "rows": [], "in_calls": [],
        "handed": [], "rtol": 1e-7, "shown": 0, "seconds": 60.0,
    }  # fmt: skip

    def student(now, read):
        read.update(NAMES)
        return SimpleNamespace(**now)

    return done(task, instrument, names, student, values, given)


@pytest.fixture(scope="module")
def exact():
    return run(BY_HAND, "record")["answers"]


def counted(monkeypatch):
    """How many whole runs are made."""
    made, before = [], Runs.run

    def counting(self, *arguments, **options):
        made.append(0)
        return before(self, *arguments, **options)

    monkeypatch.setattr(Runs, "run", counting)
    return made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2 * (a2 - y) * a2", "(a2 - y) * a2"),
        ("0.5 * 1 + 0.3 * 2", "0.5 * 1 + 0.2 * 2"),
        ("0.7 * a1[1] + 0.2", "0.7 * a1[1] - 0.2"),
        ("[dz2 * a for a in a1], dz2", "[-dz2 * a for a in a1], dz2"),
    ],
)
def test_a_statement_alone_spares_whole_runs_and_finds_the_same(old, new, exact, monkeypatch):
    assert BY_HAND.count(old) == 1
    made, source = counted(monkeypatch), BY_HAND.replace(old, new)
    found, few = run(source, exact=exact)["found"], len(made)
    monkeypatch.setattr(alone.Alone, "of", lambda self, expressions: None)
    assert found
    assert run(source, exact=exact)["found"] == found
    assert few + 50 < len(made) - few


@pytest.mark.parametrize(
    ("statement", "is_one"),
    [
        ("z2 = 0.9 * sigma(0.5) + np.exp(0.1)", True),
        ("z2, a2 = sigma(0.1), 0.2", True),
        ("z2 = kept.pop()", False),
        ("z2 = counts(0.5)", False),
        ("z2 = np.random.uniform()", False),
        ("z2 = 0.5\nz2 = 2 * z2", False),
        ("z2 = [0.5]\nz2[0] = 0.7", False),
        ("z2 = 0.5\nz2 += 0.1", False),
        ("other = 0.5", False),
        ("for z2 in (1, 2): pass", False),
    ],
)
def test_only_what_works_out_an_asked_value_and_does_nothing_else_is_run_alone(statement, is_one):
    before = "def sigma(z): return 1 / (1 + z)\ndef counts(z):\n    kept.append(z)\n    return z\nkept = [1.0] * 9\n"
    instrument = Instrument({0})
    instrument.cell = 0
    names = {"np": np}
    exec(compile(instrument.visit_Module(ast.parse(before + statement)), "<cell 0>", "exec"), names)
    runs = Runs(instrument, names, lambda now, _: {name: now.get(name) for name in NAMES}, [{}], again=True)
    found = alone.Alone(runs, instrument.trees, instrument.name)
    found.look([0], [{}], [runs.run(0, {})])
    assert bool(found.by_expression) == is_one
