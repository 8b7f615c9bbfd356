"""The network that was asked for: its description, one point of it, and the values of a forward pass.

Everything is column per example: ``X`` is (n, m), ``Y`` is (o, m), ``W1`` is (h, n), ``b1`` is (h, 1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import erf, pi, sqrt
from typing import TypeVar

import numpy as np

Array = np.ndarray

HIDDEN = ("sigmoid", "tanh", "relu", "xtanhx", "linear", "leaky-relu", "elu", "softplus", "silu", "gelu")
OUTPUT = ("sigmoid", "softmax", "linear", "tanh", "relu")
LOSSES = ("bce", "ce", "mse", "half-mse", "weighted-mse", "mae", "huber", "hinge")
DEEPEST = 8
PENALTIES = ("none", "half-lambda-over-m", "half-lambda", "lambda")
OUTPUTS_OF_LOSS = {"bce": ("sigmoid",), "ce": ("softmax",), "hinge": ("linear",)}


def sigmoid(z: Array) -> Array:
    """Return 1 / (1 + exp(-z)) without overflow for large negative z."""
    return 0.5 * (1.0 + np.tanh(0.5 * z))


def softmax(z: Array) -> Array:
    """Return exp(z) / sum of exp(z) over the outputs, which are the last axis but one."""
    e = np.exp(z - z.max(axis=-2, keepdims=True))
    return np.asarray(e / e.sum(axis=-2, keepdims=True))


def normal(z: Array) -> Array:
    """The share of a standard normal distribution below z."""
    return np.asarray(0.5 * (1.0 + np.vectorize(erf, otypes=[float])(z / sqrt(2.0))))


ACTIVATIONS: Mapping[str, Callable[[Array], Array]] = {
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0.0),
    "xtanhx": lambda z: z * np.tanh(z),
    "linear": lambda z: z,
    "leaky-relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0.0))),
    "softplus": lambda z: np.logaddexp(0.0, z),
    "silu": lambda z: z * sigmoid(z),
    "gelu": lambda z: z * normal(z),
    "softmax": softmax,
}

DERIVATIVES: Mapping[str, Callable[[Array], Array]] = {
    "sigmoid": lambda z: sigmoid(z) * (1.0 - sigmoid(z)),
    "tanh": lambda z: 1.0 - np.tanh(z) ** 2,
    "relu": lambda z: (z > 0).astype(float),
    "xtanhx": lambda z: np.tanh(z) + z * (1.0 - np.tanh(z) ** 2),
    "linear": lambda z: np.ones_like(z),
    "leaky-relu": lambda z: np.where(z > 0, 1.0, 0.01),
    "elu": lambda z: np.where(z > 0, 1.0, np.exp(np.minimum(z, 0.0))),
    "softplus": sigmoid,
    "silu": lambda z: sigmoid(z) * (1.0 + z * (1.0 - sigmoid(z))),
    "gelu": lambda z: normal(z) + z * np.exp(-0.5 * z**2) / sqrt(2.0 * pi),
}


@dataclass(frozen=True)
class Spec:
    """What the right code would compute.

    ``hidden`` holds the activation of each hidden layer (none, one or more). ``reduction`` is the mean or the sum over
    the examples, ``outputs`` the sum or the mean over the outputs; this course takes the mean and the sum.
    ``penalty`` is the term of the loss: lambda/(2m), lambda/2 or lambda times the sum of squared weights.

    Raises ValueError when a word is unknown or two of them contradict each other.
    """

    hidden: tuple[str, ...]
    output: str
    loss: str
    penalty: str = "none"
    biases: bool = True
    result: str = "gradients"
    reduction: str = "mean"
    outputs: str = "sum"

    def __post_init__(self) -> None:
        """Check every word, and that the words fit together."""
        if isinstance(self.hidden, str) or len(self.hidden) >= DEEPEST:
            raise ValueError(f"hidden must be a tuple of at most {DEEPEST - 1} activations, not {self.hidden!r}")
        object.__setattr__(self, "hidden", tuple(self.hidden))
        for word, value, allowed in (
            *(("hidden", name, HIDDEN) for name in self.hidden),
            ("output", self.output, OUTPUT),
            ("loss", self.loss, LOSSES),
            ("penalty", self.penalty, PENALTIES),
            ("result", self.result, ("gradients", "update")),
            ("reduction", self.reduction, ("mean", "sum")),
            ("outputs", self.outputs, ("sum", "mean")),
        ):
            if value not in allowed:
                raise ValueError(f"{word} must be one of {', '.join(allowed)}, not {value!r}")
        fitting = OUTPUTS_OF_LOSS.get(self.loss, OUTPUT)
        if self.output not in fitting:
            raise ValueError(f"loss {self.loss} needs output {' or '.join(fitting)}, not {self.output}")

    @property
    def depth(self) -> int:
        """Number of layers with weights."""
        return len(self.hidden) + 1

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters in backward order: W2, b2, W1, b1."""
        kinds = ("W", "b") if self.biases else ("W",)
        return tuple(f"{kind}{layer}" for layer in range(self.depth, 0, -1) for kind in kinds)

    def answer_name(self, parameter: str) -> str:
        """Name under which the answer for ``parameter`` is handed in: dW1, or W1_new for an update."""
        return f"d{parameter}" if self.result == "gradients" else f"{parameter}_new"


