"""What the notebook l2_regularization says, and how it is marked."""

import sys

import numpy as np
import pytest

from autograder.exercises import l2_regularization as module
from autograder.exercises import load
from autograder.marking import challenges
from autograder.truth import descent

NAME = "l2_regularization"
LAMBDAS = (0, 0.01, 0.1, 1, 10)


@pytest.fixture(scope="module")
def table(root):
    """The table of the reference solution at the settings of the notebook."""
    sys.path.insert(0, str(root / "reference" / "toolkit"))
    try:
        text = (root / "reference" / "training" / f"{NAME}.py").read_text()
        cells = [cell for cell in text.split("\n# %%") if cell.startswith((" student=", ' given="setup"'))]
        names = {"__name__": "reference"}
        exec("\n".join(cell.split("\n", 1)[1] for cell in cells), names)
        moons = module.noisy_moons()
        data = [moons[name] for name in ("X", "Y", "X_test", "Y_test")]
        return names["lambda_study"](LAMBDAS, *data, 4_000, 1.0, 1)
    finally:
        sys.path.pop(0)


@pytest.mark.slow
def test_loss_and_gradients_are_those_of_jax():
    jax = pytest.importorskip("jax")  # here, since every collection of tests would take as long
    jnp = jax.numpy
    jax.config.update("jax_enable_x64", True)

    def jax_loss(parameters, X, Y, reg_lambda):
        W1, b1, W2, b2 = parameters
        Z2 = W2 @ jax.nn.sigmoid(W1 @ X + b1) + b2
        data = jnp.sum(Y * jnp.logaddexp(0, -Z2) + (1 - Y) * jnp.logaddexp(0, Z2)) / X.shape[1]
        return data + reg_lambda / (2 * X.shape[1]) * (jnp.sum(W1**2) + jnp.sum(W2**2))

    for challenge in challenges(load(NAME), 4)["gradients"][1:3]:
        given = challenge.given
        parameters = [jnp.array(given[name]) for name in ("W1", "b1", "W2", "b2")]
        arguments = jnp.array(given["X"]), jnp.array(given["Y"]), float(given["reg_lambda"])
        exact = module.L2.truth(given)
        loss, gradients = jax.jit(jax.value_and_grad(jax_loss))(parameters, *arguments)
        assert float(loss) == pytest.approx(float(exact["loss"]), rel=1e-12)
        for name, gradient in zip(("W1", "b1", "W2", "b2"), gradients):
            np.testing.assert_allclose(np.asarray(gradient), exact[f"d{name}"], rtol=1e-10, atol=1e-14)


def test_the_mini_example_of_the_notebook():
    """With A2 = 1/2 everywhere the data term is log 2, and the rest is the penalty."""
    state = {"W1": np.array([[1.0], [-2.0]]), "b1": np.zeros((2, 1)), "W2": np.array([[3.0, 0.0]])}
    state["b2"] = np.array([[-1.5]])
    loss = descent.loss(state, np.zeros((1, 5)), np.zeros((1, 5)), reg_lambda=2)
    assert loss - np.log(2) == pytest.approx(2.8)


def test_the_points_are_those_of_the_sheet():
    assert load(NAME).points == 25


@pytest.mark.slow
def test_without_a_penalty_fifty_units_overfit(table):
    on_train, on_test, _ = table[0]
    assert 0.98 <= on_train <= 1.0
    assert 0.85 <= on_test <= 0.87


@pytest.mark.slow
def test_a_middle_strength_helps_on_new_data(table):
    assert table[1][1] == pytest.approx(0.88, abs=0.006)
    assert table[2][1] == pytest.approx(0.88, abs=0.006)
    assert abs(table[2][0] - table[2][1]) < 0.01  # training and test accuracy agree at 0.1
    assert min(table[1][1], table[2][1]) > table[0][1] + 0.01


@pytest.mark.slow
def test_too_strong_a_penalty_leaves_nothing(table):
    assert 0.80 <= table[3][0] <= 0.83
    assert table[4][1] == pytest.approx(0.5, abs=0.05)
    assert table[4][2] < 0.01


@pytest.mark.slow
def test_the_weights_shrink_with_the_strength(table):
    squares = [row[2] for row in table]
    assert squares == sorted(squares, reverse=True)


def test_the_data_of_the_notebook_are_those_of_the_grader(root):
    text = (root / "reference" / "training" / f"{NAME}.py").read_text()
    (cell,) = [cell for cell in text.split("\n# %%") if cell.startswith(' given="data"')]
    names = {"np": np}
    exec(cell.split("\n", 1)[1], names)
    for mine, name in zip(names["noisy_moons"](), ("X", "Y", "X_test", "Y_test")):
        np.testing.assert_array_equal(mine, module.noisy_moons()[name])


def test_a_bias_moves_a_unit_and_its_weight_makes_it_steep():
    z = np.linspace(-8, 8, 160_001)
    for w, b in ((1.0, 0.0), (1.0, 3.0), (6.0, 3.0)):
        slope = np.gradient(1 / (1 + np.exp(-(w * z + b))), z)
        assert slope.max() == pytest.approx(w / 4, rel=1e-4)
        assert z[slope.argmax()] == pytest.approx(-b / w, abs=1e-3)


@pytest.mark.slow
def test_the_strengths_to_choose_and_the_one_that_leaves_nothing_are_those_of_the_table(table):
    on_test = np.array([row[1] for row in table])
    best = {LAMBDAS[i] for i in np.flatnonzero(on_test > on_test.max() - 0.01)}
    chosen, nothing = module.CHOICE["chosen_lambda"], module.CHOICE["nothing_left"]
    assert {chosen.true(), *chosen.also} == best
    assert nothing.true() == LAMBDAS[int(np.argmin(np.abs(on_test - 0.5)))]
