"""The search for slips in this process, beside numpy alone: what it points at in one function."""

import ast
from types import SimpleNamespace

import numpy as np

from autograder.sandbox.inside.repair import done
from autograder.sandbox.inside.repair.instrument import Instrument

POINTS = [{"X": np.random.default_rng(seed).standard_normal((2, 3))} for seed in (4, 5, 6)]


def _asked(name):
    def question(student, given):
        found = getattr(student, name)(given["X"].copy())
        return {name: getattr(found, name, found)}

    return question


def run(source, name, task="repair", exact=None, trusted=(), table=(), read=(), named=False):
    """What a task gives for the function of this name; ``table`` has levels, and quantities as functions of X."""
    instrument = Instrument({0})
    instrument.cell = 0
    names = {"np": np}
    exec(compile(instrument.visit_Module(ast.parse(source)), "<cell 0>", "exec"), names)
    given = {
        "points": POINTS,
        "exact": exact, "table": [[one(X["X"]) for X in POINTS] for _, one in table],
        "levels": [level for level, _ in table], "wholes": [0] * len(table), "named": [named] * len(table),
        "formulas": [""] * len(table), "rows": [], "in_calls": [], "handed": [],
        "rtol": 1e-7, "shown": 2, "seconds": 60.0, "trusted": trusted,
    }  # fmt: skip

    def student(now, names_read):
        names_read.update(read)
        return SimpleNamespace(**now)

    return done(task, instrument, names, student, _asked(name), given)


def pointed(right, name, source, **options):
    """The pieces of a source that are pointed at, each with the kind of its repair."""
    exact = run(right, name, "record")["answers"]
    lines = source.split("\n")
    for one in run(source, name, exact=exact, **options)["found"]:
        line = lines[one["line"] - 1]
        yield line[one["col"] : one["end_col"] if one["end_col"] >= 0 else None].strip(), one["kind"]
