"""What the notebook sin_regression says, and how a network with a hidden activation of choice is marked."""

import numpy as np
import pytest

from autograder.exercise import Line, Reply
from autograder.exercises import load
from autograder.exercises import sin_regression as module
from autograder.marking import challenges

NAME = "sin_regression"
X = np.linspace(-np.pi, np.pi, 100).reshape(1, -1)
FIT = (Line("fit", 3),)


def reply(predicted, without=None, gradients=1.0, **values):
    """An answer about a fit: by default that of a class with right gradients."""
    without = np.zeros((1, 100)) if without is None else without
    given = challenges(load(NAME), 1)["fit"][0].given
    own = {n: v for n, v in module.TASKS["tanh"].truth(given).items() if n[0] in "ZA"}
    own |= {f"d{n}": gradients * module.TASKS["tanh"].truth(given)[f"d{n}"] for n in module.PARAMETERS}
    return Reply(given, own | {"fit": predicted, "without_output_layer": without} | values)


def test_the_best_straight_line():
    line = np.polyfit(X[0], np.sin(X[0]), 1)
    assert np.mean((np.polyval(line, X[0]) - np.sin(X[0])) ** 2) == pytest.approx(0.203, abs=5e-4)


def test_the_small_example():
    error = np.array([[1.0, 3.0], [0.0, 2.0]]) - np.array([[0.5, 4.0], [1.0, 2.0]])
    assert np.sum(error**2) / 2 == 1.125
    assert np.mean(error**2) != 1.125, "it tells the mean over the examples from that over everything"
    assert 2 * error[0, 0] / 2 == 0.5


@pytest.mark.parametrize(
    ("error", "share"), [(0.0, 1), (0.0099, 1), (0.011, 0.5), (0.0299, 0.5), (0.031, 0), (0.203, 0)]
)
def test_the_fit_is_marked_by_its_mean_squared_error(error, share):
    verdict = module.by_fit(FIT, [reply(np.sin(X) + np.sqrt(error))])["fit"]
    assert verdict.share == share
    assert verdict.status == ("correct" if share == 1 else "wrong")


@pytest.mark.slow
def test_wrong_gradients_are_not_charged_again_and_are_to_be_mended_first():
    verdicts = [module.by_fit(FIT, [reply(np.sin(X) + np.sqrt(e), gradients=0.7)])["fit"] for e in (0.02, 0.05, 0.07)]
    assert [verdict.share for verdict in verdicts] == [1, 0.5, 0]
    assert "gradients are not right yet" in verdicts[1].hint


def test_a_network_without_the_seed_is_named():
    verdict = module.by_fit(FIT, [reply(np.sin(X), same=False, fresh=True)])["fit"]
    assert verdict.mistakes == ("seed-missing",)
    assert 0 < verdict.share < 1


def test_the_worst_seed_counts():
    assert module.by_fit(FIT, [reply(np.sin(X)), reply(np.zeros_like(X) + 0.01)])["fit"].share == 0


@pytest.mark.parametrize(
    "bad",
    [
        reply(np.sin(X), np.sin(X)),
        reply(np.sin(X).ravel()),
        reply(np.full_like(X, np.nan)),
        reply("sin"),
    ],
)
def test_what_is_no_prediction_of_a_network_earns_nothing(bad):
    verdict = module.by_fit(FIT, [bad])["fit"]
    assert verdict.share == 0
    assert verdict.message


@pytest.mark.parametrize("hidden", ["tanh", "sigmoid"])
def test_the_hidden_activation_is_read_off_the_answers(hidden):
    given = challenges(load(NAME), 3)["gradients"]
    replies = []
    for challenge in given:
        results = module.TASKS[hidden].network(challenge.given).evaluate(challenge.given)
        replies.append(Reply(challenge.given, results, challenge.shown))
    assert module.chosen(replies) == (hidden,)
    lines = tuple(Line(name, 1) for name in ("dW2", "db2", "dW1", "db1"))
    assert {verdict.status for verdict in module.by_network(lines, replies).values()} == {"correct"}


def test_the_gradients_agree_with_central_differences():
    challenge = challenges(load(NAME), 5)["gradients"][1].given
    for hidden in module.HIDDEN:
        network = module.TASKS[hidden].network(challenge)
        exact = network.evaluate(challenge)
        for name in network.parameters:
            for index in np.ndindex(challenge[name].shape):
                moved = []
                for step in (1e-5, -1e-5):
                    parameter = challenge[name].copy()
                    parameter[index] += step
                    moved.append(float(network.evaluate({**challenge, name: parameter}, exact=False)["loss"]))
                assert exact[f"d{name}"][index] == pytest.approx((moved[0] - moved[1]) / 2e-5, abs=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [range(6), pytest.param(range(6, 40), marks=pytest.mark.long)])
def test_the_reference_reaches_the_aim_from_forty_seeds(solved, seeds):
    fit_sine = solved(NAME)["fit_sine"]
    errors = [np.mean((fit_sine(seed).forward_pass(X) - np.sin(X)) ** 2) for seed in seeds]
    assert max(errors) < 0.007


@pytest.mark.slow
def test_far_outside_the_prediction_is_flat(solved):
    network = solved(NAME)["fit_sine"](1)
    far = network.forward_pass(np.array([[100.0, 200.0, -100.0, -200.0]]))[0]
    assert far[0] == pytest.approx(far[1], abs=0.05)
    assert far[2] == pytest.approx(far[3], abs=0.05)
