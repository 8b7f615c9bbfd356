"""A function in a file of anyone's: what it answers at some points, and where in it its wrong gradients begin."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograder.exercise import Probe, parsed
from autograder.locate.attach import Code, to_place
from autograder.locate.job import WALL_SECONDS
from autograder.locate.locate import Run, Solution, asked_of, search
from autograder.locate.quantities import Described, quantities
from autograder.marking.spans import Place
from autograder.sandbox import Answer, Ask, Cell, Job, Limits

Arrays = Mapping[str, np.ndarray]

PARAMETERS = ("W", "b", "gamma", "beta")

ALL = ("params", "parameters")
"""What an argument is called that takes all parameters, by their names."""


def called(student, given, *, name, arguments, answers):  # type: ignore[no-untyped-def]
    """What the function gives, by the names of the answers."""
    found = getattr(student, name)(*[given[argument] for argument in arguments])
    if isinstance(found, dict):
        return {answer: found[answer] for answer in answers if answer in found}
    if not isinstance(found, (tuple, list)) or len(found) != len(answers):
        raise ValueError(f"{name} has to return a dict, or a tuple of {', '.join(answers)}")
    return dict(zip(answers, found))


@dataclass(frozen=True)
class Function:
    """A function of a file, the names of its arguments, and those of what it returns, in their order."""

    file: str
    source: str
    name: str
    arguments: tuple[str, ...]
    answers: tuple[str, ...]

    @property
    def probe(self) -> Probe:
        """What asks it."""
        settings = {"name": self.name, "arguments": list(self.arguments), "answers": list(self.answers)}
        return Probe(called, lambda _: (), settings, "function")

    @property
    def job(self) -> Job:
        """The file, before anything is asked."""
        return Job((Cell(self.file, self.source),), limits=Limits(question_wall_seconds=WALL_SECONDS))


def arguments_of(source: str, name: str) -> tuple[str, ...]:
    """The arguments of a function in a text. Raises SyntaxError, and LookupError where there is none."""
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            optional = len(node.args.defaults)
            wanted = [*node.args.posonlyargs, *node.args.args]
            return tuple(one.arg for one in wanted[: len(wanted) - optional])
    raise LookupError(name)


def given_to(point: Arrays) -> dict[str, Any]:
    """What the function may take of a point: each array, and all parameters at once."""
    parameters = {name: value for name, value in point.items() if name.rstrip("0123456789") in PARAMETERS}
    numbers = {name: float(value) if np.ndim(value) == 0 else value for name, value in point.items()}
    return numbers | dict.fromkeys(ALL, parameters)


def answers(function: Function, points: Sequence[Arrays], run: Run) -> tuple[Answer, ...]:
    """What it answers at every point."""
    probe = function.probe
    asks = (Ask(probe.name, probe.source, tuple(map(given_to, points))),)
    return run(Job(function.job.cells, asks, limits=function.job.limits)).answers[probe.name]


def places(
    function: Function, known: Described, exact: Sequence[Arrays], points: Sequence[Arrays], run: Run, *,
    rows: bool = False,
) -> dict[str, Place]:  # fmt: skip
    """Where each wrong answer begins, as far as it is proved. ``points`` have one column per example, or one row.

    ``known`` takes one column per example; ``exact`` has its answers as the function gives them, or would.
    """
    table = quantities(known, [_all_turned(point, rows) for point in points], [], [{}] * len(points))
    table = [replace(one, values=tuple(_turned(value, rows) for value in one.values)) for one in table]
    wanted = [{name: one[name] for name in function.answers} for one in exact]
    solution = Solution(asked_of([given_to(point) for point in points], wanted, table, -1), tuple(table))
    code = Code(function.job, {0: function.file})
    probe = function.probe
    made: dict[str, Place] = {}
    for repair in search(code.job, [0], [probe], {probe.name: solution}, run)[0][probe.name]:
        place = to_place(repair, solution, code)
        for name in repair.mends if place is not None else ():
            if place is not None:
                made.setdefault(name, place)
    return made


def _all_turned(point: Arrays, rows: bool) -> dict[str, Any]:
    return {name: _turned(value, rows) for name, value in point.items()}


def _turned(value: Any, rows: bool) -> Any:
    return value.T if rows and np.ndim(value) == 2 else value
