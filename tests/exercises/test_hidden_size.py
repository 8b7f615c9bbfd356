"""What the notebook hidden_size says, and how far a right table may lie from ours."""

import itertools
import sys

import mpmath
import numpy as np
import pytest

from autograder.exercise import Reply
from autograder.exercises import hidden_size as module
from autograder.exercises import load
from autograder.exercises.shared import noisy_moons
from autograder.marking import challenges

NAME = "hidden_size"


@pytest.fixture(scope="module")
def reference(root):
    """The names of the reference solution, without the cells that train for long."""
    sys.path.insert(0, str(root / "reference" / "toolkit"))
    try:
        text = (root / "reference" / "training" / f"{NAME}.py").read_text()
        wanted = (' given="setup"', ' student="study"', ' student="spread"')
        cells = [cell for cell in text.split("\n# %%") if cell.startswith(wanted)]
        names = {"__name__": "reference"}
        exec("\n".join(cell.split("\n", 1)[1] for cell in cells), names)
        yield names
    finally:
        sys.path.pop(0)


@pytest.fixture(scope="module")
def table(reference):
    data = [reference[name] for name in ("X_train", "Y_train", "X_test", "Y_test")]
    return np.array(reference["study"]((1, 2, 4, 20, 50), *data, 7_000, 1.0, 5.0, 1))


def test_data_and_settings_of_the_notebook_are_those_of_the_grader(reference):
    for name, mine in {"X": "X_train", "Y": "Y_train", "X_test": "X_test", "Y_test": "Y_test"}.items():
        np.testing.assert_array_equal(reference[mine], noisy_moons()[name])
    assert reference["SIZES"] == tuple(module.SETTINGS["sizes"])
    for name in ("epochs", "learning_rate", "weight_scale", "seed"):
        assert reference[name.upper()] == module.SETTINGS[name]


def test_shares_of_the_two_halves_cannot_be_confused():
    for challenge in challenges(load(NAME), 5)["studied"]:
        train, test = challenge.given["X"].shape[1], challenge.given["X_test"].shape[1]
        assert {k / train for k in range(1, train)}.isdisjoint({k / test for k in range(1, test)})


def test_the_rule_of_the_notebook():
    found = module.verdicts((7, 8, 9), (0.85, 0.97, 0.93), (0.7, 0.80, 0.90))
    assert found == {"underfits": [7], "fits": [9], "overfits": [8]}


def test_spread_against_mpmath():
    given = challenges(load(NAME), 1)["unit_spread"][1].known
    with mpmath.workdps(30):
        total = mpmath.mpf(0)
        for x in given["X"].T:
            a = [
                1 / (1 + mpmath.exp(-(mpmath.fdot(map(float, w), map(float, x)) + float(b[0]))))
                for w, b in zip(given["W1"], given["b1"])
            ]
            middle = sum(a) / len(a)
            total += mpmath.sqrt(sum((entry - middle) ** 2 for entry in a) / len(a))
        exact = float(module.spread_truth(given)["spread"])
        assert float(total / given["X"].shape[1]) == pytest.approx(exact, rel=1e-14)


def test_the_mini_example_of_spread():
    example = [[0.2, 0.5], [0.6, 0.9]]
    assert np.mean(np.std(example, axis=0)) == pytest.approx(0.2)
    assert np.mean(np.std(example, axis=1)) != pytest.approx(0.2), "it tells the axes apart"


@pytest.mark.slow
def test_a_table_is_marked_on_the_own_study_whatever_rows_are_asked_again():
    given, lines = challenges(load(NAME), 1)["handed_in"][0].given, load(NAME).question("table_rows").lines
    exact = {name: list(column) for name, column in module.truth(given).items()}
    constant = {"final_loss": [0.5] * 5, "train_accuracy": [0.9] * 5, "test_accuracy": [0.8] * 5}
    on_training = exact | {"test_accuracy": exact["train_accuracy"]}
    invented = exact | {"test_accuracy": [0.9, 0.9, 0.98, 0.93, 0.95]}
    for again in itertools.combinations(range(5), 2):

        def shares(table, study, again=again):
            rows = {f"again_{name}": [column[k] for k in again] for name, column in study.items()}
            reply = Reply(given | {"again": np.array(again)}, table | rows)
            return [verdict.share for verdict in module.table_by_training_again(lines, [reply]).values()]

        assert shares(exact, exact) == [1, 1, 1]
        assert shares(on_training, on_training) == [1, 1, 1]  # its mistake is marked in the study
        assert shares(on_training, exact)[2] == (again == (0, 1))  # as good with one and with two units
        assert shares(constant, constant) == [0, 0, 0]
        assert shares(invented, exact) == [1, 1, 0]
        assert shares(invented, on_training) == [1, 1, 0]


def test_the_points_are_those_of_the_sheet():
    assert load(NAME).points == 25


