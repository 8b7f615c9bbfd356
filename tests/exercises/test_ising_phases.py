"""ising_phases: the shipped data, the false alarms of the statistical marks, and the claims of the notebook."""

import json
import runpy
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from sample_kit import sampled

from autograder.exercise import Reply
from autograder.exercises import ising_phases as exercise
from autograder.exercises import toy_lattices
from autograder.marking import chance
from autograder.marking.mark import challenges

ROOT = Path(__file__).parents[2]
FILE = ROOT / "reference" / "foundations" / "data" / "ising_metropolis.npz"
T_C = 2 / np.log(1 + np.sqrt(2))


def _asked(probe, seed):
    return [challenge.given for challenge in challenges(exercise.EXERCISE, seed)[probe.name]]


def _data():
    with np.load(FILE) as data:
        return data["spins"], data["temperature"]


# The shipped data


@pytest.mark.slow
def test_the_generator_makes_the_shipped_data_bit_for_bit():
    made = runpy.run_path(str(ROOT / "tools" / "make_ising.py"))["make"]()
    spins, temperature = _data()
    assert np.array_equal(made["spins"], spins)
    assert np.array_equal(made["temperature"], temperature)
    assert spins.dtype == made["spins"].dtype == np.int8
    assert FILE.stat().st_size < 100_000


def test_it_holds_what_the_notebook_says():
    spins, temperature = _data()
    assert spins.shape == (16, 900)
    assert set(np.unique(spins)) == {-1, 1}
    values, counts = np.unique(temperature, return_counts=True)
    assert values.tolist() == [1, 1.5, 2, 3, 4, 5]
    assert counts.tolist() == [150] * 6
    assert pytest.approx(2.269, abs=5e-4) == T_C
    magnetisation = spins.mean(axis=0)[temperature < T_C]
    assert 0.4 < np.mean(magnetisation < 0) < 0.6
    assert not np.any(magnetisation == 0) or np.mean(magnetisation == 0) < 0.02


@cache
def _states():
    """All 65,536 lattices of 4 x 4: energy and absolute magnetisation."""
    states = 2 * ((np.arange(2**16)[:, None] >> np.arange(16)) & 1).astype(np.int8) - 1
    lattices = states.reshape(-1, 4, 4)
    energy = -sum(np.sum(lattices * np.roll(lattices, 1, axis), axis=(1, 2), dtype=int) for axis in (1, 2))
    return energy, np.abs(states.mean(axis=1))


@pytest.mark.parametrize("T", [1.0, 1.5, 2.0, 3.0, 4.0, 5.0])
def test_energy_and_magnetisation_agree_with_the_exact_sums_over_all_states(T):
    spins, temperature = _data()
    energy, magnetisation = _states()
    weight = np.exp(-(energy - energy.min()) / T)
    weight /= weight.sum()
    mine = spins[:, temperature == T].T.reshape(-1, 4, 4)
    measured = {
        "energy": -sum(np.sum(mine * np.roll(mine, 1, axis), axis=(1, 2), dtype=int) for axis in (1, 2)),
        "magnetisation": np.abs(mine.mean(axis=(1, 2))),
    }
    for name, values in (("energy", energy), ("magnetisation", magnetisation)):
        mean = weight @ values
        deviation = np.sqrt(weight @ (values - mean) ** 2 / 150)
        assert abs(measured[name].mean() - mean) < 4 * deviation + 1e-12, name


def test_neighbours_agree_more_often_than_not_above_the_critical_temperature():
    spins, temperature = _data()
    hot = spins[:, temperature == 3].T.reshape(-1, 4, 4)
    assert np.mean(hot == np.roll(hot, 1, axis=1)) > 0.6


# The statistical marks