@dataclass(frozen=True)
class Point:
    """One challenge and what the student's code answered there.

    ``inputs`` holds X, Y, W1, b1, ... and, where needed, reg_lambda, learning_rate and output_weights. It may also
    hold the student's own forward values Z1, A1, Z2, A2: the backward pass is then judged given these.
    ``answers`` holds dW1, db1, ... or W1_new, b1_new, ...; any of them may be missing. ``shapes`` are those of the
    arrays in the layout in which they were given, where that is another one: what is said to a person shows these.
    """

    inputs: Mapping[str, Array]
    answers: Mapping[str, Array] = field(default_factory=dict)
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Pass:
    """The values of one forward pass, by layer; ``a[0]`` is X.

    ``gradient`` and ``updated`` hold, by layer, the weights' gradient and the weights after their update as the
    backward pass has them so far. A search fills them from the student's own answers, so that a mistake in W2 does
    not hide that W2 was updated too early.
    """

    spec: Spec
    y: Array
    w: Mapping[int, Array]
    b: Mapping[int, Array]
    z: Mapping[int, Array]
    a: Mapping[int, Array]
    reg_lambda: float
    learning_rate: float | None
    output_weights: Array | None
    gradient: dict[int, Array] = field(default_factory=dict)
    updated: dict[int, Array] = field(default_factory=dict)
    error_sums: dict[int, Array] = field(default_factory=dict)  # right error of each layer, summed over the examples
    own_error: Array | None = None  # the student's output error, where it can be recovered from dW and db

    @property
    def m(self) -> int:
        """Number of examples."""
        return int(self.y.shape[1])

    @property
    def o(self) -> int:
        """Number of outputs."""
        return int(self.y.shape[0])

    @property
    def rate(self) -> float:
        """The learning rate of an update."""
        return given(self.learning_rate)

    @property
    def scale(self) -> float:
        """What the right code multiplies the summed gradient by: 1/m for the mean over the examples."""
        return (1.0 / self.m if self.spec.reduction == "mean" else 1.0) * (
            1.0 / self.o if self.spec.outputs == "mean" else 1.0
        )

    @property
    def decay(self) -> float:
        """What the right code multiplies the weights by in the gradient: lambda/m, lambda or 2 lambda."""
        return {
            "none": 0.0,
            "half-lambda-over-m": self.reg_lambda / self.m,
            "half-lambda": self.reg_lambda,
            "lambda": 2.0 * self.reg_lambda,
        }[self.spec.penalty]

    def activation(self, layer: int) -> str:
        """Name of the activation of ``layer``; the last one is the output's."""
        return (*self.spec.hidden, self.spec.output)[layer - 1]

    def value(self, parameter: str) -> Array:
        """The parameter itself, for example ``W1``."""
        return (self.w if parameter[0] == "W" else self.b)[int(parameter[1:])]


Given = TypeVar("Given")


def given(value: Given | None) -> Given:
    """What this kind of network always has; ``forward`` has seen to it."""
    assert value is not None
    return value


