"""What a loop or a step carries on: the row of all visits is mended where the code first leaves what is known."""

import ast
import zlib
from types import SimpleNamespace

import numpy as np
import pytest

from autograder.sandbox.inside.repair import done
from autograder.sandbox.inside.repair.hooks import as_array
from autograder.sandbox.inside.repair.instrument import Instrument
from autograder.sandbox.inside.repair.runs import readable, same

RIGHT = """
class Net:
    def __init__(self, theta):
        self.theta = theta

    def loss(self):
        return self.theta * self.theta + np.sin(self.theta)

def step(theta, g, m, s, t):
    m = 0.9 * m + 0.1 * g
    s = 0.8 * s + 0.2 * g**2
    m_hat = m / (1 - 0.9**t)
    s_hat = s / (1 - 0.8**t)
    return theta - 0.05 * m_hat / (np.sqrt(s_hat) + 1e-4), m, s

def watched(theta, slopes):
    net, losses, order = Net(theta), [], np.random.default_rng().permutation(4)
    for k in order:
        losses.append(net.loss())
        net.theta = net.theta - 0.1 * slopes[k]
    return losses

def back(weights, slopes, dA):
    signals = []
    for W, slope in zip(weights, slopes):
        dZ = dA * slope
        signals.append(dZ)
        dA = W.T @ dZ
    return signals

def drawn(values, seed):
    order = np.random.default_rng(seed).permutation(len(values))
    return values.reshape(len(values), -1)[order]

def passed(theta):
    found = [theta]
    for _ in range(3):
        d = np.tanh(theta)
        theta = theta + d
        found.append(theta)
    return found

def sizes(values):
    every = np.array([np.sum(one**2) for one in values])
    return every / every[-1]

def factor(values):
    return sizes(values)[0]
"""

BACK = "        dZ = dA * slope\n        signals.append(dZ)\n        dA = W.T @ dZ\n"


def asked(student, given):
    theta, m, s = given["theta"], np.zeros_like(given["theta"]), np.zeros_like(given["theta"])
    found = {"theta": [], "m": [], "s": []}
    for t, g in enumerate(given["g"], 1):
        theta, m, s = student.step(theta, g, m, s, t)
        for name, value in (("theta", theta), ("m", m), ("s", s)):
            found[name].append(value.copy())
    found["losses"] = student.watched(given["theta"], given["g"])
    v, g = given["theta"].ravel()[:3], given["g"].ravel()
    found["signals"] = student.back([np.outer(v + k, v - k) for k in range(3)], [g[k : k + 3] for k in range(3)], v)
    found["drawn"], again = student.drawn(given["g"], 3), student.drawn(given["g"], 3)
    found["passed"] = student.passed(given["theta"])
    found["sizes"], found["factor"] = student.sizes(given["g"]), student.factor(given["g"])
    found["same"] = bool(np.array_equal(found["drawn"], again))
    return found


def points():
    """Arrays of another shape at every point: a list of them has one shape here, and another one there."""
    stream = np.random.default_rng(3)
    shapes = ((2, 3), (4,), (3, 2))
    return [{"theta": stream.standard_normal(one), "g": stream.standard_normal((5, *one))} for one in shapes]


def run(source, task="repair", known=None, seconds=60.0):
    instrument = Instrument({0})
    instrument.cell = 0
    names = {"np": np}
    exec(compile(instrument.visit_Module(ast.parse(source)), "<cell 0>", "exec"), names)
    given = {"points": points(), "rtol": 1e-7, "shown": -1, "seconds": seconds}
    if known is not None:
        table = [one["values"] for one in known["quantities"]]
        given |= {"exact": known["answers"], "table": table, "levels": [1.0] * len(table)}
        given |= {"wholes": [zlib.crc32(one["whole"].encode()) for one in known["quantities"]]}
        given |= {"named": [False] * len(table), "formulas": [""] * len(table)}
        given |= {name: hashed(known[name]) for name in ("rows", "handed")}
        given["in_calls"] = [
            {**one, "names": [zlib.crc32(name.encode()) for name in one["names"]]} for one in known["in_calls"]
        ]

    def student(now, read):
        read.update(("sizes", "factor"))
        return SimpleNamespace(**now)

    return done(task, instrument, names, student, asked, given)


def hashed(rows):
    ways = ("names", "read")
    return [{**one, **{way: [zlib.crc32(name.encode()) for name in one[way]] for way in ways}} for one in rows]


@pytest.fixture(scope="module")
def known():
    return run(RIGHT, "record")


def pointed(source, known, **settings):
    lines = source.split("\n")
    for one in run(source, known=known, **settings)["found"]:
        yield lines[one["line"] - 1][one["col"] : one["end_col"]].strip()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "codes"),
    [
        ("0.8 * s + 0.2 * g**2", "0.2 * g**2", ["0.2 * g**2"]),
        ("np.sqrt(s_hat) + 1e-4", "np.sqrt(s_hat + 1e-4)", ["np.sqrt(s_hat + 1e-4)"]),
        ("m_hat = m / (1 - 0.9**t)", "m_hat = m", ["m_hat = m"]),
        ("theta = theta + d", "theta = d", ["theta = d"]),
        ("return every / every[-1]", "return every", ["return every"]),
        ("0.05 * m_hat", "0.05 * np.tanh(m_hat)", ["np.tanh(m_hat)"]),
        (BACK, "        signals.append(dA * slope)\n        dA = W.T @ dA\n", ["W.T @ dA"]),
        ("np.random.default_rng(seed).permutation(len(values))", "np.arange(len(values))", ["np.arange(len(values))"]),
    ],
)
def test_what_is_carried_on_is_mended_at_every_step(old, new, codes, known):
    assert RIGHT.count(old) == 1
    assert list(pointed(RIGHT.replace(old, new), known))[:1] == codes


@pytest.mark.slow
def test_of_two_slips_each_of_which_hides_the_other_both_are_found(known):
    source = RIGHT.replace("m_hat = m / (1 - 0.9**t)", "m_hat = np.tanh(m)")
    source = source.replace("s_hat = s / (1 - 0.8**t)", "s_hat = np.tanh(s)")
    assert list(pointed(source, known)) == ["np.tanh(m)", "np.tanh(s)"]


@pytest.mark.slow
def test_a_generator_without_a_seed_draws_the_same(known):
    assert run(RIGHT, known=known)["runs"] > 1
    assert list(pointed(RIGHT, known)) == []
    assert list(pointed(RIGHT.replace("0.1 * slopes[k]", "0.2 * slopes[k]"), known))


def test_with_its_time_spent_a_search_ends_with_what_it_has(known):
    found = run(RIGHT.replace("0.1 * g\n", "g\n"), known=known, seconds=0.0)
    assert found["found"] == []
    assert found["runs"] < 40


def test_lists_in_lists_in_lists_are_no_array():
    """A change can make a list that holds itself, into which numpy goes for seconds or for ever."""
    assert as_array([[[[[1.0]]]]]) is None
    assert as_array([[[1.0, 2.0]]]).shape == (1, 1, 2)


def test_of_a_large_array_entries_of_all_parts_are_compared():
    large = np.arange(20_000.0).reshape(100, 200)
    some = readable([large, large + 1])
    assert all(one.size < 5_000 for one in some)
    assert not same(readable([large.reshape(200, 100)] * 2), some)
    assert not same(readable([large, large]), some)
