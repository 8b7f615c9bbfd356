"""A layer: its forward pass, the shapes of its inputs, and points to ask about."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from autograder.layers.exact import LayerError, Outputs, Product, product

Draw = Callable[[np.random.Generator, tuple[int, ...]], Any]
"""Draws an input of a shape; integers and booleans are not differentiated by."""

SIZES = (2, 3, 5, 7, 4, 6, 11, 9, 13, 8)
"""What the sizes of a point are taken from: small, and never two equal ones at a point."""

UPSTREAM = "g"
"""What the upstream gradient of one output is called; those of several are g0, g1 and so on."""


@dataclass(frozen=True, eq=False)
class Layer:
    """A forward pass in numpy, and the shape of each input: integers, or names of sizes that are drawn.

    ``draw`` replaces the normal distribution for an input. Arguments of ``forward`` that have a default keep it.
    """

    forward: Callable[..., Any]
    shapes: Mapping[str, Sequence[int | str]]
    draw: Mapping[str, Draw] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises LayerError when the arguments of ``forward`` and the shapes do not fit."""
        odd = [name for name in self.draw if name not in self.shapes]
        if odd:
            raise LayerError(f"draw names {', '.join(odd)}, which has no shape")
        if not self._named:
            return
        wanted = [name for name, needed in self._named.items() if needed]
        missing = [name for name in wanted if name not in self.shapes]
        unknown = [name for name in self.shapes if name not in self._named]
        if missing:
            raise LayerError(f'no shape is given for {", ".join(missing)}: say shapes={{"{missing[0]}": ("m", "n")}}')
        if unknown:
            raise LayerError(
                f"{', '.join(unknown)} is no argument of {self.name}, which takes {', '.join(self._named)}"
            )

    @property
    def name(self) -> str:
        """What the forward pass is called."""
        return getattr(self.forward, "__name__", "forward")

    @cached_property
    def _named(self) -> dict[str, bool]:
        """The arguments of the forward pass that go by name, and whether they are needed; none where that is unknown,
        as for a function of numpy."""
        try:
            parameters = inspect.signature(self.forward).parameters.values()
        except (TypeError, ValueError):
            return {}
        if any(one.kind not in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY) for one in parameters):
            return {}
        return {one.name: one.default is one.empty for one in parameters}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The inputs in the order in which forward and backward pass take them."""
        return tuple(name for name in self._named if name in self.shapes) or tuple(self.shapes)

    @cached_property
    def sizes(self) -> tuple[str, ...]:
        """The names of sizes, in the order in which they stand in the shapes."""
        return tuple(dict.fromkeys(one for shape in self.shapes.values() for one in shape if isinstance(one, str)))

    def points(self, rng: np.random.Generator, count: int = 4) -> list[dict[str, np.ndarray]]:
        """Inputs and upstream gradients: the sizes of a point differ from each other, and from point to point.

        The first one is the smallest. An upstream gradient of ones would hide most wrong formulas, so it is drawn.
        """
        made = []
        for which in range(count):
            start = 0 if which == 0 else 1 + (which - 1) % max(len(SIZES) - len(self.sizes), 1)
            if len(self.sizes) > len(SIZES) - 1:
                raise LayerError(f"more than {len(SIZES) - 1} sizes: give some of them as numbers")
            chosen = list(SIZES[start : start + len(self.sizes)])
            order = chosen if which == 0 else list(rng.permutation(chosen))
            made.append(self.point(rng, {name: int(size) for name, size in zip(self.sizes, order)}))
        return made

    def point(self, rng: np.random.Generator, sizes: Mapping[str, int]) -> dict[str, np.ndarray]:
        """One point with these sizes. Raises LayerError when the forward pass does not work there."""
        inputs = {}
        for name, shape in self.shapes.items():
            numbers = tuple(sizes[one] if isinstance(one, str) else int(one) for one in shape)
            value = np.asarray(self.draw[name](rng, numbers) if name in self.draw else rng.normal(size=numbers))
            if value.shape != numbers:
                raise LayerError(f"draw[{name!r}] gives the shape {value.shape}, where {numbers} is said")
            inputs[name] = value
        outputs = self.outputs(inputs)
        return inputs | {
            name: np.asarray(rng.normal(size=out.shape)) for name, out in zip(self.upstreams(outputs), outputs)
        }

    @staticmethod
    def upstreams(outputs: Outputs) -> list[str]:
        """The names of the upstream gradients."""
        return [UPSTREAM] if len(outputs) == 1 else [f"{UPSTREAM}{number}" for number in range(len(outputs))]

    def outputs(self, point: Mapping[str, Any]) -> Outputs:
        """What the forward pass returns for floats, as a tuple. Raises LayerError when that is no number."""
        try:
            outputs = self._run(point)
        except Exception as problem:
            shapes = ", ".join(f"{name} {np.shape(point[name])}" for name in self.shapes)
            raise LayerError(
                f"{self.name} raised {type(problem).__name__}: {problem} (for {shapes}). Do the shapes fit?"
            ) from problem
        for out in outputs:
            if np.asarray(out).dtype.kind not in "fiu":
                raise LayerError(f"{self.name} returns {type(out).__name__}: it must return arrays of real numbers")
            if not np.all(np.isfinite(out)):
                raise LayerError(
                    f"{self.name} is not finite at a point that was drawn: say with draw= where its inputs lie, such "
                    "as lambda rng, shape: rng.uniform(0.5, 2, shape)"
                )
        return outputs

    def by(self, point: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """The inputs at a point that can be differentiated by: those of floats."""
        arrays = {name: np.asarray(point[name]) for name in self.names}
        return {name: array.astype(float) for name, array in arrays.items() if array.dtype.kind == "f"}

    def product(self, point: Mapping[str, Any]) -> Product:
        """The exact vector-Jacobian product at a point, with the route it was found by. Raises LayerError."""
        outputs = self.outputs(point)
        upstream = tuple(np.asarray(point[name], dtype=float) for name in self.upstreams(outputs))
        for out, g in zip(outputs, upstream):
            if np.shape(out) != g.shape:
                raise LayerError(f"the upstream gradient has the shape {g.shape}, and the output {np.shape(out)}")
        return product(lambda inputs: self._run({**point, **inputs}), self.by(point), upstream)

    def gradients(self, point: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """The exact gradients by their names: ``dx`` for the input ``x``. Raises LayerError."""
        found = self.product(point)
        return {f"d{name}": found[name] for name in found.low}

    def _run(self, point: Mapping[str, Any]) -> Outputs:
        inputs = {name: np.array(point[name], subok=True) for name in self.names}  # copies: some write into them
        found = self.forward(**inputs) if self._named else self.forward(*inputs.values())
        return tuple(np.asarray(one) for one in (found if isinstance(found, (tuple, list)) else (found,)))
