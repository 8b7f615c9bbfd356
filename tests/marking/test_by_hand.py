"""Calculations by hand: what a slip costs, what is carried on, and how numbers are written."""

import numpy as np
import pytest

from autograder.exercise import Reply
from autograder.exercises import worked_calculation as sheet
from autograder.marking.by_hand import rounding, work_out, work_out_all

RIGHT = {step.name: sheet.truth(sheet.GIVEN)[step.name] for step in sheet.ALL}
POINTS = {step.name: step.points for step in sheet.ALL}
SLIPS = [(step, slip) for step in sheet.ALL for slip in step.slips]


def marked(answers):
    lines = [step.line for step in sheet.ALL]
    return sheet.JUDGE(lines, [Reply(sheet.GIVEN, {name: answers[name] for name in POINTS if name in answers}, True)])


def lost(answers):
    return {name: POINTS[name] * (1 - v.share) for name, v in marked(answers).items() if v.share < 1}


def carried_on(changed):
    """Every value by its formula, but for some."""
    known = sheet.start(sheet.GIVEN)
    for step in sheet.ALL:
        formula = changed.get(step.name, step.formula)
        known[step.name] = work_out(formula, known) if isinstance(formula, str) else formula
    return known


@pytest.mark.parametrize("seed", range(3))
def test_the_formula_of_every_step_is_what_sympy_derives(seed):
    given = sheet.draw(np.random.default_rng(seed).random)
    known, exact = work_out_all(sheet.ALL, sheet.start(given)), sheet.truth(given)
    for step in sheet.ALL:
        for formula in (step.formula, *step.also):
            value = work_out(formula, known)
            np.testing.assert_allclose(value, exact[step.name].reshape(value.shape), rtol=1e-12)


@pytest.mark.parametrize(("step", "slip"), SLIPS, ids=lambda value: getattr(value, "id", getattr(value, "name", "")))
def test_a_known_slip_costs_its_line_and_is_named(step, slip):
    verdicts = marked(carried_on({step.name: slip.formula}))
    assert {name for name, v in verdicts.items() if v.share < 1} == {step.name}
    assert verdicts[step.name].mistakes == (slip.id,)


def test_a_slip_that_is_made_again_is_charged_once():
    updated = ("W2_new", "b2_new", "W1_new", "b1_new")
    ascent = {name: f"{name[:2]} + alpha * d{name[:2]}" for name in updated}
    assert lost(carried_on(ascent)) == {"W2_new": 1}
    assert lost(carried_on({"a1": "sigma(-z1)", "a2": "sigma(-z2)"})) == {"a1": 2}
    assert lost(carried_on({"dz2": "(a2 - y) * a2 * (1 - a2)"} | ascent)) == {"dz2": 2, "W2_new": 1}


def test_a_copy_is_charged_each_time():
    assert lost(carried_on({name: name[:2] for name in ("W2_new", "b2_new", "W1_new", "b1_new")})) == {
        "W2_new": 1, "b2_new": 1, "W1_new": 2, "b1_new": 1,
    }  # fmt: skip


@pytest.mark.parametrize("tiny", [0, 1e-12, 1e-6, 4e-5, -1e-6])
def test_nothing_follows_from_a_number_that_is_too_small_to_be_a_slip(tiny):
    assert sum(lost(carried_on({"dz2": np.array([[tiny]])})).values()) == 15


def test_what_is_the_same_for_other_values_shows_nothing():
    verdicts = marked(carried_on({"z1": np.array([[30.0], [40.0]])}))
    wrong = {name for name, verdict in verdicts.items() if verdict.share < 1}
    assert wrong == {"z1", "a1", "dz1", "dW1", "db1", "W1_new", "b1_new"}
    assert "would be the same for another one" in verdicts["a1"].message


@pytest.mark.parametrize("factor", [0.3, 0.9, 1.1, 4])
@pytest.mark.parametrize("name", ["z1", "a1", "z2", "dz2", "dW2", "dz1", "dW1"])
def test_an_arithmetic_slip_costs_its_line(name, factor):
    if (name, factor) in {("z1", 4), ("z2", 4)}:
        pytest.skip("the sigmoid is flat there")
    assert lost(carried_on({name: factor * RIGHT[name]})) == {name: POINTS[name]}


