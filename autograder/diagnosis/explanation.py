"""An answer, and what an explanation of it is: a recipe, or mistakes whose constants were solved for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from autograder.diagnosis.grammar import Recipe
from autograder.diagnosis.spec import Array
from autograder.diagnosis.steps import Option, Start
from autograder.diagnosis.wide import GENERAL

EXACT = 1e-9
SPARE = 3  # numbers more than what is solved for, for every claim

OWN_ERROR: Start = Option("own", (), lambda c: c.own_error)


@dataclass(frozen=True)
class Answer:
    """The student's answers for one parameter, one array per point, and how exactly they must be met."""

    parameter: str
    values: tuple[Array, ...]
    tolerance: float

    def numbers(self) -> int:
        """How many numbers there are to explain."""
        return sum(np.unique(value).size for value in self.values)


@dataclass(frozen=True)
class Explanation:
    """A recipe that gives the answer at every point. ``tokens`` are its mistakes, in a hidden layer with @layer.

    Where the constants were solved for there is no recipe, but the tokens in order, which of them are made at this
    parameter alone, and facts that say the numbers.
    """

    recipe: Recipe | None
    tokens: frozenset[str]
    ordered: tuple[str, ...] = ()
    here: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()

    @property
    def from_own_error(self) -> bool:
        """Whether it starts from the student's own output error."""
        return self.recipe is not None and self.recipe.options["output-error"] is OWN_ERROR

    def local(self, parameter: str) -> frozenset[str]:
        """Mistakes of the steps that belong to this parameter alone, so that they are not inherited."""
        if self.recipe is None:
            return frozenset(self.here)
        points = ("operand", "product", "penalty") if parameter[0] == "W" else ("bias-sum", "bias-penalty")
        return frozenset(t for p in (*points, "update") for t in tokens_at(p, self.recipe.options[p]))

    def in_order(self, tokens: frozenset[str]) -> list[str]:
        """Ids of the mistakes in the order of the steps in which they are made."""
        ordered: list[str] = list(self.ordered)
        if self.recipe is not None:
            ordered = [t for point, option in self.recipe.options.items() for t in tokens_at(point, option)]
        return list(dict.fromkeys(token.split("@")[0] for token in ordered if token in tokens))


def same(got: Array, value: Array, tolerance: float) -> bool:
    """Whether two arrays have one shape and agree to ``tolerance`` of their largest entry."""
    if got.shape != value.shape:
        return False
    size = max(np.abs(got).max(initial=0.0), np.abs(value).max(initial=0.0))
    return bool(np.abs(got - value).max(initial=0.0) <= tolerance * size)


def tokens_at(point: str, option: Option[Any]) -> tuple[str, ...]:
    """An option's mistakes; after @ the hidden layer in whose chain they are made, or the formula of general ones."""
    return _tokens(point, option.name, option.mistakes)


@lru_cache(maxsize=1 << 16)
def _tokens(point: str, name: str, mistakes: tuple[str, ...]) -> tuple[str, ...]:
    if mistakes and mistakes[0] in GENERAL:
        return (f"{mistakes[0]}@{point}={name}",)
    layer = point.rpartition("-")[2]
    if not layer.isdecimal():
        return mistakes
    return tuple(f"{mistake}@{layer}" for mistake in mistakes)