def _array(inputs: Mapping[str, Array], name: str) -> Array:
    if name not in inputs:
        raise ValueError(f"{name} is missing")
    value = np.asarray(inputs[name])
    if value.dtype.kind not in "fiub":
        raise ValueError(f"{name} has dtype {value.dtype}; real numbers were expected")
    value = value.astype(float)
    if not np.isfinite(value).all():
        raise ValueError(f"{name} holds NaN or infinity; finite numbers were expected")
    return value


def _number(inputs: Mapping[str, Array], name: str) -> float:
    value = _array(inputs, name)
    if value.size != 1:
        raise ValueError(f"{name} has shape {value.shape}; one number was expected")
    return float(value.reshape(()))


def forward(spec: Spec, inputs: Mapping[str, Array], *, own: bool = True) -> Pass:
    """Check the inputs of a point and run the forward pass, with the student's own Z and A where given and ``own``.

    Raises ValueError with one sentence that says which array is wrong and what was expected.
    """
    x, y = _array(inputs, "X"), _array(inputs, "Y")
    for name, value in (("X", x), ("Y", y)):
        if value.ndim != 2:
            raise ValueError(f"{name} has shape {value.shape}; two dimensions, one column per example, were expected")
    if x.shape[1] == 0:
        raise ValueError("X has zero examples; at least one column was expected")
    if y.shape[1] != x.shape[1]:
        raise ValueError(f"Y has {y.shape[1]} columns; {x.shape[1]} were expected, one per column of X")
    if f"W{spec.depth + 1}" in inputs:
        raise ValueError(f"W{spec.depth + 1} is given, but {spec.depth} layers of weights were expected")
    w, b, z, a = {}, {}, {}, {0: x}
    for layer, name in enumerate((*spec.hidden, spec.output), 1):
        w[layer] = _array(inputs, f"W{layer}")
        rows = y.shape[0] if layer == spec.depth else w[layer].shape[0] if w[layer].ndim == 2 else 0
        if w[layer].shape != (rows, a[layer - 1].shape[0]) or rows == 0:
            raise ValueError(
                f"W{layer} has shape {w[layer].shape}; ({rows or 'h'}, {a[layer - 1].shape[0]}) was expected: one row "
                f"unit, one column per input of the layer"
            )
        b[layer] = _array(inputs, f"b{layer}") if spec.biases else np.zeros((rows, 1))
        if b[layer].size != rows:
            raise ValueError(f"b{layer} has shape {b[layer].shape}; ({rows}, 1) was expected")
        b[layer] = b[layer].reshape(rows, 1)
        shape = (rows, x.shape[1])
        z[layer] = (
            _own(inputs, f"Z{layer}", shape) if own and f"Z{layer}" in inputs else (w[layer] @ a[layer - 1] + b[layer])
        )
        a[layer] = _own(inputs, f"A{layer}", shape) if own and f"A{layer}" in inputs else ACTIVATIONS[name](z[layer])
    if spec.penalty != "none" and "reg_lambda" not in inputs:
        raise ValueError(f"reg_lambda is missing; the penalty {spec.penalty} needs it")
    if spec.result == "update" and "learning_rate" not in inputs:
        raise ValueError("learning_rate is missing; an update needs it")
    rate = _number(inputs, "learning_rate") if "learning_rate" in inputs else None
    if rate == 0:
        raise ValueError("learning_rate is 0; a number other than 0 was expected")
    weights = None
    if spec.loss == "weighted-mse":
        weights = _array(inputs, "output_weights")
        if weights.size != y.shape[0]:
            raise ValueError(f"output_weights has {weights.size} numbers; {y.shape[0]} were expected, one per output")
        weights = weights.reshape(-1, 1)
    return Pass(
        spec=spec,
        y=y,
        w=w,
        b=b,
        z=z,
        a=a,
        reg_lambda=_number(inputs, "reg_lambda") if "reg_lambda" in inputs else 0.0,
        learning_rate=rate,
        output_weights=weights,
    )


def _own(inputs: Mapping[str, Array], name: str, shape: tuple[int, int]) -> Array:
    value = _array(inputs, name)
    if value.shape != shape:
        raise ValueError(f"{name} has shape {value.shape}; {shape} was expected")
    return value
