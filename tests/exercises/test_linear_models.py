"""linear_models: the truth against differences at 50 digits, the kink, and the numbers that the notebook states."""

import mpmath
import numpy as np
import pytest

from autograder.exercise import Reply
from autograder.exercises import linear_models as exercise
from autograder.marking.mark import challenges

MODELS = {
    "linear": (exercise.REGRESSION, exercise.linear_truth),
    "logistic": (exercise.CLASSIFICATION, exercise.logistic_truth),
    "hinge": (exercise.MARGIN, exercise.hinge_truth),
}


def _asked(probe, seed):
    return [challenge.given for challenge in challenges(exercise.EXERCISE, seed)[probe.name]]


def _loss(name, w, b, given):
    total = mpmath.mpf(0)
    n, m = given["X"].shape
    for k in range(m):
        y = mpmath.mpf(given["y"][0, k])
        product = sum(w[j] * mpmath.mpf(given["X"][j, k]) for j in range(n))
        if name == "linear":
            total += (y - product - b) ** 2
        elif name == "logistic":
            total += mpmath.log(1 + mpmath.exp(-(product + b))) if y == 1 else mpmath.log(1 + mpmath.exp(product + b))
        else:
            total += max(mpmath.mpf(0), 1 - y * (product - b))
    return total / m


@pytest.mark.parametrize("name", MODELS)
def test_the_truth_is_the_slope_of_the_stated_loss_at_fifty_digits(name):
    probe, truth = MODELS[name]
    given = _asked(probe, 4)[1]
    exact = truth(given | {"at_kink": np.array(0.0)})
    with mpmath.workdps(50):
        h = mpmath.mpf(10) ** -18
        w, b = [mpmath.mpf(entry) for entry in given["w"][0]], mpmath.mpf(float(given["b"]))
        for j in range(len(w)):
            up, down = list(w), list(w)
            up[j] += h
            down[j] -= h
            slope = (_loss(name, up, b, given) - _loss(name, down, b, given)) / (2 * h)
            assert float(slope) == pytest.approx(exact["dw"][0, j], rel=1e-13, abs=1e-15)
        slope = (_loss(name, w, b + h, given) - _loss(name, w, b - h, given)) / (2 * h)
        assert float(slope) == pytest.approx(float(exact["db"]), rel=1e-13, abs=1e-15)


def test_the_worked_example_of_the_notebook():
    given = _asked(exercise.REGRESSION, 1)[0]
    assert (given["w"] @ given["X"] + given["b"]).tolist() == [[-0.5, 4.5]]
    assert given["X"].T.tolist() == [[1, 1], [2, -1]]
    assert given["y"].tolist() == [[0.5, 2]]
    exact = exercise.linear_truth(given)
    assert exact["dw"].tolist() == [[4, -3.5]]
    assert exact["db"] == 1.5


@pytest.mark.parametrize("seed", range(20))
def test_hinge_challenges_have_one_point_on_the_kink_and_the_others_well_away_from_it(seed):
    on_kink = 0
    for given in _asked(exercise.MARGIN, seed):
        margins = given["y"] * (given["w"] @ given["X"] - given["b"])
        at = exercise.on_the_margin(given)
        on_kink += at.sum()
        assert np.abs(margins[~at] - 1).min() > 0.04
        assert (margins < 1).any()
        assert (margins > 1).any()
    assert on_kink == 1


def _judged(question_id, values, seed=5):
    question = exercise.EXERCISE.question(question_id)
    return question.judge(question.lines, [Reply(given, values(given)) for given in _asked(question.probe, seed)])


