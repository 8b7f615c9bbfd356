"""A slip is named only when it alone gives the answer, at every challenge."""

import importlib
import re

import numpy as np
import pytest

from autograder.exercise import Line, Reply, Verdict, sentence
from autograder.exercises import NAMES
from autograder.marking.judges import values
from autograder.marking.slips import At, Slip, explain_slips, first_of, gives, slope, worked_out
from autograder.mistakes import MISTAKES

DOUBLED = Slip("factor-2-extra", ("y",), lambda v: 2 * v.x, "Twice too large.", "Look again.")
SQUARED = Slip("error-squared", ("y", "z"), lambda v: v.x**2)


def replies(answer, points=(3.0, 5.0), line="y"):
    return [Reply({"x": np.array([x, -x])}, {line: answer(np.array([x, -x]))}) for x in points]


# What is proved -----------------------------------------------------------------------------------------------------


def test_a_formula_that_gives_the_answer_everywhere_is_named():
    found = explain_slips((DOUBLED, SQUARED))(replies(lambda x: 2 * x))
    assert found["y"] == Verdict.named("factor-2-extra", title="Twice too large.", hint="Look again.")


def test_a_slip_may_show_in_several_lines():
    explain = explain_slips((DOUBLED, SQUARED))
    for line in SQUARED.lines:
        assert explain(replies(lambda x: x**2, line=line))[line].mistakes == ("error-squared",)


def test_one_that_fits_at_some_challenges_only_is_not_named():
    assert not explain_slips((DOUBLED,))(replies(lambda x: 2 * x if x[0] == 3 else 3 * x))


def test_two_that_fit_are_not_told_apart():
    assert not explain_slips((DOUBLED, SQUARED))([Reply({"x": np.array(2.0)}, {"y": 4.0})])


def test_two_spellings_of_one_slip_are_one():
    again = Slip("factor-2-extra", ("y",), lambda v: v["x"] + v["x"])
    assert explain_slips((DOUBLED, again))(replies(lambda x: 2 * x))["y"].mistakes == ("factor-2-extra",)


@pytest.mark.parametrize(
    ("dtype", "error", "proved"),
    [
        (float, 1e-10, True),
        (float, 1e-8, False),
        (np.float32, 1e-5, True),
        (np.float32, 5e-4, False),
        (np.float16, 0.0, False),
        (int, 0.0, True),
    ],
)
def test_a_name_needs_as_many_digits_as_the_numbers_have(dtype, error, proved):
    found = explain_slips((DOUBLED,))(replies(lambda x: (2 * x * (1 + error)).astype(dtype)))
    assert bool(found) is proved


@pytest.mark.parametrize("answer", [None, "text", np.array([]), [1, [2, 3]], [np.nan, np.nan], {"a": 1}])
def test_what_is_no_array_of_finite_numbers_matches_nothing(answer):
    assert not explain_slips((DOUBLED, SQUARED))(replies(lambda x: answer))


@pytest.mark.parametrize(
    "formula",
    [
        lambda v: v.not_given,
        lambda v: v["not given"],
        lambda v: np.ones(3) + v.x,
        lambda v: v.x[7],
        lambda v: v.x * np.inf,
        lambda v: np.array([]),
        lambda v: np.linalg.inv(np.zeros((2, 2))),
    ],
)
def test_a_formula_that_gives_no_numbers_explains_nothing(formula):
    assert not explain_slips((Slip("sign-flipped", ("y",), formula),))(replies(lambda x: x))


def test_a_right_value_is_not_explained():
    judge = values(lambda given: {"y": 2 * given["x"]}, explain=explain_slips((DOUBLED,)))
    assert judge((Line("y", 1),), replies(lambda x: 2 * x))["y"].mistakes == ()


def test_the_first_explanation_is_kept():
    first = explain_slips((Slip("factor-2-doubled", ("y",), lambda v: 2 * v.x),))
    assert first_of(first, explain_slips((DOUBLED,)))(replies(lambda x: 2 * x))["y"].mistakes == ("factor-2-doubled",)


# What formulas know -------------------------------------------------------------------------------------------------


def test_an_own_value_stands_before_an_input_of_the_same_name():
    at = At({"x": 1, "y": 2}, {"y": 3})
    assert (at.x, at["x"], at.y, at["y"], at.given["y"]) == (1, 1, 3, 3, 2)
    with pytest.raises(AttributeError):
        at.z  # noqa: B018
    with pytest.raises(KeyError):
        at["z"]


def test_formulas_build_on_the_own_values_that_are_numbers():
    slip = Slip("bias-forgotten", ("y",), lambda v: v.half + 1)
    explain = explain_slips((slip,))
    assert explain([Reply({}, {"half": [True, False], "y": [2, 1]})])["y"].mistakes == ("bias-forgotten",)
    for useless in (None, "text", [np.inf, 0], [1, [2]]):
        assert not explain([Reply({}, {"half": useless, "y": [2, 1]})])


# By hand ------------------------------------------------------------------------------------------------------------


