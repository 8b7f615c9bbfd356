"""What the notebook multi_output says, and how slips that come twice are marked."""

import numpy as np
import pytest

from autograder.exercise import Line, Reply
from autograder.exercises import load
from autograder.exercises import multi_output as module
from autograder.marking import challenges

NAME = "multi_output"
GRADIENTS = tuple(Line(name, 1) for name in module.GRADIENT_NAMES)


def test_the_small_examples():
    error = np.array([[1.0, 0.0], [-2.0, 1.0]])
    weights = np.array([[3.0], [1.0]])
    assert np.sum(error**2) / 2 == 3
    assert np.mean(error**2) == 1.5
    assert np.sum(weights * error**2) / 2 == 4
    Y = np.array([[10.0, 20.0, 30.0, 20.0]])
    scale = {"centre": np.array([[20.0]]), "width": np.array([[2.0]])}
    truth = module.scaling_truth({"Y": Y, "Y_other": Y, "S": Y} | scale)
    assert truth["std"].item() == pytest.approx(7.071, abs=5e-4)
    assert (10 - truth["mean"].item()) / truth["std"].item() == pytest.approx(-1.414, abs=5e-4)


def test_the_scaler_agrees_with_numpy():
    for challenge in challenges(load(NAME), 1)["scaling"]:
        truth = module.scaling_truth(challenge.given)
        assert truth["mean"] == pytest.approx(challenge.given["Y"].mean(axis=1, keepdims=True), rel=1e-13)
        assert truth["std"] == pytest.approx(challenge.given["Y"].std(axis=1, keepdims=True), rel=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("task", [module.AIR, module.WEIGHTED], ids=["mse", "weighted-mse"])
def test_the_gradients_agree_with_central_differences(task):
    given = challenges(load(NAME), 5)["weighted"][1].given
    network = task.network(given)
    exact = network.evaluate(given)
    for name in network.parameters:
        for index in np.ndindex(given[name].shape):
            moved = []
            for step in (1e-5, -1e-5):
                parameter = given[name].copy()
                parameter[index] += step
                moved.append(float(network.evaluate({**given, name: parameter}, exact=False)["loss"]))
            assert exact[f"d{name}"][index] == pytest.approx((moved[0] - moved[1]) / 2e-5, abs=1e-7)


def test_a_weighted_error_is_the_error_of_moved_targets():
    """What the follow-through of (d) rests on."""
    given = challenges(load(NAME), 5)["weighted"][1].given
    weighted = module.WEIGHTED.network(given).evaluate(given)
    moved = weighted["A2"] - given["output_weights"] * (weighted["A2"] - given["Y"])
    plain = module.AIR.network(given).evaluate({**given, "Y": moved})
    for name in module.GRADIENT_NAMES:
        assert plain[name] == pytest.approx(weighted[name], rel=1e-12)


def test_what_is_constant_follows_from_nothing():
    replies = []
    for challenge in challenges(load(NAME), 1)["weighted"]:
        zeros = {name: np.zeros_like(challenge.given[name[1:]]) for name in module.GRADIENT_NAMES}
        own = {f"{kind}{name}": value for name, value in zeros.items() for kind in ("", "plain_", "moved_")}
        replies.append(Reply(challenge.given, own, challenge.shown))
    verdicts = module.WEIGHTED.judge(GRADIENTS, replies)
    assert {verdict.share for verdict in verdicts.values()} == {0.0}


def test_a_step_that_moves_nothing_earns_no_parameter():
    """It did where the student's own gradients were zero."""
    question = module.EXERCISE.question("step_outputs")
    replies = []
    for challenge in challenges(load(NAME), 1)["step"]:
        old = {f"{name}_new": challenge.given[name] for name in ("W1", "b1", "W2", "b2")}
        replies.append(Reply(challenge.known, old | {"returned": challenge.kept["loss"]}))
    shares = {name: verdict.share for name, verdict in question.judge(question.lines, replies).items()}
    assert shares == {"W2_new": 0, "b2_new": 0, "W1_new": 0, "b1_new": 0, "returned": 1}


def test_output_weights_differ_and_no_two_sizes_are_equal():
    for challenge in challenges(load(NAME), 1)["weighted"]:
        assert len(np.unique(challenge.given["output_weights"])) == challenge.given["W2"].shape[0]
        if not challenge.shown:
            sizes = (*challenge.given["W1"].shape, challenge.given["W2"].shape[0], challenge.given["X"].shape[1])
            assert len(set(sizes)) == 4


def test_the_ranges_and_units_of_the_data(solved):
    names = solved(NAME)
    X, Y = names["air_data"](5000, seed=3)
    for row, low, high in zip(X, (-5, 20, 990, 0.5), (35, 95, 1035, 12)):
        assert low <= row.min() < low + 1
        assert high - 1 < row.max() <= high
    assert Y.min() > -10
    assert Y.max() < 130
    assert names["Y_train"].std(axis=1)[1:] == pytest.approx([20, 11], abs=1)


@pytest.mark.slow
def test_the_table_of_test_errors(solved, capsys):
    solved(NAME, "show")
    rows = {}
    for line in capsys.readouterr().out.splitlines():
        parts = line.rsplit(maxsplit=3)
        if len(parts) == 4 and parts[0] in (
            "always the mean",
            "raw numbers",
            "standardised, weights 1, 1, 1",
            "standardised, weights 9, 0.1, 0.1",
        ):
            rows[parts[0]] = [float(part) for part in parts[1:]]
    assert rows["always the mean"] == pytest.approx([13, 20, 11], abs=0.5)
    assert rows["raw numbers"] == pytest.approx(rows["always the mean"], abs=0.2)
    assert rows["standardised, weights 1, 1, 1"] == pytest.approx([3.3, 4.8, 2.5], abs=0.4)
    assert rows["standardised, weights 9, 0.1, 0.1"] == pytest.approx([2.4, 7, 5], abs=0.5)
