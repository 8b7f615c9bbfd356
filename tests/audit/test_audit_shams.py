"""Hollow and deaf notebooks are what they say, and what they earn is reported."""

from dataclasses import replace

import nbformat
import numpy as np
import pytest

from autograder.audit import run
from autograder.audit.calls import first_calls
from autograder.audit.run import Extremes, audit
from autograder.audit.shams import FILLS, Call, Function, Sham, functions, shams
from autograder.audit.variants import Variant, Variants, wrong
from autograder.exercises import load
from autograder.marking import QuestionMark
from autograder.marking.marks import LineMark

STUB = """
class Net(Given):
    def __init__(self):
        self.W1 = np.ones((1, 2))

    def forward_pass(self, X):
        raise NotImplementedError()

    def backward_pass(self, X, Y):
        raise NotImplementedError()

def report(network, X, rate=1.0):
    raise NotImplementedError()
"""
SOLVED = """
class Given:
    pass

class Net(Given):
    def __init__(self):
        self.W1 = np.array([[2.0, 3.0]])

    def forward_pass(self, X):
        self.Z1 = self.W1 @ X
        self.A1 = self.Z1
        return self.A1

    def backward_pass(self, X, Y):
        self.dW1 = (self.A1 - Y) @ X.T

def report(network, X, rate=1.0):
    network.forward_pass(X)
    return {"loss": float(network.A1.sum()), "rate": rate, "word": "good"}

answer = 4.5
"""
X, Y = np.array([[1.0, 2.0, 4.0], [0.5, -1.0, 2.0]]), np.array([[7.0, 8.0, 9.0]])
CALLS = {
    "Net.forward_pass": Call({"X": "np.array([[9.0]])"}, {"A1": "np.array([[5.0]])"}, shown=True),
    "report": Call({"rate": "0.25"}, {"report": "{'loss': 6.0, 'word': 'good'}"}, calls=True),
}
EVERY = functions({"cell": STUB}, {"cell": SOLVED})
STANDING = {one.variant.id: one for one in shams(EVERY, {"cell": SOLVED}, CALLS)}


def ran(name):
    names = {"np": np}
    exec(STANDING[name].variant.apply({"cell": SOLVED})["cell"], names)
    return names


def test_only_what_the_stub_leaves_open_is_made_hollow():
    names = ["Net.forward_pass", "Net.backward_pass", "report"]
    arguments = [("X",), ("X", "Y"), ("network", "X", "rate")]
    assert [one.name for one in EVERY] == names
    assert [one.arguments for one in EVERY] == arguments


@pytest.mark.parametrize("fill", sorted(set(FILLS) - {"frames"}))
def test_a_hollow_network_has_the_shapes_and_not_the_numbers(fill):
    net = ran(f"hollow, {fill}")["Net"]()
    returned = net.forward_pass(X)
    net.backward_pass(X, Y)
    assert returned.shape == (1, 3)
    assert not np.allclose(returned, [[3.5, 1.0, 14.0]])
    assert net.W1.tolist() == [[2.0, 3.0]]
    if fill != "input":  # which stores nothing
        assert net.dW1.shape == (1, 2)
        assert not np.allclose(net.dW1, (np.array([[3.5, 1.0, 14.0]]) - Y) @ X.T)


def test_saturated_units_overwrite_what_the_forward_pass_stored():
    net = ran("hollow backward pass, matched")["Net"]()
    assert net.forward_pass(X).tolist() == [[3.5, 1.0, 14.0]]
    net.backward_pass(X, Y)
    assert net.A1.tolist() == Y.tolist()
    assert np.all(net.Z1 == 1000)
    assert np.all(net.dW1 == 1e-12)


def test_a_function_that_is_given_a_network_does_not_call_it():
    names = ran("hollow, halves")
    net = names["Net"]()
    assert names["report"](net, X) == {"loss": 0.5, "word": ""}
    assert not hasattr(net, "Z1")
    assert names["answer"] == 0.5


def test_what_lies_in_a_callers_frame_is_found():
    def probe(given):
        return ran("hollow, frames")["Net"]().forward_pass(X)

    assert probe({"right": np.array([[3.5, 1.0, 14.0]])}).tolist() == [[3.5, 1.0, 14.0]]
    assert probe({"right": np.array([[3.5, 1.0, 15.0]])}).tolist() == [[0.0, 0.0, 0.0]]


def test_the_shown_example_is_copied_whatever_is_asked():
    net = ran("copies the shown example")["Net"]()
    net.forward_pass(X)
    assert net.A1.tolist() == [[5.0]]


def test_functions_that_are_left_open_raise_and_the_others_work():
    left_open = STANDING["hollow class, ones"].left_open
    names = {"np": np}
    exec(left_open.cells["cell"], names)
    with pytest.raises(NotImplementedError):
        names["Net"]().forward_pass(X)
    assert names["report"](Net_like(), X)["loss"] == 3.0


class Net_like:
    """Another network, which works."""

    A1 = np.ones(3)

    def forward_pass(self, X):
        return self.A1


