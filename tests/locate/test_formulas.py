"""Expressions of sympy as quantities of a search."""

import ast

import numpy as np
import sympy

from autograder.sandbox.inside.repair.formulas import Formula, again, sampled, written
from autograder.sandbox.inside.repair.hooks import as_array
from autograder.sandbox.inside.repair.needed import needed

x, y = sympy.symbols("x y")


def test_equal_formulas_give_the_same_numbers_and_others_do_not():
    one, other = as_array(1 - sympy.tanh(x) ** 2), as_array(1 / sympy.cosh(x) ** 2)
    np.testing.assert_allclose(one, other, rtol=1e-12)
    assert not np.allclose(one, as_array(1 - sympy.tanh(y) ** 2))
    assert not np.allclose(one, as_array(1 - sympy.tanh(x)))


def test_a_formula_comes_back_from_its_text():
    made = again(written(sampled(x * sympy.tanh(x) + y)))
    assert isinstance(made, Formula)
    assert made.expression == x * sympy.tanh(x) + y


def test_a_number_is_a_number_and_what_gives_none_is_nothing():
    assert as_array(sympy.Rational(1, 4)) == 0.25
    assert sampled(sympy.sqrt(-1 - x**2)) is None
    assert sampled(sympy.Function("g")(x)) is None
    assert as_array(sympy.Lambda(x, x)) is None
    assert written(np.zeros(3)) == ""


def test_what_is_worked_out_with_the_numbers_is_no_formula():
    assert written(2 * sampled(x * y)) == ""


def test_only_the_cells_that_give_or_change_what_is_read_are_needed():
    sources = ("import numpy as np", "a = np.ones(3)", "b = a + 1", "c = 2", "a.sort()", "print(b)", "b[0] = c")
    trees = {number: ast.parse(source) for number, source in enumerate(sources)}
    assert needed(trees, {"b"}) == {0, 1, 2, 3, 4, 5, 6}
    assert needed(trees, {"c"}) == {3}
    assert needed(trees, {"a"}) == {0, 1, 4}
