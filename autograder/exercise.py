"""What an exercise is made of: probes that ask, lines that carry points, judges that compare.

One exercise is one module in ``autograder/exercises`` that builds one :class:`Exercise`. It reads top to
bottom like the sheet: what is asked, what is true, which mistakes are known.

The words are used everywhere in the same sense:

========== ==============================================================================================
probe      plain code that runs beside the student's, calls what the student wrote and returns values
challenge  one set of inputs for a probe; *shown* ones may appear in feedback, the others never do
question   one graded notebook cell: a probe, a few lines and a judge
line       one value with its points, the smallest thing that is marked
judge      a pure function from challenges and answers to a verdict for every line
========== ==============================================================================================
"""

from __future__ import annotations

import ast
import inspect
import textwrap
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from autograder.mistakes import known

Values = Mapping[str, Any]
"""Named values that cross the border: arrays, numbers, short text, and nested lists and dicts of those."""

SHEETS = {
    "foundations": "Foundations",
    "by_hand": "By hand",
    "training": "Training",
    "design": "Design",
    "beyond": "Beyond",
}
"""The sheets of the course in use, in its order: folder name and title. These five are those of this package;
:func:`autograder.course.use` puts others in their place."""


_parser = threading.Lock()


def parsed(text: str) -> ast.Module:
    """The tree of a text, made by one thread at a time.

    Before 3.11.9 and 3.12.3 CPython counts how deep it is in a tree for all threads together, and a thread that is not
    alone gets a SystemError (python/cpython#106905).
    """
    with _parser:
        return ast.parse(text)


@dataclass(frozen=True)
class Challenge:
    """Inputs of one run of a probe.

    ``given`` is sent to the process that runs the student's code, and the probe reads all of it; ``kept`` is for the
    judge alone. ``shown`` marks the small example whose inputs and expected values may be printed in feedback.
    """

    given: Values
    shown: bool = False
    kept: Values = field(default_factory=dict)

    @cached_property
    def known(self) -> Values:
        """What the judge knows: both."""
        return {**self.given, **self.kept}

    def keeping(self, *names: str) -> Challenge:
        """The same challenge, with these of its values for the judge alone."""
        sent = {name: value for name, value in self.given.items() if name not in names}
        return Challenge(sent, self.shown, {**self.kept, **{name: self.given[name] for name in names}})


@dataclass(frozen=True, eq=False)
class Probe:
    """A function that is sent, as source text, to the process that runs the student's code.

    It must stand alone: it may use its two arguments, its ``settings``, builtins and ``np``. It holds no answers.
    It returns a dict of values, or yields several, one after the other: those that it has yielded count whatever is
    raised afterwards, and they are read at once. An exception in the place of a value tells the line why it has none.
    Settings are its keyword-only arguments, plain Python literals that are written into the text as defaults, so that
    exercises can share a function. ``called`` is its name then.
    """

    function: Callable[..., Values | Iterator[Values]]
    challenges: Callable[[np.random.Generator], Sequence[Challenge]]
    settings: Values = field(default_factory=dict)
    called: str = ""

    @property
    def name(self) -> str:
        """What it is called, unique within an exercise."""
        return self.called or self.function.__name__

    def keeping(self, numbers: Values) -> Probe:
        """The same probe, with these numbers for the judge."""
        return replace(self, challenges=lambda rng: [replace(one, kept=numbers) for one in self.challenges(rng)])

    @cached_property
    def source(self) -> str:
        """The text of the function, without indentation, its settings as defaults.

        Raises TypeError when the settings are not those that the function takes.
        """
        text = textwrap.dedent(inspect.getsource(self.function))
        function = parsed(text).body[0]
        assert isinstance(function, ast.FunctionDef)
        wanted = [argument.arg for argument in function.args.kwonlyargs]
        if sorted(wanted) != sorted(self.settings):
            raise TypeError(f"{self.function.__name__} takes the settings {wanted}, not {list(self.settings)}")
        if not wanted:
            return text
        written = [parsed(repr(self.settings[name])).body[0] for name in wanted]
        function.args.kw_defaults = [one.value for one in written if isinstance(one, ast.Expr)]
        return ast.unparse(function)

    def ask(self, student: Any, given: Values) -> Values | Iterator[Values]:
        """Run it here."""
        return self.function(student, given, **self.settings)


@dataclass(frozen=True)
class Line:
    """One value that is marked: its key in the probe's answer, its points and what people call it.

    ``figures`` asks for this line to so many significant figures, where the judge's own tolerance does not fit.
    """

    name: str
    points: float
    label: str = ""
    figures: int | None = None


def lines(**points: float | tuple[float, str]) -> tuple[Line, ...]:
    """One line for every name, with its points and, where the name does not say it, what people call it."""
    worth = {name: given if isinstance(given, tuple) else (given, "") for name, given in points.items()}
    return tuple(Line(name, points, label or name) for name, (points, label) in worth.items())


