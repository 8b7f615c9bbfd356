"""Numbers of one's own: a small point for every student, drawn from a seed, and the same point changed a little."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from autograder.exercise import Probe, Values
from autograder.exercises.shared import draw_point
from autograder.truth import Network

T = TypeVar("T")

HIDDEN, INPUTS, EXAMPLES = 3, 2, 4
"""Sizes that no other one explains, and few enough for a sheet of paper; there is one output, or there are five."""

TRIES = 60
"""So many points are drawn until a question has one answer."""

PER_EXAMPLE = ("X", "Y", "y")
"""Inputs and targets: what grows when examples are added."""


def stream(seed: int, *names: str) -> np.random.Generator:
    """Random numbers that belong to a seed and to these names, and to nothing else."""
    digest = hashlib.sha256("/".join(names).encode("utf-8", "surrogatepass")).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "big")])


def drawn_network(network: Network, example: Values, rng: np.random.Generator) -> dict[str, Any]:
    """A point for a network of this kind: halves, so that a person can work with them. ``example`` has what else is
    given, such as a strength of the penalty."""
    sizes = (INPUTS, *[HIDDEN] * (network.depth - 1), 5 if network.loss == "ce" else 1)
    point: dict[str, Any] = draw_point(rng, sizes, network.activations, network.loss, EXAMPLES)
    for name, value in point.items():
        if name != "Y" or network.loss not in ("bce", "ce"):
            point[name] = np.round(value * (4 if name == "X" else 2)) / 2
    others = {name: np.round(np.asarray(value, float), 1) for name, value in example.items() if name not in point}
    return {**point, **others}


def hidden_points(probe: Probe, rng: np.random.Generator) -> list[Values]:
    """The inputs of hidden challenges of a probe."""
    return [one.given for one in probe.challenges(rng) if not one.shown]


def twice(given: Values) -> dict[str, Any]:
    """The same with every example there twice."""
    return {name: np.hstack([value] * 2) if name in PER_EXAMPLE else value for name, value in given.items()}


def has_examples(given: Values) -> bool:
    """Whether all that grows with the number of examples is among the inputs, and nothing else does."""
    columns = {name: np.shape(value)[1] for name, value in given.items() if name in PER_EXAMPLE and np.ndim(value) == 2}
    others = [name for name in given if name.lstrip("d")[:1] in ("A", "Z", "P") or name.endswith("_test")]
    return len(columns) == 2 and len(set(columns.values())) == 1 and not others and "epochs" not in given


def moved(given: Values, name: str, at: tuple[int, int], by: float) -> dict[str, Any]:
    """The same with one entry of a parameter moved."""
    value = np.array(given[name])
    value[at] += by
    return {**given, name: value}


def single(given: Values, k: int) -> dict[str, Any]:
    """The same with the example number ``k`` alone."""
    return {name: value[:, [k]] if name in PER_EXAMPLE else value for name, value in given.items()}


def until(draw: Callable[[], T], fits: Callable[[T], bool]) -> T | None:
    """The first that is drawn and fits; None when none does."""
    return next((point for point in (draw() for _ in range(TRIES)) if fits(point)), None)
