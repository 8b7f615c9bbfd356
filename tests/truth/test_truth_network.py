"""The exact gradients against everything that is independent of them."""

from functools import cache

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.truth import ACTIVATIONS, LOSSES, Network, Reading, derivative, derivative_from_output, many_digits
from autograder.truth.functions import SCALAR, far_out
from autograder.truth.network import _program, stages
from autograder.truth.programs import of_text

SHAPES = [(2, 3, 1), (3, 4, 2), (4, 2, 3), (3, 2, 4, 2)]

CASES = [
    (("tanh", "sigmoid"), "bce"),
    (("sigmoid", "sigmoid"), "mse"),
    (("relu", "linear"), "mse"),
    (("xtanhx", "linear"), "weighted-mse"),
    (("tanh", "softmax"), "ce"),
    (("sigmoid", "linear"), "hinge"),
]


def point(sizes, loss, examples=5, seed=0):
    """Inputs and parameters of order one for a network of these sizes."""
    rng = np.random.default_rng(seed)
    values = {"X": rng.normal(size=(sizes[0], examples)), "reg_lambda": np.array(0.7), "learning_rate": np.array(0.3)}
    if loss == "bce":
        values["Y"] = rng.integers(0, 2, (sizes[-1], examples)).astype(float)
    elif loss == "ce":
        values["Y"] = np.eye(sizes[-1])[:, rng.integers(0, sizes[-1], examples)]
    elif loss == "hinge":
        values["Y"] = rng.choice([-1.0, 1.0], (sizes[-1], examples))
    else:
        values["Y"] = rng.normal(size=(sizes[-1], examples))
    values["output_weights"] = rng.uniform(0.5, 2, (sizes[-1], 1))
    for layer in range(1, len(sizes)):
        values[f"W{layer}"] = rng.normal(size=(sizes[layer], sizes[layer - 1]))
        values[f"b{layer}"] = rng.normal(size=(sizes[layer], 1))
    return values


def networks(sample=False):
    """Every case at every shape, with the penalty for one hidden layer and without it for two.

    Of a ``sample`` each case is at one shape in CI, and each shape comes up; the others are long.
    """
    found = []
    for sizes in SHAPES:
        for number, (activations, loss) in enumerate(CASES):
            deep = (activations[0],) * (len(sizes) - 2) + (activations[1],)
            marks = pytest.mark.long if sample and sizes != SHAPES[number % len(SHAPES)] else ()
            network = Network(sizes, deep, loss, penalty=len(sizes) == 3)
            found.append(pytest.param(network, id=f"{sizes}-{deep}-{loss}", marks=marks))
    return found


@cache
def forward_formula(activation, size):
    """The activation of a layer of this size for mpmath: the forward expression, nothing else."""
    z = sp.symbols(f"z0:{size}")
    return sp.lambdify([z], ACTIVATIONS[activation](z), "mpmath")


@pytest.mark.slow
@pytest.mark.parametrize("network", networks())
def test_gradients_equal_central_differences_at_fifty_digits(network):
    values = point(network.sizes, network.loss)
    exact = network.evaluate(values)
    with mpmath.workdps(50):
        step = mpmath.mpf(10) ** -15
        state = {key: [[mpmath.mpf(x) for x in row] for row in np.atleast_2d(v).tolist()] for key, v in values.items()}
        for name in network.parameters:
            for i, j in np.ndindex(values[name].shape):
                kept, losses = state[name][i][j], []
                for move in (step, -step):
                    state[name][i][j] = kept + move
                    losses.append(loss_at(network, state))
                state[name][i][j] = kept
                up, down = losses
                assert float((up - down) / (2 * step)) == pytest.approx(exact[f"d{name}"][i, j], rel=1e-12, abs=1e-15)


def loss_at(network, state):
    """The loss at 50 digits: forward formulas only."""
    each = []
    for k in range(len(state["X"][0])):
        a = [row[k] for row in state["X"]]
        for layer in range(1, network.depth + 1):
            z = [mpmath.fdot(row, a) + b for row, (b,) in zip(state[f"W{layer}"], state[f"b{layer}"])]
            a = forward_formula(network.activations[layer - 1], len(z))(z)
        y = [row[k] for row in state["Y"]]
        each.append(_loss(network.loss, a, y, [weight for (weight,) in state["output_weights"]]))
    total = mpmath.fsum(each) / len(each)
    if network.penalty:
        layers = range(1, network.depth + 1)
        squares = mpmath.fsum(x**2 for layer in layers for row in state[f"W{layer}"] for x in row)
        total += state["reg_lambda"][0][0] / (2 * len(each)) * squares
    return total