@dataclass(frozen=True)
class Verdict:
    """What a judge found for one line.

    ``status`` is ``correct``, ``wrong`` or ``missing``. ``share`` is the part of the line's points that is earned.
    ``own`` says that the value is right given the student's own earlier values (follow-through).
    ``mistakes`` are ids of named mistakes; ``message`` is for the student, ``hint`` a step to look at.
    ``expected`` and ``got`` are filled only from a shown challenge.
    ``difference`` is the size of the error of every entry relative to the largest expected one; it tells
    where the numbers differ and not what they should be.
    ``remarks`` are observations that cost nothing. ``evidence`` is a tiny example on which the named mistake shows,
    with every number, so that it can be followed by hand.
    """

    status: str
    share: float = 0.0
    own: bool = False
    mistakes: tuple[str, ...] = ()
    message: str = ""
    hint: str = ""
    expected: Any = None
    got: Any = None
    difference: Any = None
    remarks: tuple[str, ...] = ()
    fingerprint: str = ""
    evidence: str = ""

    def __post_init__(self) -> None:
        """Raise UnknownMistake when a mistake is not in the catalogue."""
        known(*self.mistakes)

    @classmethod
    def named(cls, *mistakes: str, title: str = "", hint: str = "", **fields: Any) -> Verdict:
        """A wrong line whose mistakes are known. Words that are not given are those of the catalogue."""
        found = known(*mistakes)
        return cls(
            "wrong",
            mistakes=mistakes,
            message=sentence(title or "; ".join(mistake.title for mistake in found)),
            hint=hint or " ".join(mistake.hint for mistake in found),
            **fields,
        )


def sentence(text: str) -> str:
    """The text with a capital at its beginning and a period at its end; nothing stays nothing.

    >>> sentence("the sign is wrong")
    'The sign is wrong.'
    """
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "." if text else ""


RIGHT = Verdict("correct", share=1.0)
"""The verdict on what is simply right."""


@dataclass(frozen=True)
class Reply:
    """One answered challenge: what the judge knows of it and what the student's code returned.

    ``changed`` names the inputs that the student's code changed in place.
    """

    given: Values
    values: Values
    shown: bool = False
    changed: Sequence[str] = ()


Judge = Callable[[Sequence[Line], Sequence[Reply]], Mapping[str, Verdict]]
"""Pure: lines and the replies at every challenge to a verdict per line name."""


@dataclass(frozen=True)
class Question:
    """One graded cell. ``id`` is its nbgrader grade id; it is unique within the notebook.

    ``network`` describes what is asked about, where that is a network: the symbolic one for the inputs of a challenge.
    """

    id: str
    title: str
    lines: tuple[Line, ...]
    probe: Probe
    judge: Judge
    network: Callable[[Values], Any] | None = None

    @property
    def points(self) -> float:
        """The sum of the points of its lines."""
        return sum(line.points for line in self.lines)


@dataclass(frozen=True)
class Written:
    """A part that a person marks, with the mark scheme beside it (an nbgrader task cell)."""

    id: str
    title: str
    points: float


@dataclass(frozen=True, eq=False)
class Personal:
    """Numbers of their own for students of an exercise, in place of those of the ``sheet``.

    ``draw`` makes other ones of the same difficulty from a source of numbers from 0 to 1, 1 excluded. ``texts`` are
    all places where the notebook states a number, as the cell and a text that stands there once; ``below`` is the one
    that is followed by the remark that numbers are the student's own. ``in_words`` says them on one line, and ``truth``
    gives the answers by their names. They count in every question that has the ``judge``, whose probes keep the
    numbers for it; ``judging`` is the judge that also knows the numbers of others.
    """

    sheet: Values
    draw: Callable[[Callable[[], float]], Values]
    texts: Callable[[Values], Sequence[tuple[str, str]]]
    below: tuple[str, str]
    in_words: Callable[[Values], str]
    truth: Callable[[Values], Mapping[str, Any]]
    judge: Judge
    judging: Callable[[Callable[[], Iterable[Values]]], Judge]


Edits = Mapping[str, Sequence[tuple[str, str]]]
"""Pieces of cells, by grade id, each with what stands in its place."""


@dataclass(frozen=True, eq=False)
class Exercise:
    """One notebook of one sheet.

    ``parts`` names every lettered part of the task and the questions or written parts that mark it.
    ``minutes`` is the time a student should plan; ``difficulty`` runs from 1 to 5.
    ``limits`` overrides the default limits of isolated execution by name.
    ``personal`` says how students get numbers of their own. ``rewritten`` makes the notebook of the one student whose
    exercise this is from the course's. ``choices`` are the names of answers of which several are right, as the
    activation of a hidden layer: to who has made another choice than the solution, its other answers prove nothing;
    ``chosen_otherwise`` makes the solution with another choice, by pieces of its cells and what stands there then.
    """

    name: str
    sheet: str
    title: str
    minutes: int
    difficulty: int
    questions: tuple[Question, ...]
    parts: Mapping[str, tuple[str, ...]]
    written: tuple[Written, ...] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    personal: Personal | None = None
    rewritten: Callable[[Any], Any] | None = None
    choices: tuple[str, ...] = ()
    chosen_otherwise: tuple[Edits, ...] = ()

    @property
    def points(self) -> float:
        """All points of the notebook, those that a person gives included."""
        return sum(one.points for one in self.questions) + sum(part.points for part in self.written)

    @property
    def probes(self) -> tuple[Probe, ...]:
        """The distinct probes in the order of the questions; questions may share one."""
        return tuple({id(question.probe): question.probe for question in self.questions}.values())

    def question(self, question_id: str) -> Question:
        """The question with this id. Raises KeyError when there is none."""
        for question in self.questions:
            if question.id == question_id:
                return question
        known = ", ".join(question.id for question in self.questions)
        raise KeyError(f"{self.name} has no question {question_id!r}; it has {known}")
