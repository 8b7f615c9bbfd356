"""What the notebook custom_activation says about x tanh x, and how derivative and properties are marked."""

import mpmath
import numpy as np
import pytest

from autograder.exercise import Line, Reply
from autograder.exercises import custom_activation as module
from autograder.exercises import function_properties, load
from autograder.marking import challenges

NAME = "custom_activation"
F_PRIME = (Line("f_prime", 4),)


def f(x):
    return x * mpmath.tanh(x)


def test_the_derivative_agrees_with_mpmath():
    for challenge in challenges(load(NAME), 2)["derivative_values"]:
        exact = module.true_derivative(challenge.given)["f_prime"]
        slopes = [float(mpmath.diff(f, mpmath.mpf(float(x)))) for x in challenge.given["x"]]
        assert exact == pytest.approx(slopes, rel=1e-12)


@pytest.mark.slow
def test_the_properties_agree_with_a_scan():
    truth = function_properties.true_properties()
    x = np.linspace(-20, 20, 400_001)
    value, slope = x * np.tanh(x), np.tanh(x) + x / np.cosh(x) ** 2
    assert value.min() == pytest.approx(truth["range"][0], abs=1e-12) == 0
    assert truth["range"][1] == np.inf
    np.testing.assert_allclose(value, value[::-1], rtol=1e-12, atol=1e-12)
    assert np.all(slope[x > 1e-9] > 0)
    assert np.all(slope[x < -1e-9] < 0)
    assert x[np.argmax(slope)] == pytest.approx(truth["largest_slope_at"], abs=1e-4)
    assert slope.max() == pytest.approx(truth["largest_slope"], abs=1e-8)
    assert (slope[0], slope[-1]) == pytest.approx((-1, 1), abs=1e-6)


@pytest.mark.slow
def test_the_largest_slope_is_where_coth_x_is_x():
    root = mpmath.findroot(lambda x: mpmath.coth(x) - x, 1.2)
    truth = function_properties.true_properties()
    assert truth["largest_slope_at"] == pytest.approx(float(root), rel=1e-14)
    assert truth["largest_slope_at"] == pytest.approx(1.19967864, abs=1e-8)
    assert truth["largest_slope"] == pytest.approx(truth["largest_slope_at"], rel=1e-14)


def test_the_layer_agrees_with_central_differences():
    for challenge in challenges(load(NAME), 2)["layer_backward"]:
        given = challenge.known
        exact = module.true_backward(given)
        for name in ("W", "b", "X"):
            for index in np.ndindex(given[name].shape):
                moved = []
                for step in (1e-5, -1e-5):
                    at = {**given, name: given[name].copy()}
                    at[name][index] += step
                    Z = at["W"] @ at["X"] + at["b"]
                    moved.append(np.sum(given["dA"] * Z * np.tanh(Z)))
                assert exact[f"d{name}"][index] == pytest.approx((moved[0] - moved[1]) / 2e-5, abs=1e-7)


def test_points_stay_away_from_zero_and_lie_on_both_sides():
    for challenge in challenges(load(NAME), 4)["derivative_values"]:
        assert np.abs(challenge.given["x"]).min() >= 0.2
        assert challenge.given["x"].min() < 0 < challenge.given["x"].max()


def test_the_example_of_the_notebook():
    Z = np.array([[3.0, -1.0]])
    assert Z * np.tanh(Z) == pytest.approx(np.array([[2.985, 0.762]]), abs=5e-4)
    dA, X, W = np.array([[0.5, 1.0]]), np.array([[1.0, -1.0]]), np.array([[2.0]])
    assert (dA @ X.T).item() == -0.5
    assert dA.sum() == 1.5
    assert np.array_equal(W.T @ dA, [[1, 2]])


def replies(answer):
    asked = challenges(load(NAME), 1)["derivative_values"]
    return [Reply(c.given, {"f_prime": answer(c.given["x"])}, c.shown) for c in asked]


def test_decimal_strings_are_numbers():
    texts = replies(lambda x: [mpmath.nstr(mpmath.diff(f, float(v)), 30) for v in x])
    assert module.by_derivative(F_PRIME, texts)["f_prime"].status == "correct"


@pytest.mark.parametrize("text", ["__import__('os')", "1+1", "nan", "0x10", "1" * 200, "1_0"])
def test_other_text_is_no_number(text):
    assert module.by_derivative(F_PRIME, replies(lambda x: [text] * len(x)))["f_prime"].status == "wrong"


def test_a_wrong_derivative_is_told_by_a_counterexample():
    verdict = module.by_derivative(F_PRIME, replies(np.tanh))["f_prime"]
    assert "At x = 1 yours gives 0.7616" in verdict.message
    assert "a slope of 1.182" in verdict.message
    assert verdict.expected is None


def test_the_counterexample_does_not_show_hidden_points():
    def right_where_it_is_shown(x):
        return module.true_derivative({"x": x})["f_prime"] + (0 if len(x) == len(module.SHOWN_POINTS) else 0.5)

    verdict = module.by_derivative(F_PRIME, replies(right_where_it_is_shown))["f_prime"]
    assert verdict.status == "wrong"
    assert not any(character.isdigit() for character in verdict.message)


@pytest.mark.slow
@pytest.mark.parametrize(("value", "equal"), [(1.2, True), (1.1997, True), (1.199, False), (1.201, False)])
def test_four_significant_figures_are_enough(value, equal):
    assert function_properties._same(value, function_properties.true_properties()["largest_slope"]) is equal


@pytest.mark.slow
def test_a_wrong_place_keeps_the_slope_that_follows_from_it():
    lines = (Line("largest_slope_at", 1), Line("largest_slope", 0.5))
    own = {"largest_slope_at": 1.0, "largest_slope": float(np.tanh(1) + 1 / np.cosh(1) ** 2)}
    verdicts = module.by_property(lines, [Reply({}, own, True)])
    assert verdicts["largest_slope_at"].status == "wrong"
    assert verdicts["largest_slope"].own


@pytest.mark.slow
def test_the_table_of_the_moons(solved, capsys):
    solved(NAME, "moons")
    rows = {}
    for line in capsys.readouterr().out.splitlines():
        parts = line.rsplit(maxsplit=4)
        if len(parts) == 5 and parts[0] in ("sigmoid", "x tanh x"):
            rows[parts[0], float(parts[1])] = [float(part.rstrip("%")) for part in parts[2:]]
    assert rows["x tanh x", 1.0][2] == pytest.approx(97, abs=1)
    assert rows["sigmoid", 1.0][2] == pytest.approx(94, abs=2)
    assert rows["x tanh x", 0.01][1] == pytest.approx(np.log(2), abs=1e-3)
    assert rows["sigmoid", 0.01][1] < 0.35
