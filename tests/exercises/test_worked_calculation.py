"""worked_calculation: the numbers of the sheet, worked out a second time without sympy, and what the notebook says."""

import mpmath
import numpy as np
import pytest

from autograder.exercise import Reply
from autograder.exercises import worked_calculation as exercise

EXACT = {
    "z1": [1.2, 2.2],
    "a1": [0.768524783499, 0.900249510880],
    "z2": [1.52184696277],
    "a2": [0.820810294250],
    "loss": [4.33068346766e-4],
    "dW2": [0.00470459177296, 0.00551095622866],
    "db2": [0.00612158758439],
    "dW1": [0.000980096759275, 0.00196019351855, 0.000384804405528, 0.000769608811056],
    "db1": [0.000980096759275, 0.000384804405528],
}
"""Twelve digits of a calculation that was made apart from this repository."""


def sigma(z):
    return 1 / (1 + mpmath.exp(-z))


def loss_at(W1, b1, W2, b2, *, digits=None):
    """The loss, and with ``digits`` every value of the forward pass, rounded to so many significant figures."""

    def kept(value):
        return value if digits is None else mpmath.mpf(mpmath.nstr(value, digits))

    z1 = [kept(W1[i][0] * 1 + W1[i][1] * 2 + b1[i]) for i in range(2)]
    a1 = [kept(sigma(z)) for z in z1]
    z2 = kept(W2[0] * a1[0] + W2[1] * a1[1] + b2)
    a2 = kept(sigma(z2))
    loss = kept((a2 - mpmath.mpf("0.8")) ** 2)
    return loss if digits is None else (z1, a1, z2, a2, loss)


def parameters():
    number = mpmath.mpf
    return {
        "W1": [[number("0.5"), number("0.3")], [number("0.2"), number("0.8")]],
        "b1": [number("0.1"), number("0.4")],
        "W2": [number("0.9"), number("0.7")],
        "b2": number("0.2"),
    }


def judged(answer):
    """Points lost by name."""
    found = {}
    for question in exercise.EXERCISE.questions:
        verdicts = question.judge(question.lines, [Reply(exercise.GIVEN, answer, shown=True)])
        found |= {line.name: line.points * (1 - verdicts[line.name].share) for line in question.lines}
    return {name: lost for name, lost in found.items() if lost}


@pytest.fixture(scope="module")
def by_hand():
    """The whole calculation as a careful student makes it, four significant figures carried through."""

    def kept(value):
        return mpmath.mpf(mpmath.nstr(value, 4))

    p = parameters()
    z1, a1, z2, a2, loss = loss_at(**p, digits=4)
    dz2 = kept(2 * (a2 - mpmath.mpf("0.8")) * a2 * (1 - a2))
    dW2 = [kept(dz2 * a) for a in a1]
    dz1 = [kept(dz2 * w * a * (1 - a)) for w, a in zip(p["W2"], a1)]
    dW1 = [[kept(d * x) for x in (1, 2)] for d in dz1]
    step = mpmath.mpf("0.1")
    new = {
        "W2_new": [kept(w - step * d) for w, d in zip(p["W2"], dW2)],
        "b2_new": kept(p["b2"] - step * dz2),
        "W1_new": [[kept(w - step * d) for w, d in zip(*rows)] for rows in zip(p["W1"], dW1)],
        "b1_new": [kept(b - step * d) for b, d in zip(p["b1"], dz1)],
    }
    values = {"z1": z1, "a1": a1, "z2": z2, "a2": a2, "loss": loss, "dz2": dz2, "dW2": dW2, "db2": dz2}
    values |= {"dz1": dz1, "dW1": dW1, "db1": dz1} | new
    return {name: np.array(value, dtype=float) for name, value in values.items()}


def test_the_values_are_those_of_another_calculation():
    exact = exercise.truth(exercise.GIVEN)
    for name, digits in EXACT.items():
        assert np.ravel(exact[name]) == pytest.approx(digits, rel=1e-11), name