@pytest.mark.slow
def test_the_table_of_the_notebook(table):
    losses, on_train, on_test = table.T
    assert np.all(np.diff(losses) < 0)  # the training loss never shows overfitting
    assert np.all((on_train[:2] >= 0.80) & (on_train[:2] <= 0.86))
    assert np.all((on_test[:2] >= 0.80) & (on_test[:2] <= 0.835))
    assert on_train[2] == pytest.approx(0.94, abs=0.01)
    assert on_test[2] == pytest.approx(0.88, abs=0.005)
    assert np.all(on_train[3:] >= 0.985)
    assert np.all(np.abs(on_test[3:] - 0.86) < 0.006)
    assert module.verdicts((1, 2, 4, 20, 50), on_train, on_test) == {
        "underfits": [1, 2],
        "fits": [4],
        "overfits": [20, 50],
    }


@pytest.mark.slow
def test_the_defaults_hide_the_difference(reference):
    data = [reference[name] for name in ("X_train", "Y_train", "X_test", "Y_test")]
    table = np.array(reference["study"]((1, 2, 4, 20, 50), *data, 7_000, 0.1, 0.01, 1))
    assert np.all((table[:, 1] >= 0.80) & (table[:, 1] <= 0.85))
    for scale, expected in ((0.01, 0.002), (5.0, 0.37)):
        network = reference["SimpleNeuralNetwork"](2, 50, 1, rng=1, weight_scale=scale)
        assert reference["spread"](network, data[0]) == pytest.approx(expected, rel=0.25)


@pytest.mark.slow
def test_single_precision_stays_within_the_tolerance_and_other_tables_do_not(table):
    """Rounding is amplified over 7,000 epochs; what that does to a right table is measured here."""
    given = noisy_moons() | module.SETTINGS
    exact = module.truth(given)
    for name, column in zip(module.COLUMNS, table.T):
        assert module.near(name, column, exact[name])
    X, Y = given["X"].astype(np.float32), given["Y"].astype(np.float32)
    rows = []
    for size in given["sizes"]:
        rng = np.random.default_rng(1)
        W1 = (5 * rng.standard_normal((size, 2))).astype(np.float32)
        W2 = (5 * rng.standard_normal((1, size))).astype(np.float32)
        b1, b2 = np.zeros((size, 1), np.float32), np.zeros((1, 1), np.float32)
        for _ in range(7_000):
            A1 = 1 / (1 + np.exp(-(W1 @ X + b1)))
            Z2 = W2 @ A1 + b2
            loss = np.mean(Y * np.logaddexp(0, -Z2) + (1 - Y) * np.logaddexp(0, Z2))
            error = (1 / (1 + np.exp(-Z2)) - Y) / np.float32(80)
            signal = (W2.T @ error) * A1 * (1 - A1)
            W2, b2 = W2 - error @ A1.T, b2 - error.sum(axis=1, keepdims=True)
            W1, b1 = W1 - signal @ X.T, b1 - signal.sum(axis=1, keepdims=True)
        shares = [
            np.mean((W2 @ (1 / (1 + np.exp(-(W1 @ P + b1)))) + b2 > 0) == (T > 0.5))
            for P, T in ((X, Y), (given["X_test"], given["Y_test"]))
        ]
        rows.append((loss, *shares))
    single = dict(zip(module.COLUMNS, np.array(rows, dtype=float).T))
    assert all(module.near(name, single[name], exact[name]) for name in module.COLUMNS)
    assert not module.near("test_accuracy", exact["train_accuracy"], exact["test_accuracy"])
    assert not module.near("final_loss", 2 * exact["final_loss"], exact["final_loss"])


@pytest.mark.slow
def test_two_units_draw_a_boundary_with_two_bends(reference):
    """The second derivative of the height of the boundary has one sign at each bend, and another sign at the other."""
    network = reference["SimpleNeuralNetwork"](2, 2, 1, rng=1, weight_scale=5.0)
    network.train(reference["X_train"], reference["Y_train"], 7_000, 1.0)
    turns = _turns(network, np.linspace(-1.2, 2.2, 120))
    assert len(turns) == 2
    assert turns[0] * turns[1] < 0
    straight = reference["SimpleNeuralNetwork"](2, 1, 1, rng=1, weight_scale=5.0)
    straight.train(reference["X_train"], reference["Y_train"], 7_000, 1.0)
    assert not _turns(straight, np.linspace(-1.2, 2.2, 120))


def _turns(network, line):
    """How far the direction of the boundary turns at each of its bends, left then right."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    x, y = np.meshgrid(line, np.linspace(-1.5, 2, 400))
    height = network.forward_pass(np.stack([x.ravel(), y.ravel()])).reshape(x.shape)
    figure, ax = plt.subplots()
    (path,) = ax.contour(x, y, height, levels=[0.5]).get_paths()
    plt.close(figure)
    steps = np.diff(path.interpolated(1).vertices[::4], axis=0)
    angles = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
    turn, found = np.diff(angles), []
    for change in turn[np.abs(turn) > 1e-4]:
        if found and found[-1] * change > 0:
            found[-1] += change
        else:
            found.append(change)
    return [total for total in found if abs(total) > np.radians(20)]
