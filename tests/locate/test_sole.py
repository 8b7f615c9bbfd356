"""What is asked for comes from one expression alone, or from more."""

import ast

import pytest

from autograder.sandbox.inside.repair.instrument import Instrument
from autograder.sandbox.inside.repair.sole import from_above, sole

HELPED = "def half(x):\n    return x / 2\n\ndef slope(x):\n    return half(x) - half(-x)"


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("def slope(x):\n    '''A slope.'''\n    return (f(x + 1) - np.abs(x)) / 2", "(f(x + 1) - np.abs(x)) / 2"),
        ("slope = f", "slope = f"),
        ("slope = 0.25", None),
        ("def slope(x):\n    y = x + 1\n    return y / 2", None),
        (HELPED, None),
        ("slope = f\nslope = g", None),
        ("def slope(x):\n    return x + scale\n\nscale = 2", None),
    ],
)
def test_one_expression_alone_is_at_fault(source, code):
    assert found(source) == code


def test_what_is_known_to_be_right_may_be_called():
    assert found(HELPED, trusted=["half"]) == "half(x) - half(-x)"


def test_what_a_class_leaves_to_the_one_above_is_known_with_its_value():
    names = {}
    exec(
        compile(
            "class Above:\n    def loss(self):\n        return self.a()\n    def b(self): return 4", "above.py", "exec"
        ),
        names,
    )
    source = "class Net(Above):\n    def a(self): return 3\n"
    exec(compile(source, "<cell 0>", "exec"), names)
    run = lambda: (names["Net"]().loss(), names["Net"]().a(), names["Above"]().b())  # noqa: E731
    assert from_above({0: ast.parse(source)}, run) == ((3, 3, 4), [((0, 1, 1, 0, -1), "loss", 3)])


def found(source, trusted=()):
    instrument = Instrument({0})
    instrument.cell = 0
    instrument.visit_Module(ast.parse(source))
    place = sole(instrument.trees, instrument.name, {"slope"}, trusted)
    if place is None:
        return None
    _, line, end_line, col, end_col = place
    assert line == end_line
    return source.split("\n")[line - 1][col:end_col]