def test_every_gradient_is_the_slope_of_the_loss_at_fifty_digits():
    exact = exercise.truth(exercise.GIVEN)
    with mpmath.workdps(50):
        h = mpmath.mpf(10) ** -20
        for name, place in [("W1", (i, j)) for i in range(2) for j in range(2)] + [
            ("b1", (0,)),
            ("b1", (1,)),
            ("W2", (0,)),
            ("W2", (1,)),
            ("b2", ()),
        ]:
            moved = []
            for sign in (1, -1):
                p = parameters()
                if name == "b2":
                    p["b2"] += sign * h
                elif name == "W1":
                    p["W1"][place[0]][place[1]] += sign * h
                else:
                    p[name][place[0]] += sign * h
                moved.append(loss_at(**p))
            slope = float((moved[0] - moved[1]) / (2 * h))
            shape = {"W1": (2, 2), "b1": (2,), "W2": (2,), "b2": ()}[name]
            assert exact[f"d{name}"].reshape(shape)[place] == pytest.approx(slope, rel=1e-14), (name, place)


def test_four_significant_figures_carried_through_are_enough(by_hand):
    assert judged(by_hand) == {}


def test_a_slip_in_the_first_line_costs_the_first_line_and_nothing_else(solved):
    names = solved("worked_calculation")
    right = {name: np.array(names[name], dtype=float) for name in (step.name for step in exercise.ALL)}
    assert judged(right) == {}
    z1 = [0.5 * 1 + 0.3 * 2 + 0.1, 0.2 * 1 + 0.8 * 2 + 0.5]  # 0.5 for 0.4
    p = parameters()
    a1 = [sigma(z) for z in z1]
    z2 = p["W2"][0] * a1[0] + p["W2"][1] * a1[1] + p["b2"]
    a2 = sigma(z2)
    dz2 = 2 * (a2 - 0.8) * a2 * (1 - a2)
    dz1 = [dz2 * w * a * (1 - a) for w, a in zip(p["W2"], a1)]
    dW1 = [[d, 2 * d] for d in dz1]
    slipped = {"z1": z1, "a1": a1, "z2": z2, "a2": a2, "loss": (a2 - 0.8) ** 2, "dz2": dz2}
    slipped |= {"dW2": [dz2 * a for a in a1], "db2": dz2, "dz1": dz1, "dW1": dW1, "db1": dz1}
    slipped |= {"W2_new": [w - 0.1 * dz2 * a for w, a in zip(p["W2"], a1)], "b2_new": 0.2 - 0.1 * dz2}
    slipped |= {
        "W1_new": [[w - 0.1 * d for w, d in zip(*rows)] for rows in zip(p["W1"], dW1)],
        "b1_new": [b - 0.1 * d for b, d in zip(p["b1"], dz1)],
    }
    assert judged({name: np.array(value, dtype=float) for name, value in slipped.items()}) == {"z1": 2}


def test_the_small_example_of_the_notebook():
    z1 = np.array([[1, 2], [0, 3]]) @ [2, -1] + [0.5, 1]
    assert z1.tolist() == [0.5, -2]
    assert [round(float(sigma(z)), 4) for z in z1] == [0.6225, 0.1192]


def test_the_new_output_is_closer_to_the_target():
    exact = exercise.truth(exercise.GIVEN)
    new = exercise.GIVEN | {name: exact[f"{name}_new"].reshape(exercise.GIVEN[name].shape) for name in parameters()}
    assert abs(exercise.truth(new)["a2"].item() - 0.8) < abs(exact["a2"].item() - 0.8)


def test_the_points_are_those_of_the_title():
    assert exercise.EXERCISE.points == 25


def test_every_part_has_a_check_that_sees_figures(solved, self_check):
    names = solved("worked_calculation")
    for part in ("forward", "loss", "gradients", "values"):
        self_check("worked_calculation", f"selfcheck_{part}", names)
    for part, unfinished in (("forward", "a1"), ("loss", "loss"), ("gradients", "dW1"), ("values", "b2_new")):
        with pytest.raises(AssertionError, match=unfinished):
            self_check("worked_calculation", f"selfcheck_{part}", names | {unfinished: ...})
