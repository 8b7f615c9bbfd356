"""What a step of the backward pass may be: one way to do it, right or with mistakes, for every kind of step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from autograder.diagnosis.spec import Array, Pass
from autograder.mistakes import known

Apply = TypeVar("Apply", bound=Callable[..., Any])


@dataclass(frozen=True)
class Option(Generic[Apply]):
    """One way to do one step. No ``mistakes``: it is right. ``fixed``: what comes from upstream plays no part.

    What ``apply`` takes depends on the kind of step, see below; None says that the option does not fit these shapes.
    """

    name: str
    mistakes: tuple[str, ...]
    apply: Apply
    fixed: bool = False

    def __post_init__(self) -> None:
        """Raise UnknownMistake when a mistake is not in the catalogue."""
        known(*self.mistakes)


# The kinds of steps, by what they take: the pass, the layer, and what comes from upstream.
Start = Option[Callable[[Pass], Array | None]]
"""The output error."""

Through = Callable[[Pass, int, Array], Array | None]
Link = Option[Through]
"""A stack of errors to the stack of the layer below, or to sums over the examples."""

Choose = Callable[[Pass, int], Array | None]
Operand = Option[Choose]
"""What the error of a layer is multiplied by."""

Product = Option[Callable[[Pass, int, Array, Array], Array | None]]
"""The error of a layer and the operand to a gradient."""

Scale = Option[Callable[[Pass], float | None]]
"""A number that the gradient of the data term is multiplied by."""


@dataclass(frozen=True)
class Penalty(Option[Callable[[Pass, int], Any]]):
    """What is added to the gradient of a weight: an array or a number; ``scale`` multiplies the data term."""

    scale: Callable[[Pass], float] = lambda c: 1.0


Update = Option[Callable[[Pass, Any, Any], Array]]
"""A parameter and its gradient, arrays or numbers, to what is handed in."""

Options = tuple[Option[Any], ...]
"""The options of one choice point, of whatever kind; who uses them says which."""


def right_way(apply: Apply, name: str = "right") -> Option[Apply]:
    """The right way to do a step."""
    return Option(name, (), apply)


def wrong_way(mistakes: str, apply: Apply, name: str | None = None, *, fixed: bool = False) -> Option[Apply]:
    """A way to do a step with the mistakes named, by their ids; the option is called like them or by a name."""
    return Option(name or mistakes.replace(" ", "+"), tuple(mistakes.split()), apply, fixed)
