"""Answers and an exercise to marks. Pure: the same answers and seed always give the same marks."""

from __future__ import annotations

import contextlib
import logging
import zlib
from collections.abc import Mapping, Sequence, Set
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any, Protocol

import numpy as np

from autograder.exercise import Challenge, Exercise, Line, Probe, Question, Reply, Verdict
from autograder.marking.compare import as_numbers
from autograder.marking.differences import costing
from autograder.marking.judges import left_open, not_again
from autograder.marking.marks import LineMark, QuestionMark
from autograder.mistakes import NOT_DONE, SYMPTOMS

log = logging.getLogger(__name__)


class Answer(Protocol):
    """What came back from one challenge: the isolated side's answer, or a stored one."""

    @property
    def status(self) -> str:
        """``answered``, or why it was not."""

    @property
    def values(self) -> Mapping[str, Any]:
        """Every value of the answer, by name."""

    @property
    def message(self) -> str:
        """What the student is told when it was not answered."""

    @property
    def changed_inputs(self) -> Sequence[str]:
        """The inputs that the student's code changed in place."""

    @property
    def warnings(self) -> Sequence[str]:
        """What numpy and others said while it ran."""

    @property
    def earlier(self) -> Mapping[str, Answer]:
        """For a graded cell, what is answered with the plain values as they were there, if that is different."""


@lru_cache(maxsize=256)
def challenges(exercise: Exercise, seed: int) -> Mapping[str, tuple[Challenge, ...]]:
    """The challenges of every probe of an exercise, by the probe's name: the same for the same seed."""
    return {probe.name: _draw(probe, seed) for probe in exercise.probes}


def _draw(probe: Probe, seed: int) -> tuple[Challenge, ...]:
    stream = np.random.default_rng([seed, zlib.crc32(probe.name.encode())])
    return tuple(probe.challenges(stream))


def mark(
    exercise: Exercise, seed: int, answers: Mapping[str, Sequence[Answer]], *, differences_cost: bool = False
) -> tuple[QuestionMark, ...]:
    """Mark every question from the answers to its probe.

    ``answers`` maps the name of a probe to one answer per challenge, in the order of :func:`challenges`. A probe
    that is not there counts as an error of the grader, as does a judge that raises: such a question goes to a person.
    A mistake costs the first question in which it shows, in the order of the notebook; see
    :func:`~autograder.marking.judges.not_again`.
    With ``differences_cost`` right gradients that are differences of the loss lose their points.
    """
    asked = challenges(exercise, seed)
    questions = [_costing(one) for one in exercise.questions] if differences_cost else exercise.questions
    marks, charged = list[QuestionMark](), frozenset[str]()
    for question in questions:
        probe = question.probe.name
        marks.append(_mark_question(question, asked[probe], answers.get(probe, ()), charged))
        charged |= {one for line in marks[-1].lines if line.points < line.max_points for one in line.mistakes}
        charged -= NOT_DONE | SYMPTOMS
    return tuple(marks)


def _costing(question: Question) -> Question:
    def judged(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        return {name: costing(verdict) for name, verdict in question.judge(lines, replies).items()}

    return replace(question, judge=judged)


def work_out_truth(exercise: Exercise, seed: int) -> None:
    """Work out what is true at every challenge. It is remembered, so that the first marks do not wait for it."""
    asked = challenges(exercise, seed)
    for question in exercise.questions:
        nothing = tuple(Reply(challenge.known, {}, challenge.shown) for challenge in asked[question.probe.name])
        with contextlib.suppress(Exception):  # a judge that cannot do without values works it out with them
            question.judge(question.lines, nothing)


@lru_cache(maxsize=256)
def truth_meanwhile(exercise: Exercise, seed: int) -> Future[None]:
    """Have :func:`work_out_truth` run beside this, once for a seed; who marks waits for it, since it is half done."""
    return _aside().submit(work_out_truth, exercise, seed)


@cache
def _aside() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "truth")


def _mark_question(
    question: Question, asked: Sequence[Challenge], answers: Sequence[Answer], charged: Set[str]
) -> QuestionMark:
    """Mark a question by the plain values of where it stands, and by the last ones where these are worth more."""
    last = _marked(question, asked, answers, charged)
    if last.status == "grader_error" or not any(question.id in answer.earlier for answer in answers):
        return last
    there = _marked(question, asked, [answer.earlier.get(question.id, answer) for answer in answers], charged)
    if there.status == "grader_error":
        return last
    lines = tuple(one if one.points >= other.points else other for one, other in zip(there.lines, last.lines))
    if lines in (there.lines, last.lines):
        return there if lines == there.lines else last
    return _of_lines(question, lines, last.remarks, there.example or last.example)


