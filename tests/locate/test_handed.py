"""What is handed to a call, and draws of one's own: what is claimed, and where nothing is."""

import ast
import zlib
from types import SimpleNamespace

import numpy as np
import pytest

from autograder.sandbox.inside.repair import done
from autograder.sandbox.inside.repair.instrument import Instrument

RIGHT = """
def study(network, X, Y, X_new, Y_new, rate, seed):
    start = rate / 2
    net = network(3, rng=seed)
    net.train(X, Y, start)
    return net.score(X, Y), net.score(X_new, Y_new)

def mixed(network, X, Y):
    rng = np.random.default_rng(2)
    net = network(3, rng=1)
    net.mix(X, rng.permutation(Y))
    return net.state

def drawn(n, kind, rng):
    deviation = np.sqrt((2 if kind == "b" else 1) / n)
    return deviation * rng.standard_normal((2, n))
"""


def asked(student, given):
    """Two scores of a stand-in that has learned what it was given, and two draws."""

    class Net:
        def __init__(self, size, rng):
            self.state = size + rng

        def train(self, X, Y, rate):
            self.state = self.state + rate * np.sum(X) * np.mean(Y)

        def mix(self, X, Y):
            self.state = self.state + np.sum(X * Y)

        def score(self, X, Y):
            return float(np.sum(X * Y) + self.state)

    arrays = [given[name] for name in ("X", "Y", "X_new", "Y_new")]
    found = dict(zip(("old", "new"), student.study(Net, *arrays, 0.3, 7)))
    found["mixed"] = student.mixed(Net, given["X"], given["Y"])
    rng = np.random.default_rng(1)
    return found | {kind: student.drawn(4, kind, rng) for kind in ("a", "b")}


def run(source, task="repair", known=None):
    instrument = Instrument({0})
    instrument.cell = 0
    names = {"np": np}
    exec(compile(instrument.visit_Module(ast.parse(source)), "<cell 0>", "exec"), names)
    stream = np.random.default_rng(5)
    points = [{name: stream.standard_normal(4) for name in ("X", "Y", "X_new", "Y_new")} for _ in range(3)]
    given = {"points": points, "rtol": 1e-7, "shown": -1, "seconds": 60.0}
    if known is not None:
        table = [one["values"] for one in known["quantities"]] + [
            [one[name] for one in known["answers"]] for name in ("a", "b")
        ]
        given |= {"exact": known["answers"], "table": table, "levels": [2.0] * len(table)}
        given |= {"wholes": [zlib.crc32(one["whole"].encode()) for one in known["quantities"]] + [0, 0]}
        given |= {"named": [True] * len(table), "formulas": [""] * len(table), "in_calls": []}
        given |= {name: [_hashed(one) for one in known[name]] for name in ("rows", "handed")}
    read = {"study", "mixed", "drawn"}
    return done(task, instrument, names, lambda now, names_read: (names_read.update(read), _Of(now))[1], asked, given)


class _Of(SimpleNamespace):
    def __init__(self, now):
        super().__init__(**now)


def _hashed(row):
    return {**row, **{way: [zlib.crc32(name.encode()) for name in row[way]] for way in ("names", "read")}}


@pytest.fixture(scope="module")
def known():
    return run(RIGHT, "record")


def pointed(source, known):
    lines = source.split("\n")
    for one in run(source, known=known)["found"]:
        yield one["kind"].split()[0], lines[one["line"] - 1][one["col"] : one["end_col"]].strip()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("net.train(X, Y, start)", "net.train(X_new, Y, start)", ("handed", "net.train(X_new, Y, start)")),
        ("net.train(X, Y, start)", "net.train(X_new, Y_new, start)", ("handed", "net.train(X_new, Y_new, start)")),
        ("net.score(X_new, Y_new)", "net.score(X, Y)", ("handed", "net.score(X, Y)")),
        ("rng=seed", "rng=1", ("argument", "1")),
        ("((2, n))", "((1, n))", ("handed", "rng.standard_normal((1, n))")),
        ("    net.train(X, Y, start)\n", "", ("calls", "def study(network, X, Y, X_new, Y_new, rate, seed)")),
        ("mix(X, rng.permutation(Y))", "mix(rng.permutation(X), Y)", ("value", "rng.permutation(X)")),
    ],
)
def test_a_call_is_handed_something_else(old, new, place, known):
    assert RIGHT.count(old) == 1
    assert place in pointed(RIGHT.replace(old, new), known)


@pytest.mark.slow
def test_of_a_name_that_holds_what_was_worked_out_nothing_is_said_where_it_is_handed_on(known):
    found = list(pointed(RIGHT.replace("rate / 2", "rate / 3"), known))
    assert not [one for one in found if "train" in one[1]]


@pytest.mark.slow
def test_a_draw_of_ones_own_hides_whether_its_number_is_right(known):
    own = "np.sqrt(3) * rng.uniform(-s, s, (2, n))"
    source = RIGHT.replace("deviation * rng.standard_normal((2, n))", own).replace("deviation =", "s =")
    assert not list(pointed(source.replace('(2 if kind == "b" else 1) / n', "1 / n"), known))