def test_four_decimals_are_not_four_figures():
    """What a learner handed in: every value with four decimals."""
    typed = {
        "z1": [1.2, 2.2], "a1": [0.7685, 0.9002], "z2": 1.5218, "a2": 0.8208, "loss": 0.0004, "dz2": 0.0061,
        "dW2": [0.0047, 0.0055], "db2": 0.0061, "dz1": [0.001, 0.0004], "dW1": [[0.001, 0.002], [0.0004, 0.0008]],
        "db1": [0.001, 0.0004], "W2_new": [0.8995, 0.6994], "b2_new": 0.1994,
        "W1_new": [[0.4999, 0.2998], [0.2, 0.7999]], "b1_new": [0.0999, 0.4],
    }  # fmt: skip
    assert lost(typed) == {"loss": 2}
    assert marked(typed)["loss"].message == "0.0004 has one significant figure; four are asked."


COMMA = "A decimal comma makes two numbers of one: write 1.5 and not 1,5."
NOTHING = "Rounded to 0 decimals nothing is left: give four significant figures."
SHIFTED = "This is {}: the figures are right, the decimal point is not."


@pytest.mark.parametrize(
    ("changed", "mistake", "says"),
    [
        ({"loss": 0.00043}, "decimals-for-figures", "0.00043 has two significant figures; four are asked."),
        ({"z2": 1.5}, "too-few-figures", "1.5 has two significant figures; four are asked."),
        ({"loss": 0.0}, "decimals-for-figures", NOTHING),
        ({"dz2": 0.06122}, "wrong-power-of-ten", SHIFTED.format("10 times too large")),
        ({"loss": 4.331e-6}, "wrong-power-of-ten", SHIFTED.format("100 times too small")),
        ({"z2": (1, 522)}, "decimal-comma", COMMA),
        ({"z2": "1,522"}, "decimal-comma", COMMA),
        ({"z1": [1, 2, 2, 2]}, "decimal-comma", COMMA),
        ({"W2_new": [0.9, 0.7]}, "parameter-never-updated", "The parameter is never updated."),
    ],
)  # fmt: skip
def test_how_numbers_are_written_is_named(changed, mistake, says):
    (name,) = changed
    verdict = marked(RIGHT | changed)[name]
    assert verdict.mistakes == (mistake,)
    assert verdict.message == says
    assert set(lost(RIGHT | changed)) == {name}


@pytest.mark.parametrize("number", [1.0, 0.5, 1e-12])
def test_nothing_follows_from_a_number_that_stands_in_several_wrong_places(number):
    everywhere = {name: np.full(np.shape(value), number) for name, value in RIGHT.items()}
    assert lost(everywhere) == POINTS


def test_what_rounding_left_nothing_of_is_charged_each_time():
    assert {"a1", "a2"} <= set(lost(RIGHT | {"a1": [1, 1], "a2": 1.0}))


def test_three_decimals_that_show_the_step_are_rounded_and_not_the_old_value():
    verdict = marked(RIGHT | {"W2_new": [0.9, 0.699]})["W2_new"]
    assert verdict.mistakes == ("too-few-figures",)


@pytest.mark.parametrize("own", [0.00045, 0.0005, 0.00042, 0.02])
def test_another_number_is_not_called_rounded(own):
    assert rounding(np.array([own]), np.array([4.33068e-4])) is None or own == 0.0005


def test_what_is_missing_costs_only_itself():
    for name in POINTS:
        assert lost({other: value for other, value in RIGHT.items() if other != name}) == {name: POINTS[name]}


@pytest.mark.parametrize("odd", ["text", {}, [], [[1], [2, 3]], np.array([]), [None, None], np.inf, True, 1j])
def test_odd_values_cost_only_themselves(odd):
    for name in POINTS:
        assert lost(RIGHT | {name: odd}) == {name: POINTS[name]}


def test_a_notebook_that_is_marked_meanwhile_changes_nothing():
    """Another thread may mark its own at any moment; here it does between one line and the next."""
    wrong = carried_on({name: np.zeros_like(value) for name, value in RIGHT.items()})
    every = [step.line for step in sheet.ALL]

    class Interrupted(list):
        def __iter__(self):
            for line in every:
                marked(wrong)
                yield line

    found = sheet.JUDGE(Interrupted(every), [Reply(sheet.GIVEN, RIGHT, True)])
    assert {verdict.share for verdict in found.values()} == {1.0}