def test_a_deaf_function_keeps_the_value_of_its_first_call():
    assert ran("report ignores rate")["report"](Net_like(), X, rate=0.75)["rate"] == 0.25
    returned = ran("Net.forward_pass ignores X")["Net"]().forward_pass(X)
    assert returned.tolist() == [[45.0, 45.0, 45.0]]  # its one entry, in the shape of what was given


def test_first_calls_are_written_down(root):
    exercise = load("relu_derivative")
    notebook = nbformat.read(root / "source/foundations/relu_derivative.ipynb", as_version=4)
    which = [Function("signal", "hidden_error", ("W2", "dZ2", "Z1"))]
    (call,) = first_calls(notebook, exercise, root, 1, which).values()
    assert set(call.arguments) == {"W2", "dZ2", "Z1"}
    assert eval(call.values["hidden_error"], {"np": np}).shape == eval(call.arguments["Z1"], {"np": np}).shape
    assert not call.calls


def marks(**points):
    """Marks of two questions, three lines each, four points a line where nothing else is said."""
    found = {}
    for question in ("a", "b"):
        lines = tuple(LineMark(f"l{i}", "", points.get(f"{question}{i}", 4.0), 4.0, "wrong") for i in (1, 2, 3))
        found[question] = QuestionMark(question, "", sum(line.points for line in lines), 12.0, "wrong", lines=lines)
    return found


SLIP = wrong("slip", "", edits={"cell": [("a", "b")]}, loses={})


@pytest.mark.parametrize(
    ("lost", "told"),
    [
        ({"a1": 0.0}, ""),
        ({"a1": 2.0, "a2": 2.0}, ""),
        ({"a1": 0.0, "a2": 3.0}, "costs a.l1, a.l2;"),
        ({"a1": 0.0, "b1": 0.0}, "costs a.l1, b.l1;"),
        ({"a1": 0.0, "b1": 0.0, "b2": 0.0}, "costs a.l1, b.l1, b.l2;"),
    ],
)
def test_a_single_slip_costs_one_line_or_a_third(lost, told):
    extremes = Extremes("x", 24.0)
    found = "".join(run._slip(SLIP, marks(**lost), Variants((), ()), extremes))
    assert told in found
    assert bool(told) == bool(found)
    assert extremes.lost == sum(4.0 - points for points in lost.values())


@pytest.mark.parametrize(
    ("variant", "allowed", "lost"),
    [
        (replace(SLIP, edits={"cell": [("a", "b"), ("c", "d")]}), {}, 0),
        (replace(SLIP, cells={"cell": "pass"}), {}, 0),
        (SLIP, {"slip": "nothing is written at all"}, 0),
        (SLIP, {"slip": "open: the second line should follow"}, 12),
    ],
)
def test_what_is_no_single_slip_may_cost_more(variant, allowed, lost):
    extremes = Extremes("x", 24.0)
    assert not list(run._slip(variant, marks(a1=0.0, a2=0.0, a3=0.0), Variants((), (), allowed), extremes))
    assert extremes.lost == lost


def test_a_sham_earns_what_its_honest_functions_earn():
    sham, extremes = Sham(Variant("sham", ""), Variant("open", "")), Extremes("x", 24.0)
    nothing = dict.fromkeys(("a1", "a2", "a3", "b1", "b2", "b3"), 0.0)
    marked = {"sham": marks(**nothing | {"a1": 4.0, "b1": 1.5}), "open": marks(**nothing | {"a1": 4.0})}
    (told,) = run._unearned(sham, marked, Variants((), ()), extremes)
    assert told == "earns 1.5 points that nobody worked for: b.l1 1.5"
    assert (extremes.earned, extremes.earned_by) == (1.5, "sham")
    assert not list(run._unearned(sham, marked, Variants((), (), {"b.l1": "one of two guesses is right"}), extremes))


def test_an_ignored_argument_must_cost_something():
    sham, extremes = Sham(Variant("f ignores a", ""), deaf=True), Extremes("x", 24.0)
    assert list(run._unearned(sham, {"f ignores a": marks()}, Variants((), ()), extremes))
    assert not list(run._unearned(sham, {"f ignores a": marks(a1=3.0)}, Variants((), ()), extremes))
    assert not list(run._unearned(sham, {"f ignores a": marks()}, Variants((), (), {"f ignores a": ""}), extremes))


def test_a_grader_that_pays_for_anything_pays_shams(root):
    def generous(notebook, exercise):
        return tuple(
            QuestionMark(
                question.id,
                "",
                question.points,
                question.points,
                "correct",
                lines=tuple(LineMark(line.name, "", line.points, line.points, "correct") for line in question.lines),
            )
            for question in exercise.questions
        )

    report = audit(load("relu_derivative"), root, generous)
    assert report.extremes[0].earned == report.extremes[0].points == 14
    told = "\n".join(report.failures)
    assert "hollow, zeros: earns 14 points that nobody worked for" in told
    assert "relu ignores Z: costs nothing" in told