def _loss(name, a, y, weights):
    return {
        "bce": lambda: sum(-(t * mpmath.log(p) + (1 - t) * mpmath.log(1 - p)) for p, t in zip(a, y)),
        "ce": lambda: sum(-t * mpmath.log(p) for p, t in zip(a, y)),
        "mse": lambda: sum((p - t) ** 2 for p, t in zip(a, y)),
        "weighted-mse": lambda: sum(w * (p - t) ** 2 for p, t, w in zip(a, y, weights)),
        "hinge": lambda: sum(max(0, 1 - t * p) for p, t in zip(a, y)),
    }[name]()


@pytest.mark.slow
@pytest.mark.parametrize(
    "sizes", [SHAPES[0], *(pytest.param(s, marks=m) for s, m in zip(SHAPES[1:3], (pytest.mark.slow, pytest.mark.long)))]
)
@pytest.mark.parametrize(("activations", "loss"), CASES)
def test_the_chain_rule_over_stages_equals_differentiating_the_composed_loss(sizes, activations, loss):
    """One example's loss as a single expression, differentiated by sympy in one step.

    Every entry at the smallest shape, one of each parameter at the others: composed derivatives are large.
    """
    network = Network(sizes, activations, loss)
    values = point(sizes, loss, examples=1)
    composed = {}
    for stage in stages(network, Reading.FROM_PRE_ACTIVATION, False):
        if stage.name.startswith("d"):
            break
        names = ["loss_0_0"] if stage.name == "loss" else [f"{stage.name}_{i}_0" for i in range(stage.shape[0])]
        for name, entry in zip(names, stage.each):
            expression = sum(term.expression for term in entry)
            composed[sp.Symbol(name, real=True)] = expression.subs(composed)
    loss_expression = composed[sp.Symbol("loss_0_0", real=True)]
    numbers = {
        sp.Symbol(f"{name}_{i}_{j}", real=True): sp.Rational(*float(value[i, j]).as_integer_ratio())
        for name, value in values.items()
        if value.ndim == 2
        for i, j in np.ndindex(value.shape)
    }
    exact = network.evaluate(values)
    for name in network.parameters:
        entries = list(np.ndindex(values[name].shape))
        for i, j in entries if sizes == SHAPES[0] else entries[-1:]:
            whole = sp.diff(loss_expression, sp.Symbol(f"{name}_{i}_{j}", real=True))
            assert float(whole.evalf(40, subs=numbers)) == pytest.approx(exact[f"d{name}"][i, j], rel=1e-14, abs=1e-300)


@pytest.mark.parametrize("reading", Reading)
@pytest.mark.parametrize(("activations", "loss"), CASES)
def test_what_is_computed_is_what_sympy_makes_of_the_same_expressions(activations, loss, reading):
    """To the last bit, once rounded: each stage by ``lambdify``, at numbers of its own."""
    rng = np.random.default_rng(4)
    for stage in stages(Network((2, 3, 2), activations, loss, penalty=True), reading, True):
        for entries in filter(any, (stage.each, stage.once)):
            names, returned = _program(entries, True)
            program = of_text(names, returned, True)
            wholes = [sum(term.expression for term in entry) for entry in entries]
            assert set(names) == {str(symbol) for whole in wholes for symbol in sp.sympify(whole).free_symbols}
            direct = sp.lambdify(names, wholes, "mpmath")
            with many_digits():
                at = [mpmath.mpf(value) for value in rng.uniform(0.1, 0.9, len(names))]
                assert [float(value) for value in program(*at)] == [float(value) for value in direct(*at)], stage.name


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_is_a_sum_over_the_outputs(loss):
    a, y, w = (sp.symbols(f"{name}0:3", positive=True) for name in "ayw")
    each = [LOSSES[loss]([ak], [yk], [wk]) for ak, yk, wk in zip(a, y, w)]
    assert LOSSES[loss](a, y, w) == sum(each)


