"""The unprotected mode: a question marked in the notebook's own kernel, beside the student's code.

The graded cells of ``source/`` call :func:`mark_question`. Under this course's nbgrader configuration these cells are
never run: the notebook is run isolated and marked elsewhere. Under stock nbgrader, or when an instructor runs the
solved notebook, they are, and then the same questions are asked here, with a note that says so.
"""

from __future__ import annotations

import contextlib
import copy
import traceback
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autograder.course import CourseError, find_root
from autograder.exercise import Probe
from autograder.exercises import load
from autograder.marking import Marks, challenges, mark
from autograder.sandbox.inside.codec import BadValue, encode, gather
from autograder.views.cell import to_html, to_text

NOTE = "Unprotected: this was marked in the notebook's own kernel, next to the student's code."

NOT_WRITTEN = "This is not written yet: replace the line `raise NotImplementedError()` by your solution."

SEED = 2024
"""The seed of the challenges in this mode; what runs in the student's process can keep no secret anyway."""


LARGEST = 1 << 30
"""More bytes than any input takes."""


class _Missing(AttributeError):
    """The notebook does not define a name that a probe asks for."""


class _Student:
    """The names of a notebook as attributes."""

    __slots__ = ("_names",)

    def __init__(self, names: dict[str, Any]) -> None:
        object.__setattr__(self, "_names", names)

    def __getattr__(self, name: str) -> Any:
        try:
            return object.__getattribute__(self, "_names")[name]
        except KeyError:
            raise _Missing(f"`{name}` is not defined in the notebook.") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self._names[name] = value


@dataclass(frozen=True)
class _Answer:
    status: str
    values: Mapping[str, Any] = field(default_factory=dict)
    message: str = ""
    changed_inputs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    earlier: Mapping[str, _Answer] = field(default_factory=dict)


class _Display:
    """A table that both a notebook and a terminal can show."""

    def __init__(self, html: str, text: str) -> None:
        self._html, self._text = html, text

    def _repr_html_(self) -> str:
        return self._html

    def __repr__(self) -> str:
        return self._text


def mark_question(exercise: str, question: str, names: dict[str, Any]) -> float:
    """Mark one question from the names that a notebook defines; show the table and return the points.

    nbgrader reads the returned number as partial credit. Raises KeyError for an unknown exercise or question.
    """
    with contextlib.suppress(CourseError):
        find_root()  # a course of one's own, above the notebook
    found = load(exercise)
    probe = found.question(question).probe
    asked = challenges(found, SEED)[probe.name]
    answers = [ask(probe, names, challenge.given) for challenge in asked]
    marked = next(mark for mark in mark(found, SEED, {probe.name: answers}) if mark.id == question)
    marks = Marks("", found.sheet, found.name, (marked,), isolation="none", seed=SEED)
    _show(_Display(to_html(marked, marks), f"{to_text(marked)}\n{NOTE}"))
    return marked.points


def ask(probe: Probe, names: dict[str, Any], given: Mapping[str, Any]) -> _Answer:
    """Run a probe here, beside the names of a notebook: no isolation, no limits. The names are left as they were."""
    values: dict[str, Any] = {}
    kept, handed = dict(names), copy.deepcopy(dict(given))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a warning on stderr would count as a zero
            gather(probe.ask(_Student(names), handed), values)
            return _Answer("answered", values, changed_inputs=_changed(handed, given))
    except (_Missing, NotImplementedError) as error:
        return _Answer("missing", values, str(error) or NOT_WRITTEN)
    except Exception as error:
        last = traceback.format_exception_only(error)[-1].strip()
        return _Answer("raised", values, f"Your code raised {last}")
    finally:
        names.clear()
        names.update(kept)


def _changed(handed: Mapping[str, Any], given: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of inputs that are no longer what they were."""
    changed = []
    for name, value in given.items():
        try:
            same = encode(handed[name], max_bytes=LARGEST) == encode(value, max_bytes=LARGEST)
        except BadValue:
            same = False
        if not same:
            changed.append(name)
    return tuple(changed)


def _show(shown: _Display) -> None:
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        print(shown)
        return
    if get_ipython() is None:
        print(shown)
    else:
        display(shown)
