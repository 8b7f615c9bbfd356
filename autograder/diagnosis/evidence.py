"""A tiny example on which a mistake shows, small enough to be checked by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np

from autograder.diagnosis.grammar import Recipe, run_mutated
from autograder.diagnosis.spec import Array, Spec, forward

Table = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Evidence:
    """Expected against got at a tiny example, every number written out (``exact``: as fractions, else 6 digits)."""

    inputs: Mapping[str, Table]
    name: str
    expected: Table
    got: Table
    exact: bool

    def text(self) -> str:
        """The example in a few lines: what goes in, what is expected, what this mistake gives."""
        given = ", ".join(f"{name} = {_flat(table)}" for name, table in self.inputs.items())
        return f"With {given}: {self.name} should be {_flat(self.expected)}; this way it is {_flat(self.got)}."


def _flat(table: Table) -> str:
    if len(table) == 1 and len(table[0]) == 1:
        return table[0][0]
    return "[" + ", ".join("[" + ", ".join(row) + "]" for row in table) + "]"


# Small integers and simple fractions, both signs, no pattern that would hide a slip.
_X = np.array([[1, -2, 1], [2, 1, -1], [-1, 3, 2]], float)
_W = {
    1: np.array([[1, -1, 2], [2, 1, -1], [-1, 2, 1]], float),
    2: np.array([[2, -1, 1], [-1, 3, 2], [1, 2, -1]], float),
    3: np.array([[1, 2, -1], [3, -1, 1], [-2, 1, 2]], float),
}
_B = {1: np.array([[1], [-1], [2]], float), 2: np.array([[-1], [2], [1]], float), 3: np.array([[1], [-2], [-1]], float)}
_HALF = 0.5
# (m, n, hidden units, o), the smallest first.
_SIZES = (
    (1, 1, 1, 1),
    (1, 2, 2, 1),
    (2, 2, 1, 1),
    (2, 1, 2, 1),
    (2, 2, 2, 1),
    (2, 2, 2, 2),
    (2, 3, 2, 2),
    (2, 3, 3, 3),
)


def _inputs(spec: Spec, m: int, n: int, h: int, o: int, shrink: float) -> dict[str, Array]:
    if spec.output == "softmax":
        o = max(o, 2)
    sizes = [n, *[h] * len(spec.hidden), o]
    inputs: dict[str, Array] = {"X": _X[:n, :m]}
    for layer in range(1, spec.depth + 1):
        like = (layer - 1) % len(_W) + 1
        inputs[f"W{layer}"] = shrink * _W[like][: sizes[layer], : sizes[layer - 1]]
        if spec.biases:
            inputs[f"b{layer}"] = shrink * _B[like][: sizes[layer]]
    if spec.loss == "hinge":
        y = np.where(np.indices((o, m)).sum(axis=0) % 2 == 0, 1.0, -1.0)
    else:
        y = (np.arange(o)[:, None] == np.arange(m) % o).astype(float)
    inputs["Y"] = y
    if spec.loss == "weighted-mse":
        inputs["output_weights"] = np.array([2.0, 3.0, 1.0])[:o]
    if spec.penalty != "none":
        inputs["reg_lambda"] = np.array(0.5)
    inputs["learning_rate"] = np.array(0.5)
    return inputs


def make_evidence(spec: Spec, parameter: str, recipe: Recipe | None, shape: str = "") -> Evidence | None:
    """The smallest example on which the recipe differs from the right answer, or None when none of ours shows it.

    Without a recipe the numbers are right. ``shape`` is a mistake of shape made in the end, if any.
    """
    options = {} if recipe is None else recipe.options
    choices = tuple((name, option.name) for name, option in options.items() if option.name not in ("right", "own"))
    return _evidence(spec, parameter, choices, recipe is not None and recipe.linked, shape)


@lru_cache(maxsize=4096)
def _evidence(
    spec: Spec, parameter: str, choices: tuple[tuple[str, str], ...], linked: bool, shape: str
) -> Evidence | None:
    wanted = {f"{point}@{parameter}": option for point, option in choices}
    if linked:
        wanted[f"linked@{parameter}"] = "yes"
    for shrink in (1.0, _HALF):
        for m, n, h, o in _SIZES:
            inputs = _inputs(spec, m, n, h, o, shrink)
            name = spec.answer_name(parameter)
            expected = run_mutated(forward(spec, inputs), {})[name]
            try:
                got = run_mutated(forward(spec, inputs), wanted)[name]
            except ValueError:
                continue
            got = got.T if shape == "result-transposed" else got.ravel() if shape else got
            exact = all(word in ("relu", "linear") for word in (*spec.hidden, spec.output))
            if not np.isfinite(got).all() or _written_alike(expected, got):
                continue
            if "learning_rate" in inputs and not _needs_rate(spec, choices):
                del inputs["learning_rate"]
            return Evidence(
                {key: _table(value, True) for key, value in inputs.items()},
                name,
                _table(expected, exact),
                _table(got, exact),
                exact,
            )
    return None


def _needs_rate(spec: Spec, choices: tuple[tuple[str, str], ...]) -> bool:
    return spec.result == "update" or any("updated" in option or point == "rate" for point, option in choices)


def _written_alike(a: Array, b: Array) -> bool:
    a, b = np.atleast_2d(a), np.atleast_2d(b)
    return a.shape == b.shape and bool(np.abs(a - b).max() <= 1e-4 * np.abs(a).max())


def _table(value: Array, exact: bool) -> Table:
    rows = np.atleast_2d(value)
    return tuple(tuple(_number(float(x), exact) for x in row) for row in rows)


def _number(x: float, exact: bool) -> str:
    if exact:
        fraction = Fraction(x).limit_denominator(10_000)
        if abs(float(fraction) - x) <= 1e-12 * max(1.0, abs(x)):
            return str(fraction)
    return f"{x:.6g}"