@pytest.mark.parametrize("replaced", [(), ("A1",), ("dZ2",), ("A1", "dZ1")])
@pytest.mark.parametrize("name", ["Z2", "dZ1", "dW1", "db2", "loss", "W1_new"])
def test_only_what_is_asked_for_is_the_same(name, replaced):
    network = Network((2, 3, 2), ("tanh", "sigmoid"), "bce", penalty=True)
    values, rng = point(network.sizes, "bce"), np.random.default_rng(6)
    own = {one: rng.normal(size=network.shape(one, 5)) for one in replaced}
    whole, part = network.evaluate(values, own), network.evaluate(values, own, only=(name,))
    np.testing.assert_array_equal(part[name], whole[name])
    assert len(part) < len(whole)


JAX_ACTIVATIONS = {
    "linear": lambda jnp, z: z,
    "sigmoid": lambda jnp, z: 1 / (1 + jnp.exp(-z)),
    "tanh": lambda jnp, z: jnp.tanh(z),
    "relu": lambda jnp, z: jnp.maximum(z, 0),
    "xtanhx": lambda jnp, z: z * jnp.tanh(z),
    "softmax": lambda jnp, z: jnp.exp(z) / jnp.exp(z).sum(0, keepdims=True),
}


def array_loss(jnp, network, values, parameters):
    """The mean loss with any array library that has numpy's names."""
    a = values["X"]
    for layer in range(1, network.depth + 1):
        z = parameters[f"W{layer}"] @ a + parameters[f"b{layer}"]
        a = JAX_ACTIVATIONS[network.activations[layer - 1]](jnp, z)
    y, w = values["Y"], values["output_weights"]
    each = {
        "bce": lambda: -(y * jnp.log(a) + (1 - y) * jnp.log(1 - a)),
        "ce": lambda: -y * jnp.log(a),
        "mse": lambda: (a - y) ** 2,
        "weighted-mse": lambda: w * (a - y) ** 2,
        "hinge": lambda: jnp.maximum(1 - y * a, 0 * a),
    }[network.loss]()
    m = y.shape[1]
    loss = each.sum() / m
    if network.penalty:
        layers = range(1, network.depth + 1)
        loss = loss + values["reg_lambda"] / (2 * m) * sum((parameters[f"W{layer}"] ** 2).sum() for layer in layers)
    return loss


@pytest.mark.slow
@pytest.mark.parametrize("network", networks(sample=True))
def test_gradients_equal_jax(network):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    values = point(network.sizes, network.loss, seed=3)
    parameters = {name: jax.numpy.asarray(values[name]) for name in network.parameters}
    found = jax.jit(jax.grad(lambda p: array_loss(jax.numpy, network, values, p)))(parameters)
    exact = network.evaluate(values)
    for name in network.parameters:
        np.testing.assert_allclose(np.asarray(found[name]), exact[f"d{name}"], rtol=1e-11, atol=1e-14)


@pytest.mark.slow
@pytest.mark.parametrize("network", networks(sample=True))
def test_gradients_equal_pytorch(network):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: make crosscheck")

    class Names:
        """numpy's names for what the loss uses."""

        exp, log, tanh = torch.exp, torch.log, torch.tanh

        @staticmethod
        def maximum(a, b):
            return torch.maximum(a, torch.as_tensor(b, dtype=a.dtype))

    values = {k: torch.tensor(v, dtype=torch.float64) for k, v in point(network.sizes, network.loss, seed=4).items()}
    parameters = {name: values[name].clone().requires_grad_() for name in network.parameters}
    array_loss(Names, network, values, parameters).backward()
    exact = network.evaluate({name: value.numpy() for name, value in values.items()})
    for name in network.parameters:
        np.testing.assert_allclose(parameters[name].grad.numpy(), exact[f"d{name}"], rtol=1e-11, atol=1e-14)


def test_every_activation_and_loss_is_cross_checked():
    assert {a for activations, _ in CASES for a in activations} == set(ACTIVATIONS)
    assert {loss for _, loss in CASES} == set(LOSSES)


