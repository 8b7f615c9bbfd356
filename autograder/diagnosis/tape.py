"""Any computation as a list of steps with exact vector-Jacobian products, and the ways in which people err in each.

A step takes named values and gives one. The backward pass goes through the steps in reverse order and adds up what
reaches each value; a slip is a step done otherwise, forwards or backwards. ``computation.py`` compares what slips give
with answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from autograder.diagnosis.spec import Array
from autograder.mistakes import known

Values = dict[str, Array]
Backward = Callable[[Values, Array], Sequence[Array | None]]
"""The values of the forward pass, and the gradient of what the step gives; one gradient for each that it takes."""


@dataclass(frozen=True)
class Slip:
    """A way to do a step wrongly, by the ids of its mistakes. What is None is done rightly."""

    mistakes: tuple[str, ...]
    name: str
    backward: Backward | None = None
    forward: Callable[[Values], Array] | None = None

    def __post_init__(self) -> None:
        """Raise UnknownMistake when a mistake is not in the catalogue."""
        known(*self.mistakes)


@dataclass(frozen=True)
class Step:
    """One step, which belongs to lines of the code: a slip in a line is in all of its steps, by its name."""

    gives: str
    takes: tuple[str, ...]
    forward: Callable[[Values], Array]
    backward: Backward
    slips: tuple[Slip, ...] = ()
    line: str = ""
    wider: str = ""  # a line that holds this one and others, as that of all layers
    inside: Callable[[Values, Array], Values] | None = None  # what it works out on the way, by what people call it

    def slip(self, chosen: Chosen) -> Slip | None:
        """The slip that is made here, if any."""
        for line in (self.line, self.wider):
            if line in chosen:
                return next((one for one in self.slips if one.name == chosen[line].slip.name), None)
        return None


@dataclass(frozen=True)
class Choice:
    """A slip at one place: a line of the code, or what is done with an answer in the end, given the inputs."""

    line: str
    slip: Slip
    end: Callable[[Values, Array], Array] | None = None

    @property
    def key(self) -> str:
        """What it is, as ``line=option``."""
        return f"{self.line}={self.slip.name}"


Chosen = Mapping[str, Choice]
"""By line."""


class Computation(Protocol):
    """What is asked for: the names of the answers in backward order, how they are made, and how people err."""

    @property
    def answers(self) -> tuple[str, ...]:
        """The names of the answers."""
        ...

    def choices(self, inputs: Values) -> Sequence[Choice]:
        """Every slip."""
        ...

    def run(self, inputs: Values, chosen: Chosen) -> Values:
        """The answers, with some lines done otherwise. Raises ValueError where that does not fit these shapes."""
        ...


def gradients(steps: Sequence[Step], inputs: Values, upstream: Values, chosen: Chosen) -> tuple[Values, Values]:
    """The values of the forward pass, and the gradient that reaches each of them."""
    values = dict(inputs)
    for step in steps:
        slip = step.slip(chosen)
        values[step.gives] = (slip.forward if slip and slip.forward else step.forward)(values)
    reached = dict(upstream)
    for step in reversed(steps):
        if step.gives not in reached:
            continue
        slip = step.slip(chosen)
        parts = (slip.backward if slip and slip.backward else step.backward)(values, reached[step.gives])
        for name, part in zip(step.takes, parts):
            if part is not None:
                reached[name] = reached[name] + part if name in reached else part
    return values, reached


@dataclass(frozen=True)
class Tape:
    """A layer: steps, the gradient ``g`` of what it gives, and gradients as answers."""

    made: Callable[[Values], Sequence[Step]]
    of: tuple[str, ...]
    out: str = "out"
    upstream: str = "g"
    examples: str = ""  # the input whose first axis counts the examples

    @property
    def answers(self) -> tuple[str, ...]:
        """The gradients, such as ``dx``."""
        return tuple(f"d{name}" for name in self.of)

    def forward(self, inputs: Values) -> Array:
        """What the layer gives."""
        values = dict(inputs)
        for step in self.made(inputs):
            values[step.gives] = step.forward(values)
        return values[self.out]

    def choices(self, inputs: Values) -> list[Choice]:
        """The slips of every line, and what may become of an answer in the end."""
        return [*slips_of(self.made(inputs)), *endings(self.answers, self.examples)]

    def run(self, inputs: Values, chosen: Chosen) -> Values:
        """The gradients."""
        try:
            _, reached = gradients(self.made(inputs), inputs, {self.out: inputs[self.upstream]}, chosen)
        except (IndexError, TypeError) as error:
            raise ValueError(str(error)) from None
        found = {f"d{n}": reached.get(n, np.zeros_like(inputs[n], float)) for n in self.of if n in inputs}
        return ended(inputs, found, chosen)


def slips_of(steps: Sequence[Step]) -> list[Choice]:
    """Every slip in every line, each once."""
    found: dict[str, Choice] = {}
    lines = {step.wider: {one.line for one in steps if one.wider == step.wider} for step in steps if step.wider}
    for step in steps:
        for line in (step.line, step.wider) if len(lines.get(step.wider, ())) > 1 else (step.line,):
            for slip in step.slips:
                one = Choice(line, slip)
                found.setdefault(one.key, one)
    return list(found.values())


def endings(answers: Sequence[str], examples: str = "") -> Iterator[Choice]:
    """What becomes of answers in the end, of each alone or of all of them: a sign, a transpose, a wrong average."""
    ends: list[tuple[str, str, Callable[[Values, Array], Array]]] = [("sign-flipped", "sign", lambda i, v: -v)]
    if examples:
        ends.append(("averaged-instead-of-summed", "mean", lambda i, v: v / len(i[examples])))
    for mistake, name, end in ends:
        for line in ("all answers", *answers):
            yield Choice(f"{name} of {line}", Slip((mistake,), name), end)
    for line in answers:
        yield Choice(f"shape of {line}", Slip(("result-transposed",), "turned"), _turned)
        yield Choice(f"shape of {line}", Slip(("wrong-shape",), "flat"), _flattened)


def _turned(inputs: Values, value: Array) -> Array:
    if value.ndim < 2:
        raise ValueError("a flat vector has no transpose")
    return value.T


def _flattened(inputs: Values, value: Array) -> Array:
    return value.ravel() if value.ndim > 1 else value[None]


def ended(inputs: Values, answers: Values, chosen: Chosen) -> Values:
    """The answers, after what is done with them in the end."""
    for line, choice in chosen.items():
        if choice.end is not None:
            of = line.partition(" of ")[2]
            for name in answers if of == "all answers" else (of,):
                answers[name] = choice.end(inputs, answers[name])
    return answers


# Explaining ----------------------------------------------------------------------------------------------------------
