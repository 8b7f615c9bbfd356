"""A mistake is named only when it alone gives the numbers, at every challenge."""

import numpy as np

from autograder.exercise import Reply
from autograder.marking.slips_as_maps import Known, explain_formulas

DOUBLE = Known("double", lambda given: {"a": 2 * given["x"]}, "Doubled.", "Halve it.")
SQUARE = Known("square", lambda given: {"a": given["x"] ** 2, "b": given["x"] ** 2}, "Squared.", "Take the root.")


def replies(*pairs):
    return [Reply({"x": np.array(x)}, values) for x, values in pairs]


def test_a_formula_that_gives_the_numbers_everywhere_is_named():
    found = explain_formulas((DOUBLE, SQUARE))(replies((3.0, {"a": 6.0, "b": 9.0}), (5.0, {"a": 10.0, "b": 25.0})))
    assert found["a"].mistakes == ("double",)
    assert found["b"].mistakes == ("square",)
    assert found["a"].message == "Doubled."


def test_a_formula_that_fails_at_one_challenge_is_not_named():
    assert explain_formulas((DOUBLE,))(replies((3.0, {"a": 6.0}), (5.0, {"a": 10.001}))) == {}


def test_two_formulas_with_the_same_numbers_are_not_named():
    assert explain_formulas((DOUBLE, SQUARE))(replies((2.0, {"a": 4.0}),)) == {}


def test_two_spellings_of_one_mistake_are_one():
    again = Known("double", lambda given: {"a": given["x"] + given["x"]}, "Doubled.", "Halve it.")
    assert explain_formulas((DOUBLE, again))(replies((3.0, {"a": 6.0}),))["a"].mistakes == ("double",)


def test_missing_values_are_not_explained():
    assert explain_formulas((DOUBLE,))(replies((3.0, {"a": None}), (5.0, {}))) == {}