def test_by_hand_four_figures_are_enough():
    for by_hand in (True, False):
        assert bool(explain_slips((DOUBLED,), by_hand=by_hand)(replies(lambda x: 2.001 * x))) is by_hand


def test_a_slip_may_ask_for_more_figures():
    slip = Slip("too-few-figures", ("y",), lambda v: v.x / 3, figures=4)
    assert explain_slips((slip,), by_hand=True)([Reply({"x": np.array(1.0)}, {"y": 0.3333})])
    assert not explain_slips((slip,), by_hand=True)([Reply({"x": np.array(1.0)}, {"y": 0.3336})])


def test_by_hand_a_column_may_be_a_list_under_another_name():
    slip = Slip("factor-2-extra", ("a2",), lambda v: 2 * v.W @ v.A1)
    explain = explain_slips(
        (slip,), by_hand=True, names={"a1": "A1", "a2": "A2"}, shape={"A1": (2, 1), "A2": (1, 1)}.get
    )
    given = {"W": np.array([[1.0, 3.0]])}
    assert explain([Reply(given, {"a1": [0.5, 1.0], "a2": 7.0})])["a2"].mistakes == ("factor-2-extra",)
    assert not explain([Reply(given, {"a1": [0.5, 1.0, 2.0], "a2": 7.0})])


def test_nothing_is_given_by_a_formula_that_failed():
    assert gives(1.0, 1.0)
    assert not gives(1.0, None)


# Words --------------------------------------------------------------------------------------------------------------


def test_words_that_are_not_given_are_those_of_the_catalogue():
    known = MISTAKES["missing-1-over-m"]
    found = Verdict.named("missing-1-over-m")
    assert found.message == "The average over the examples is missing (no 1/m)."
    assert found.hint == known.hint
    assert Verdict.named("missing-1-over-m", title="No mean.", hint="Look.").message == "No mean."


def test_two_mistakes_make_one_sentence():
    assert Verdict.named("sign-flipped", "factor-2-extra").message == "The sign is wrong; there is a factor 2 too much."


@pytest.mark.parametrize(("text", "told"), [("", ""), ("a word", "A word."), ("Two. Words.", "Two. Words.")])
def test_a_sentence_has_a_capital_and_one_period(text, told):
    assert sentence(text) == told


def all_slips():
    """Every slip of every exercise, and where it is."""
    for name in NAMES:
        for constant, value in vars(importlib.import_module(f"autograder.exercises.{name}")).items():
            if isinstance(value, tuple):
                yield from ((f"{name}.{constant}", slip) for slip in value if isinstance(slip, Slip))


def test_every_title_reads_well_as_the_beginning_of_a_message():
    slips = list(all_slips())
    assert len(slips) > 150
    names = re.compile(r"(x|z|[wb]\d?|d[wb]\d?|tanh|relu)\b")  # these would change their meaning with a capital
    for title in {slip.title for _, slip in slips} | {mistake.title for mistake in MISTAKES.values()}:
        assert not names.match(title), title
        assert not re.search(r"\.\.|[,;:]\.", sentence(title)), title


def test_every_slip_has_a_hint():
    for where, slip in all_slips():
        assert not slip.hint or slip.hint != slip.title, f"{where}: {slip.id}"


def test_a_formula_may_be_text_in_the_names_of_the_challenge_and_of_the_student():
    given, own = {"X": np.ones((2, 5)), "Y": np.array([3.0])}, {"A": np.array([1.0, 4.0])}
    assert worked_out("sum(sqrt(A)) * Y / m", At(given, own)) == pytest.approx(3 * 3 / 5)
    answer = [Reply(given, {"A": [1.0, 4.0], "one": 12.0, "two": 12.0})]
    slips = (Slip("sign-flipped", "one two", "4 * Y"), Slip("square-missing", "one", "Missing + 1"))
    found = explain_slips(slips)(answer)
    assert {line: verdict.mistakes for line, verdict in found.items()} == {
        "one": ("sign-flipped",),
        "two": ("sign-flipped",),
    }


def test_a_formula_that_is_text_reaches_no_builtins():
    with pytest.raises(NameError):
        worked_out("open('x')", At({}, {}))


def test_the_slope_of_a_formula_is_exact():
    rng = np.random.default_rng(0)
    at = At({"Y": rng.normal(size=(2, 3)), "X": np.ones((1, 3))}, {"A2": rng.normal(size=(2, 3))})
    error = at["A2"] - at["Y"]
    for formula, expected in (
        ("sum((A2 - Y)**2) / m", 2 * error / 3),
        ("sum(abs(A2 - Y)) / m", np.sign(error) / 3),
        ("sqrt(mean((A2 - Y)**2))", error / 6 / np.sqrt(np.mean(error**2))),
    ):
        np.testing.assert_allclose(slope(formula, at, "A2"), expected, rtol=1e-14)


def test_what_takes_no_complex_numbers_has_no_slope():
    with pytest.raises(TypeError):
        slope("logaddexp(0, A2)", At({}, {"A2": np.ones(2)}), "A2")