def _right_generator(n, L, rng):
    Y = np.repeat([[0, 1]], n // 2, axis=1)
    return np.where(rng.random((L * L, n)) < np.where(Y == 0, 0.9, 0.5), 1, -1).astype(np.int8), Y


def _generator_alarms(runs, n, L):
    """How many of so many right generators lose anything."""
    lines, alarms = exercise.EXERCISE.question("toy_generator").lines, 0
    for seed in range(runs):
        X, Y = _right_generator(n, L, np.random.default_rng(seed))
        given = {"n_samples": np.array(n), "L": np.array(L), "seed": np.array(seed)}
        reply = Reply(given, {"X": X, "Y": Y, "same": True, "fresh": True})
        verdicts = toy_lattices.judge_generator(lines, [reply])
        alarms += any(verdict.share < 1 for verdict in verdicts.values())
    return alarms


@pytest.mark.slow
def test_a_right_generator_is_called_wrong_less_often_than_six_checks_allow(monkeypatch):
    runs = 1000
    assert _generator_alarms(runs, 200, 4) == 0
    assert 6 * 3 * chance.FALSE_ALARM < 1e-7  # the notebook: less than once in ten million runs
    monkeypatch.setattr(chance, "FALSE_ALARM", 0.02)
    assert _generator_alarms(runs, 200, 4) <= 6 * 0.02 * runs


@pytest.mark.slow
def test_a_right_split_is_called_wrong_less_often_than_three_checks_allow(monkeypatch):
    monkeypatch.setattr(chance, "FALSE_ALARM", 0.02)
    lines, runs, alarms = exercise.EXERCISE.question("random_split").lines, 500, 0
    given = _asked(exercise.SPLITTING, 1)[0]
    for seed in range(runs):
        order = np.random.default_rng(seed).permutation(1000)
        train, test = order[:800], order[800:]
        X, Y = given["X"], given["Y"]
        parts = {"X_train": X[:, train], "Y_train": Y[:, train], "X_test": X[:, test], "Y_test": Y[:, test]}
        reply = Reply(given, parts | {"same": True, "fresh": True})
        verdicts = exercise.judge_split(lines, [reply])
        assert verdicts["sizes"].share == verdicts["pairs"].share == 1
        alarms += verdicts["chance"].share < 1
    assert alarms <= 3 * 0.02 * runs


@pytest.mark.parametrize("p", [0.85, 0.88])
def test_an_ordered_phase_that_is_a_little_off_is_seen_at_the_sizes_that_are_asked(p):
    question = exercise.EXERCISE.question("toy_generator")
    replies = []
    for given in _asked(toy_lattices.GENERATOR, 3):
        n, L = int(given["n_samples"]), int(given["L"])
        Y = np.repeat([[0, 1]], n // 2, axis=1)
        X = np.where(np.random.default_rng(1).random((L * L, n)) < np.where(Y == 0, p, 0.5), 1, -1)
        replies.append(Reply(given, {"X": X, "Y": Y, "same": True, "fresh": True}))
    verdicts = question.judge(question.lines, replies)
    assert {name: verdict.share for name, verdict in verdicts.items() if verdict.share < 1} == {"ordered": 0}


@pytest.mark.parametrize("odd", [None, "text", np.zeros((16, 1000)), np.full((16, 1000), np.nan), np.zeros(3)])
def test_odd_answers_are_marked_and_do_not_break_the_judges(odd):
    given = _asked(toy_lattices.GENERATOR, 1)[0]
    question = exercise.EXERCISE.question("toy_generator")
    verdicts = question.judge(question.lines, [Reply(given, {"X": odd, "Y": odd, "same": True, "fresh": False})])
    assert not any(verdict.share for verdict in verdicts.values())
    given = _asked(exercise.SPLITTING, 1)[0]
    question = exercise.EXERCISE.question("random_split")
    parts = dict.fromkeys(("X_train", "Y_train", "X_test", "Y_test"), odd)
    verdicts = question.judge(question.lines, [Reply(given, parts | {"same": True, "fresh": False})])
    assert not any(verdict.share for verdict in verdicts.values())


@pytest.mark.parametrize("seed", range(10))
def test_shares_over_the_training_set_and_over_everything_differ_from_the_one_over_any_test_set(seed):
    for given in _asked(exercise.EXPERIMENT, seed):
        m, n_train = given["X"].shape[1], int(given["n_train"])
        assert np.gcd(m, m - n_train) == np.gcd(n_train, m - n_train) == 1
        right = (given["P"] > 0.5) == given["Y"]
        assert right.mean() == pytest.approx(2 / 3)
        assert np.abs(given["P"] - 0.5).min() > 0.05


def test_points_add_up():
    assert exercise.EXERCISE.points == 25


# The claims of the notebook


def _network(X, Y, learning_rate=0.05):
    """The network of the notebook."""
    import warnings

    from sklearn.neural_network import MLPClassifier

    network = MLPClassifier(
        hidden_layer_sizes=(8,), activation="logistic", solver="sgd", momentum=0, alpha=0, batch_size=X.shape[1],
        learning_rate_init=learning_rate, max_iter=5000, tol=0, n_iter_no_change=5000, random_state=0,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network.fit(X.T, np.ravel(Y))
    return lambda samples: network.predict_proba(samples.T)[:, 1]


def _accuracies(model):
    spins, temperature = _data()
    label, magnetisation = temperature > T_C, spins.mean(axis=0)
    right = (model(spins.astype(float)) > 0.5) == label
    groups = {
        "up": ~label & (magnetisation > 0),
        "down": ~label & (magnetisation < 0),
        "T=3": temperature == 3,
        "T=5": temperature == 5,
    }
    return {name: right[mine].mean() for name, mine in groups.items()} | {"all": right.mean()}


@pytest.mark.slow
@pytest.mark.parametrize("seed", sampled([0, 1, 2], 0))
def test_toy_data_mislead_the_network_in_cold_lattices_that_point_down(seed):
    rng = np.random.default_rng(seed)
    X, Y = _right_generator(1000, 4, rng)
    order = rng.permutation(1000)
    model = _network(X[:, order[:800]], Y[:, order[:800]])
    on_test = np.mean((model(X[:, order[800:]]) > 0.5) == Y[0, order[800:]])
    assert on_test >= 0.94
    found = _accuracies(model)
    assert found["down"] < 0.03
    assert found["up"] > 0.97
    assert 0.6 < found["T=3"] < 0.9
    assert found["all"] < 0.7
    assert model(-np.ones((16, 1)))[0] > 0.99


@pytest.mark.slow
@pytest.mark.parametrize("seed", sampled([0, 1], 0))
def test_turning_half_of_the_samples_round_repairs_that_and_makes_hot_lattices_harder(seed):
    rng = np.random.default_rng(seed)
    X, Y = _right_generator(1000, 4, rng)
    X = X * rng.choice([-1, 1], size=1000)
    order = rng.permutation(1000)
    found = _accuracies(_network(X[:, order[:800]], Y[:, order[:800]], learning_rate=0.2))
    assert found["down"] >= 0.95
    assert found["up"] > 0.93
    assert found["T=3"] < 0.5


@pytest.mark.slow
def test_ones_own_network_is_taken_from_its_notebook_and_does_as_well(solved, tmp_path):
    """The one that is solved; the untouched one says what is missing; without the file there is none."""
    names = solved("ising_phases", "run", "own")
    losses, accuracies = names["losses"], names["accuracies"]
    assert set(losses) == {"scikit-learn", "your own network"}
    for name, curve in losses.items():
        assert len(curve) == 5000
        assert curve[-1] < 0.2, name
        assert accuracies[name] >= 0.94
    assert abs(losses["scikit-learn"][-1] - losses["your own network"][-1]) < 0.03
    untouched = names["own_network"](ROOT / "assignments" / "foundations" / "simple_network.ipynb")
    with pytest.raises(NotImplementedError):
        untouched(16, 8, 1).train(np.ones((16, 2)), np.ones((1, 2)), 1, 0.1)
    assert names["own_network"]("nowhere.ipynb") is None
    sources = (
        "%matplotlib inline", "import math\nprint(never)", "def helper(x):\n    return math.sqrt(x)",
        "# my network\nclass SimpleNeuralNetwork:\n    four = staticmethod(lambda: 2 * helper(4.0))",
    )  # fmt: skip
    path = tmp_path / "simple_network.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": [source]} for source in sources]}))
    assert names["own_network"](path).four() == 4, "with what stands beside the class"
