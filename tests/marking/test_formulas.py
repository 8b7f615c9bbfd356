"""Known wrong formulas are named when they are proved, and only then."""

import numpy as np

from autograder.exercise import Line, Reply
from autograder.marking.formulas import Formula, explain_formulas, first_of
from autograder.marking.judges import values

DOUBLED = Formula("doubled", ("y",), lambda v: 2 * v.x, "Twice too large.", "Look again.")
SQUARED = Formula("squared", ("y",), lambda v: v.x**2)
NEEDS_MORE = Formula("needs-more", ("y",), lambda v: v.not_given)


def replies(answer, points=(3.0, 5.0)):
    return [Reply({"x": np.array([point, -point])}, {"y": answer(np.array([point, -point]))}) for point in points]


def test_a_formula_that_gives_the_answer_everywhere_is_named():
    found = explain_formulas((DOUBLED, SQUARED, NEEDS_MORE))(replies(lambda x: 2 * x))
    assert found["y"].mistakes == ("doubled",)
    assert found["y"].hint == "Look again."


def test_one_that_fits_at_some_points_only_is_not():
    assert not explain_formulas((DOUBLED,))(replies(lambda x: 2 * x if x[0] == 3 else 3 * x))


def test_two_that_fit_are_not_told_apart():
    one, same = Formula("one", ("y",), lambda v: v.x + 1), Formula("same", ("y",), lambda v: 1 + v.x)
    assert not explain_formulas((one, same))(replies(lambda x: x + 1))


def test_a_name_needs_nine_digits():
    assert not explain_formulas((DOUBLED,))(replies(lambda x: 2 * x * (1 + 1e-8)))
    assert explain_formulas((DOUBLED,))(replies(lambda x: (2 * x).astype(np.float32)))


def test_what_is_no_number_matches_nothing():
    for answer in (lambda x: None, lambda x: "text", lambda x: np.array([]), lambda x: [1, [2, 3]]):
        assert not explain_formulas((DOUBLED, SQUARED))(replies(answer))


def test_the_first_explanation_is_kept():
    first = explain_formulas((Formula("first", ("y",), lambda v: 2 * v.x),))
    assert first_of(first, explain_formulas((DOUBLED,)))(replies(lambda x: 2 * x))["y"].mistakes == ("first",)


def test_a_right_value_is_not_explained():
    judge = values(lambda given: {"y": 2 * given["x"]}, explain=explain_formulas((DOUBLED,)))
    assert judge((Line("y", 1),), replies(lambda x: 2 * x))["y"].mistakes == ()