def _marked(
    question: Question, asked: Sequence[Challenge], answers: Sequence[Answer], charged: Set[str]
) -> QuestionMark:
    if not answers:
        return _all_lines(question, "grader_error", "The grader did not ask this question. A person will look at it.")
    replies = tuple(
        Reply(at.known, answer.values, at.shown, answer.changed_inputs) for at, answer in zip(asked, answers)
    )
    remarks = _remarks(answers, replies)
    failed = [answer for answer in answers if answer.status != "answered"]
    names = [line.name for line in question.lines]
    lost = {name: answer for answer in reversed(failed) for name in names if left_open(answer.values.get(name))}
    first = next((answer for answer in failed if answer.status == "grader_error"), failed[0] if failed else None)
    if first is not None and (len(lost) == len(names) or first.status == "grader_error"):
        return _all_lines(question, first.status, first.message, remarks)
    try:
        verdicts = not_again(question.judge(question.lines, replies), charged, replies)
    except Exception:
        if first is not None:  # something that the judge needs besides is not there
            return _all_lines(question, first.status, first.message, remarks)
        log.exception("the judge of %s failed", question.id)
        return _all_lines(
            question, "grader_error", "The grader failed at this question; it is not a zero. A person will look at it."
        )
    lines = []
    for line in question.lines:
        verdict = verdicts[line.name]
        if line.name in lost:
            verdict = Verdict(lost[line.name].status, message=lost[line.name].message)
        elif verdict.status == "missing" and (why := next((a.message for a in answers if a.message), "")):
            verdict = Verdict("raised", message=why)  # a cell's own error comes before "fill it in"
        points = round(line.points * verdict.share, 6)
        lines.append(LineMark(line.name, line.label, points, line.points, **_fields(verdict)))
    return _of_lines(question, tuple(lines), remarks, _example(lines, asked))


SHOWN_ENTRIES = 24
"""So many entries may an input of a small example have to be shown beside it."""


def _example(lines: Sequence[LineMark], asked: Sequence[Challenge]) -> dict[str, Any] | None:
    """The inputs of the shown challenge, where numbers of it are shown: without them nobody can work it out again."""
    if all(line.expected is None for line in lines):
        return None
    shown = next(challenge.given for challenge in asked if challenge.shown)
    inputs = {name: as_numbers(value) for name, value in shown.items()}
    small = {
        name: array for name, array in inputs.items() if not isinstance(array, str) and array.size <= SHOWN_ENTRIES
    }
    return small or None


def _of_lines(
    question: Question, lines: tuple[LineMark, ...], remarks: tuple[str, ...], example: dict[str, Any] | None
) -> QuestionMark:
    return QuestionMark(
        id=question.id,
        title=question.title,
        points=round(sum(line.points for line in lines), 6),
        max_points=question.points,
        status=_status(lines),
        mistakes=tuple(dict.fromkeys(mistake for line in lines for mistake in line.mistakes)),
        message=_first_message(lines),
        lines=lines,
        remarks=remarks,
        example=example,
    )


def _fields(verdict: Verdict) -> dict[str, Any]:
    fields = {name: getattr(verdict, name) for name in Verdict.__dataclass_fields__ if name != "share"}
    return fields | {"got": _worth_keeping(verdict.got, verdict.expected)}


MOST_KEPT = 100
"""So many entries of an answer are kept in the record, or as many as are asked for; so many characters of a text."""


def _worth_keeping(got: Any, expected: Any) -> Any:
    """A wrong answer if it is of a size that is asked for, else what it is in words: a record is read, and kept."""
    size = _size(got)
    if size <= max(MOST_KEPT, np.size(expected)):
        return got
    numbers = as_numbers(got)
    return f"{size} values" if isinstance(numbers, str) else f"an array of shape {numbers.shape}"


def _size(value: Any) -> int:
    if isinstance(value, np.ndarray | str):
        return value.size if isinstance(value, np.ndarray) else len(value)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(_size, inner))


def _status(lines: Sequence[LineMark]) -> str:
    statuses = {line.status for line in lines}
    return statuses.pop() if len(statuses) == 1 else "wrong"


def _first_message(lines: Sequence[LineMark]) -> str:
    """The first line that is not right is where to look; later ones may only follow from it."""
    first = next((line for line in lines if line.status != "correct"), None)
    if first is None:
        return ""
    told = " ".join(text for text in (first.message, first.hint) if text)
    return f"{first.label or first.name}: {told}".strip()


def _all_lines(question: Question, status: str, message: str, remarks: tuple[str, ...] = ()) -> QuestionMark:
    lines = tuple(LineMark(line.name, line.label, 0.0, line.points, status) for line in question.lines)
    return QuestionMark(
        question.id, question.title, 0.0, question.points, status, message=message, lines=lines, remarks=remarks
    )


def _remarks(answers: Sequence[Answer], replies: Sequence[Reply]) -> tuple[str, ...]:
    """Observations that cost nothing."""
    found = []
    changed = sorted({name for answer in answers for name in answer.changed_inputs})
    if changed:
        found.append(f"Your code changes its input in place: {', '.join(changed)}. The caller's array is altered too.")
    found += [f"While your code ran: {text}" for text in dict.fromkeys(w for a in answers for w in a.warnings)][:3]
    arrays = [as_numbers(value) for reply in replies for value in reply.values.values()]
    if any(not isinstance(array, str) and array.dtype == np.float32 for array in arrays):
        found.append("You compute in float32; float64 keeps about 16 digits instead of 7.")
    return tuple(found)