@pytest.mark.parametrize(
    ("share", "right"), [(0, True), (1, True), (0.5, True), (0.123, True), (2, False), (-0.5, False)]
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_any_share_from_0_to_1_is_right_at_the_kink_and_another_one_costs_dw(share, right, dtype):
    def mine(given):
        u = 1 - given["y"] * (given["w"] @ given["X"] - given["b"])
        push = given["y"] * np.where(u == 0, share, u > 0)
        return {"dw": (-push @ given["X"].T / push.size).astype(dtype), "db": np.array(push.mean(), dtype=dtype)}

    verdicts = _judged("linear_svm", mine)
    assert (verdicts["dw"].share == 1) is right
    assert verdicts["db"].share == 1  # it follows


def test_two_shares_in_one_gradient_cost_db():
    def mine(given):
        u = 1 - given["y"] * (given["w"] @ given["X"] - given["b"])
        return {"dw": -(given["y"] * (u >= 0)) @ given["X"].T / u.size, "db": np.mean(given["y"] * (u > 0))}

    verdicts = _judged("linear_svm", mine)
    assert (verdicts["dw"].share, verdicts["db"].share) == (1, 0)


@pytest.mark.slow
@pytest.mark.parametrize("constant", [0.0, 1.0])
def test_no_question_is_passed_by_a_constant(constant):
    for question in exercise.EXERCISE.questions[:3]:
        verdicts = _judged(question.id, lambda g: {"dw": np.full(g["w"].shape, constant), "db": constant})
        assert not any(verdict.share for verdict in verdicts.values())


def test_standing_still_is_no_step():
    verdicts = _judged("descent_steps", lambda g: dict.fromkeys(("one_step", "all_steps"), np.append(g["w"], g["b"])))
    assert not any(verdict.share for verdict in verdicts.values())


@pytest.mark.parametrize("value", [None, "text", np.zeros((3, 2)), np.array([np.nan])])
def test_odd_answers_are_marked_and_do_not_break_the_judge(value):
    for question in exercise.EXERCISE.questions[:3]:
        verdicts = _judged(question.id, lambda g: {"dw": value, "db": value})
        assert not any(verdict.share for verdict in verdicts.values())


def _iris():
    from sklearn.datasets import load_iris  # here, since every collection of tests would take as long

    flowers, species = load_iris(return_X_y=True)
    two = species > 0
    P = flowers[two][:, 2:].T
    P = (P - P.mean(axis=1, keepdims=True)) / P.std(axis=1, keepdims=True)
    return flowers, P, np.where(species[two] == 2, 1.0, 0.0)[None, :]


def test_the_regression_line_of_the_notebook_is_the_one_of_least_squares():
    flowers, _, _ = _iris()
    x, y = flowers[:, 2] - flowers[:, 2].mean(), flowers[:, 3]
    w, b = 0.0, 0.0
    for _ in range(200):
        error = w * x + b - y
        w, b = w - 0.05 * 2 * np.mean(error * x), b - 0.05 * 2 * np.mean(error)
    assert np.allclose([w, b], np.polyfit(x, y, 1), rtol=1e-6)


def test_both_classifiers_get_94_or_95_of_100_flowers_right_and_12_lie_inside_the_margin():
    _, P, labels = _iris()
    assert labels.size == 100
    w, b = np.zeros((1, 2)), 0.0
    for _ in range(2000):
        error = 1 / (1 + np.exp(-(w @ P + b))) - labels
        w, b = w - 0.5 * error @ P.T / 100, b - 0.5 * error.mean()
    assert np.mean((w @ P + b > 0) == labels) in (0.94, 0.95)
    y, w, b = 2 * labels - 1, np.zeros((1, 2)), 0.0
    for _ in range(2000):
        push = np.where(y * (w @ P - b) < 1, y, 0)
        w, b = w + 0.1 * push @ P.T / 100, b - 0.1 * push.mean()
    assert np.mean((w @ P - b > 0) == labels) in (0.94, 0.95)
    inside = (y * (w @ P - b) < 1)[0]
    assert inside.sum() == 12
    assert len({tuple(place) for place in P[:, inside].T}) < 12  # some rings lie on top of each other


def test_points_add_up():
    assert exercise.EXERCISE.points == 30


def test_the_self_check_tells_of_a_descent_that_changes_what_it_is_given(solved, self_check):
    names = solved("linear_models")
    self_check("linear_models", "selfcheck_descent", names)

    def in_place(gradient, w, b, X, y, learning_rate, steps):
        for _ in range(steps):
            dw, db = gradient(w, b, X, y)
            w -= learning_rate * dw
            b -= learning_rate * db
        return w, b

    with pytest.raises(AssertionError, match="passed in has changed"):
        self_check("linear_models", "selfcheck_descent", names | {"gradient_descent": in_place})
