"""A job that is run in this very process, with no walls: in a page, where code and machine are the student's own.

Nothing that grades imports this. In a page it stands in the place of the package, whose walls need Linux.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .inside import codec, repair
from .inside.repair.instrument import Instrument
from .model import Answer, Ask, Cell, CellResult, Job, Limits, Outcome, SandboxUnavailable, Value

__all__ = ["Answer", "Ask", "Cell", "CellResult", "Job", "Limits", "Outcome", "SandboxUnavailable", "Value", "run"]


BLANK = re.compile(r"\A(?:[ \t]*\n)+")
"""Lines that IPython leaves out before it counts."""


class _Student:
    """The names of the code as attributes; ``read`` gathers those that were asked for."""

    __slots__ = ("_names", "_read")

    def __init__(self, names: dict[str, Any], read: set[str]) -> None:
        object.__setattr__(self, "_names", names)
        object.__setattr__(self, "_read", read)

    def __getattr__(self, name: str) -> Any:
        object.__getattribute__(self, "_read").add(name)
        try:
            return object.__getattribute__(self, "_names")[name]
        except KeyError:
            raise AttributeError(f"`{name}` is not defined") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self._names[name] = value


def run(job: Job) -> Outcome:
    """Run the cells and ask the questions. What the code prints is printed; an endless loop is the caller's to end."""
    names: dict[str, Any] = {"__name__": "__main__"}
    instrument = Instrument(set(job.instrumented)) if job.instrumented else None
    failed = ""
    for index, cell in enumerate(job.cells):
        try:
            tree = ast.parse(BLANK.sub("", cell.source))
            if instrument is not None:
                instrument.cell = index
                tree = instrument.visit_Module(tree)
            exec(compile(tree, f"<cell {index}>", "exec"), names)
        except Exception as error:
            failed = failed or f"your code stopped: {type(error).__name__}: {error}"
    answers = {
        ask.id: tuple(_answer(ask, one, names, instrument, failed) for one in ask.challenges) for ask in job.asks
    }
    return Outcome((), answers, "none", 0.0, 0)


def _answer(
    ask: Ask, given: Mapping[str, Value], names: dict[str, Any], instrument: Instrument | None, failed: str
) -> Answer:
    handed, kept, values = copy.deepcopy(dict(given)), dict(names), dict[str, Any]()
    try:
        probe = _function(ask.probe)
        if ask.task:
            assert instrument is not None
            values.update(repair.done(ask.task, instrument, names, _Student, probe, handed))
        else:
            codec.gather(probe(_Student(names, set()), handed), values)
        return Answer("answered", values)
    except Exception as error:
        return Answer("raised", values, failed or f"your code raised {type(error).__name__}: {error}")
    finally:
        names.clear()
        names.update(kept)


def _function(source: str) -> Callable[..., Any]:
    """The one function that a probe defines."""
    names: dict[str, Any] = {"np": np, "__name__": "probe"}
    before = {*names, "__builtins__"}
    exec(compile(source, "<probe>", "exec"), names)
    (function,) = [value for name, value in names.items() if name not in before]
    return function  # type: ignore[no-any-return]