def test_float64_evaluation_agrees_with_the_exact_one():
    network = Network((3, 4, 2), ("tanh", "sigmoid"), "bce", penalty=True)
    values = point(network.sizes, network.loss)
    exact, fast = network.evaluate(values), network.evaluate(values, exact=False)
    assert exact.keys() == fast.keys()
    for name in exact:
        np.testing.assert_allclose(fast[name], exact[name], rtol=1e-12, atol=1e-15)


def test_results_are_rounded_once():
    """0.1 * 0.3 is not representable: the product rounded once differs from the product of rounded factors."""
    network = Network((1, 1), ("linear",), "mse")
    values = {"X": np.array([[0.1]]), "W1": np.array([[0.3]]), "b1": np.array([[0.7]]), "Y": np.array([[0.2]])}
    exact = sp.Rational(*(0.3).as_integer_ratio()) * sp.Rational(*(0.1).as_integer_ratio()) + sp.Rational(
        *(0.7).as_integer_ratio()
    )
    assert network.evaluate(values)["Z1"][0, 0] == float(exact)


def test_both_readings_agree_on_a_real_forward_pass():
    network = Network((3, 4, 2), ("tanh", "sigmoid"), "bce")
    values = point(network.sizes, network.loss)
    one, two = (network.evaluate(values, reading=reading) for reading in Reading)
    for name in one:
        np.testing.assert_allclose(two[name], one[name], rtol=1e-13, atol=1e-16)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), slip=st.floats(-0.4, 0.4))
def test_follow_through_uses_the_students_own_activations(seed, slip):
    """With a wrong A1, dW2 is the outer product of the right error (given that A1) and that A1."""
    network = Network((3, 4, 2), ("tanh", "sigmoid"), "bce")
    values = point(network.sizes, network.loss, seed=seed)
    wrong = np.tanh(network.evaluate(values, exact=False)["Z1"]) + slip
    followed = network.evaluate(values, {"A1": wrong}, exact=False)
    z2 = values["W2"] @ wrong + values["b2"]
    a2 = 1 / (1 + np.exp(-z2))
    np.testing.assert_allclose(followed["dW2"], (a2 - values["Y"]) @ wrong.T / 5, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(followed["A1"], np.tanh(followed["Z1"]), rtol=1e-12)


@pytest.mark.parametrize("name", SCALAR)
def test_the_derivative_from_the_output_is_the_derivative(name):
    z, a = sp.Symbol("z", real=True), sp.Symbol("a", real=True)
    from_output = derivative_from_output(name)
    if from_output is None:
        assert name == "xtanhx"
        return
    for number in (sp.Rational(-3, 4), sp.Rational(1, 3), sp.Rational(5, 4)):
        value = SCALAR[name](z).subs(z, number)
        assert abs(float((derivative(name).subs(z, number) - from_output.subs(a, value)).evalf(30))) < 1e-25


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (((2, 3), ("tanh", "sigmoid"), "bce"), "2 sizes need 1 activations"),
        (((2, 3, 1), ("tanh", "tan"), "bce"), "unknown activation"),
        (((2, 3, 1), ("tanh", "sigmoid"), "cross"), "unknown loss"),
    ],
)
def test_contradictory_networks_are_refused(arguments, reason):
    with pytest.raises(ValueError, match=reason):
        Network(*arguments)


def test_missing_and_misshapen_inputs_are_named():
    network = Network((3, 4, 2), ("tanh", "sigmoid"), "bce")
    values = point(network.sizes, network.loss)
    with pytest.raises(KeyError, match="b1 is missing"):
        network.evaluate({name: value for name, value in values.items() if name != "b1"})
    with pytest.raises(ValueError, match=r"W1 has shape \(3, 4\); \(4, 3\) is needed"):
        network.evaluate(values | {"W1": values["W1"].T})


@pytest.mark.slow
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("name", SCALAR)
def test_what_is_left_far_out_is_the_limit_of_sympy(name, sign):
    z = sp.Symbol("z", real=True)
    if name == "relu":
        with pytest.raises(ValueError, match="not known far out"):
            far_out(derivative(name), sign)
        return
    for formula in (SCALAR[name](z), derivative(name)):
        assert far_out(formula, sign) == sp.limit(formula, z, sign * sp.oo)
