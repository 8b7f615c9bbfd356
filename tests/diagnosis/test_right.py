"""The right gradients inside the engine are those of an unrelated autograd engine."""

import itertools

import numpy as np
import pytest
from diagnosis_kit import bench

from autograder.diagnosis import Point, Spec, explain, mutate


@pytest.fixture(scope="module", autouse=True)
def with_jax():
    """It is imported for the first test, not whenever tests are collected."""
    global jax, jnp
    jax = pytest.importorskip("jax")
    jnp = jax.numpy


HIDDEN = ("sigmoid", "tanh", "relu", "xtanhx", "linear")
MORE = ("leaky-relu", "elu", "softplus", "silu", "gelu")
ENDS = (
    ("sigmoid", "bce"),
    ("softmax", "ce"),
    *itertools.product(("sigmoid", "softmax", "linear"), ("mse", "half-mse", "weighted-mse")),
    ("linear", "hinge"),
)
PENALTIES = ("none", "half-lambda-over-m", "half-lambda", "lambda")
ACTIVATIONS = {
    "sigmoid": lambda z: 1 / (1 + jnp.exp(-z)),
    "tanh": lambda z: jnp.tanh(z),
    "relu": lambda z: jnp.where(z > 0, z, 0.0),
    "xtanhx": lambda z: z * jnp.tanh(z),
    "linear": lambda z: z,
    "leaky-relu": lambda z: jax.nn.leaky_relu(z),
    "elu": lambda z: jax.nn.elu(z),
    "softplus": lambda z: jax.nn.softplus(z),
    "silu": lambda z: jax.nn.silu(z),
    "gelu": lambda z: jax.nn.gelu(z, approximate=False),
    "softmax": lambda z: jnp.exp(z) / jnp.exp(z).sum(axis=0, keepdims=True),
}
TERMS = {
    "bce": lambda a, y, w: -(y * jnp.log(a) + (1 - y) * jnp.log(1 - a)),
    "ce": lambda a, y, w: -y * jnp.log(a),
    "mse": lambda a, y, w: (a - y) ** 2,
    "half-mse": lambda a, y, w: (a - y) ** 2 / 2,
    "weighted-mse": lambda a, y, w: w[:, None] * (a - y) ** 2,
    "mae": lambda a, y, w: jnp.abs(a - y),
    "huber": lambda a, y, w: jnp.where(jnp.abs(a - y) < 1, (a - y) ** 2 / 2, jnp.abs(a - y) - 0.5),
    "hinge": lambda a, y, w: jnp.where(1 - y * a > 0, 1 - y * a, 0.0),
}


def loss(parameters, spec, inputs):
    a = inputs["X"]
    for layer, name in enumerate((*spec.hidden, spec.output), 1):
        a = ACTIVATIONS[name](parameters[f"W{layer}"] @ a + parameters.get(f"b{layer}", 0.0))
    terms = TERMS[spec.loss](a, inputs["Y"], inputs.get("output_weights"))
    total = terms.sum() / (terms.shape[1] if spec.reduction == "mean" else 1)
    total = total / (terms.shape[0] if spec.outputs == "mean" else 1)
    squares = sum((w**2).sum() for name, w in parameters.items() if name[0] == "W")
    factor = {"none": 0.0, "half-lambda-over-m": 0.5 / terms.shape[1], "half-lambda": 0.5, "lambda": 1.0}
    return total + factor[spec.penalty] * inputs["reg_lambda"] * squares


def every_spec():
    hidden = [(), *((name,) for name in HIDDEN), *itertools.product(HIDDEN, repeat=2)]
    cycle = itertools.cycle(itertools.product((True, False), ("mean", "sum"), ("sum", "mean"), ("gradients", "update")))
    for names, end in itertools.product(hidden, ENDS):
        # One layer: every penalty. Two: one each, so that this stays quick. The rest is cycled through.
        for penalty in PENALTIES if len(names) < 2 else [PENALTIES[hash_of(names, end)]]:
            biases, reduction, outputs, result = next(cycle)
            yield Spec(names, *end, penalty, biases, result, reduction, outputs)


def hash_of(names, end):
    return (HIDDEN.index(names[0]) + HIDDEN.index(names[1]) + ENDS.index(end)) % len(PENALTIES)


def check(spec, seed):
    # Smaller weights: the naive log(1 - a) of the loss above loses its digits where the output saturates.
    inputs = {k: v * 0.4 if k[0] == "W" else v for k, v in bench.challenge(spec, 3, seed, 5).items()}
    parameters = {name: jnp.asarray(v) for name, v in inputs.items() if name[0] in "Wb" and name[1:].isdigit()}
    gradients = jax.grad(loss)(parameters, spec, inputs)
    for name, value in mutate(spec, Point(inputs), {}).items():
        if spec.result == "gradients":
            wanted = np.asarray(gradients[name[1:]])
        else:
            wanted = np.asarray(parameters[name[:2]] - 0.3 * gradients[name[:2]])
        np.testing.assert_allclose(value, wanted, rtol=1e-10, atol=1e-12, err_msg=f"{spec} {name}")


OUTPUTS = ("tanh", "relu", "sigmoid", "linear", "tanh")
WIDER = (
    *(Spec((name,), "linear", "mae") for name in MORE),
    *(Spec((name, "tanh"), output, "huber") for name, output in zip(MORE, OUTPUTS)),
    Spec(("tanh", "silu", "relu", "gelu", "elu"), "softmax", "ce", penalty="half-lambda"),
    Spec(("tanh",) * 7, "tanh", "mse", result="update"),
)


@pytest.mark.slow
@pytest.mark.parametrize("spec", WIDER[::3], ids=str)
def test_wider_networks_are_those_of_jax_too(spec):
    with jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64():
        check(spec, 4)


@pytest.mark.parametrize("spec", WIDER, ids=str)
def test_a_slip_in_a_wider_network_is_named(spec):
    for slip, mistake in (
        ({"factor@W1": "factor-2-extra"}, "factor-2-extra"),
        ({"derivative-1@W1": "activation-derivative-missing"}, "activation-derivative-missing"),
    ):
        if slip.keys() <= {"factor@W1"} and spec.loss == "mse":
            continue
        points = [Point(i, mutate(spec, Point(i), slip)) for i in bench.challenges(spec, 3)]
        assert explain(spec, points).mistakes == (mistake,)


@pytest.mark.slow
def test_right_answers_are_those_of_jax():
    with jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64():
        for seed, spec in enumerate(every_spec()):
            if len(spec.hidden) < 2 and seed % 5 == 0:
                check(spec, seed)


@pytest.mark.long  # the bench's networks are below
def test_right_answers_are_those_of_jax_for_every_network():
    with jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64():
        for seed, spec in enumerate((*every_spec(), *WIDER)):
            check(spec, seed)


@pytest.mark.parametrize(("spec", "outputs"), bench.SPECS)
def test_right_code_has_no_findings(spec, outputs):
    inputs = bench.challenges(spec, outputs)
    report = explain(spec, [Point(i, mutate(spec, Point(i), {})) for i in inputs])
    assert {finding.verdict for finding in report.parameters.values()} == {"right"}
    assert tuple(report.parameters) == spec.parameters
