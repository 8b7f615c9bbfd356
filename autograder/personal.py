"""Numbers of their own for the students of a course. Off unless there is a ``numbers.json``.

A student's numbers follow from the student's id and a secret of the course by HMAC-SHA256, so nothing about single
students has to be kept, and no one who lacks the secret can say what another student has. ``autograder numbers
release`` writes one notebook for each student, and the file ``numbers.json`` in the course's folder, which is the
only setting: for which exercises, where the secret lies, and who has numbers of their own. Everyone else has those of
the sheet. How they are drawn, judged and written says the exercise (:class:`autograder.exercise.Personal`).

The secret is read by the trusted process only. What is run isolated gets numbers.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from autograder.course import CourseError, modules
from autograder.exercise import Exercise, Personal, Values
from autograder.exercises import load

SETTING, EARLIER = "numbers.json", "variants.json"
"""The file, and what it was called before; one that is there already is used on."""

SHORTEST_SECRET = 16


@dataclass(frozen=True)
class OwnNumbers:
    """Who has numbers of their own, in which exercises, and the secret that they follow from."""

    secret: bytes
    students: frozenset[str]
    exercises: tuple[str, ...]


def setting(root: Path) -> Path:
    """The file of a course that says who has numbers of their own, there or not."""
    return root / EARLIER if (root / EARLIER).exists() else root / SETTING


def read_own_numbers(root: Path) -> OwnNumbers | None:
    """Who has numbers of their own, or None when nobody has. Raises CourseError when the secret is not there."""
    path = setting(root)
    try:
        state = path.stat()
        file, mark, students, exercises = _setting(path, state.st_mtime_ns, state.st_size)
        for exercise in exercises:
            _personal(exercise)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise CourseError(f"{path} is damaged: make it again with `autograder numbers release`.") from None
    secret = read_secret(root / file)
    if not hmac.compare_digest(secret_mark(secret), mark):
        raise CourseError(f"{root / file} is another secret than the one of the students' numbers: put that one back.")
    return OwnNumbers(secret, students, exercises)


@lru_cache(maxsize=4)
def _setting(path: Path, *_state: int) -> tuple[str, str, frozenset[str], tuple[str, ...]]:
    """What the file says, read once for every state of it: a class asks with every notebook."""
    about = json.loads(path.read_text(encoding="utf-8"))
    return about["secret_file"], about["secret_mark"], frozenset(map(str, about["students"])), exercises_in(about)


def exercises_in(about: Mapping[str, Any]) -> tuple[str, ...]:
    """The exercises that a setting names; one that was made when there was a single one names just that."""
    return (str(about["exercise"]),) if "exercise" in about else tuple(map(str, about["exercises"]))


def _personal(exercise: str) -> Personal:
    """How students get numbers in an exercise. Raises KeyError when they do not."""
    personal = load(exercise).personal
    if personal is None:
        raise KeyError(f"everyone has the same numbers in {exercise}")
    return personal


def read_secret(path: Path) -> bytes:
    """The secret in a file. Raises CourseError when there is none, or one that is too short."""
    try:
        secret = path.read_bytes().strip()
    except OSError as error:
        raise CourseError(
            f"the secret of the students' numbers cannot be read from {path} ({error.strerror}): put the file back."
        ) from None
    if len(secret) < SHORTEST_SECRET:
        raise CourseError(f"the secret in {path} is shorter than {SHORTEST_SECRET} characters: it could be guessed.")
    return secret


def secret_mark(secret: bytes) -> str:
    """What tells one secret from another and gives nothing of it away."""
    return hmac.new(secret, b"mark", hashlib.sha256).hexdigest()


@lru_cache(maxsize=4096)
def _numbers(secret: bytes, exercise: str, student: str) -> Values:
    key = hmac.new(secret, f"{exercise}\0{student}".encode(), hashlib.sha256).digest()
    # the sequence of random.Random.random is the same in every version of Python
    return _personal(exercise).draw(random.Random(int.from_bytes(key)).random)


def numbers_of(own: OwnNumbers, exercise: str, student: str) -> Values:
    """The numbers of one student in an exercise, those of the sheet for a student who has none."""
    if student in own.students and exercise in own.exercises:
        return _numbers(own.secret, exercise, student)
    return _personal(exercise).sheet


def exercise_of(root: Path, name: str, student: str) -> Exercise:
    """The exercise as this student has it. Raises KeyError for an unknown name, and CourseError."""
    own = _own(root, name, student)
    return load(name) if own is None else _own_exercise(own, name, student)


def numbers_mark(root: Path, name: str, student: str) -> str:
    """What tells the numbers of one student from those of another; empty for the sheet's. Raises CourseError."""
    own = _own(root, name, student)
    return "" if own is None else hmac.new(own.secret, f"numbers\0{student}".encode(), hashlib.sha256).hexdigest()


def _own(root: Path, name: str, student: str) -> OwnNumbers | None:
    """Who has numbers of their own in an exercise, when this student is one of them."""
    if load(name).personal is None:
        return None
    own = read_own_numbers(root)
    return own if own is not None and name in own.exercises and student in own.students else None


@lru_cache(maxsize=256)
def _own_exercise(own: OwnNumbers, name: str, student: str) -> Exercise:
    given, personal, exercise = numbers_of(own, name, student), _personal(name), load(name)
    judge = personal.judging(partial(_others, own, name, student))
    probes = {one.probe: one.probe.keeping(given) for one in exercise.questions if one.judge is personal.judge}
    questions = (
        replace(one, probe=probes[one.probe], judge=judge) if one.judge is personal.judge else one
        for one in exercise.questions
    )
    again = partial(rewritten, exercise=name, given=given, student=student)
    return replace(exercise, questions=tuple(questions), rewritten=again)


def _others(own: OwnNumbers, name: str, student: str) -> Iterator[Values]:
    yield _personal(name).sheet
    for other in sorted(own.students - {student}):
        yield numbers_of(own, name, other)


# The notebook with other numbers ------------------------------------------------------------------------------------

OWN = "\n**The numbers below are your own**, drawn for `{}`. Other students have other ones.\n"


def rewritten(notebook: NotebookNode, *, exercise: str, given: Values, student: str) -> NotebookNode:
    """The notebook with the numbers of one student in place of those of the sheet.

    Raises CourseError when the notebook states its numbers in another way than the exercise says.
    """
    notebook, personal = deepcopy(notebook), _personal(exercise)
    cells = {_grade_id(cell): cell for cell in notebook.cells}
    name, heading = personal.below
    changes = [(name, heading, heading + OWN.format(re.sub(r"[^\w.@-]", "_", student)))]
    places = zip(personal.texts(personal.sheet), personal.texts(given))
    changes += [(name, old, new) for (name, old), (_, new) in places]
    # all places are found before any is changed: a new number may look like an old one
    parts: dict[str, list[tuple[int, str, str]]] = {}
    for name, old, new in changes:
        source = cells[name].source if name in cells else ""
        if source.count(old) != 1:
            raise CourseError(
                f"the cell `{name}` of {exercise} does not say `{old.strip()}` once: after a change of the notebook, "
                f"change {modules()}/{exercise}.py too."
            )
        parts.setdefault(name, []).append((source.index(old), old, new))
    for name, found in parts.items():
        for start, old, new in sorted(found, reverse=True):
            source = cells[name].source
            cells[name].source = source[:start] + new + source[start + len(old) :]
    return notebook


def students_notebook(released: NotebookNode, own: OwnNumbers, exercise: str, student: str) -> NotebookNode:
    """The released notebook with a student's numbers, and with checksums that fit. Raises CourseError."""
    from nbgrader.utils import compute_checksum

    made = rewritten(released, exercise=exercise, given=numbers_of(own, exercise, student), student=student)
    for cell in made.cells:
        about = cell.metadata.get("nbgrader", {})
        if "checksum" in about:
            about["checksum"] = compute_checksum(cell)
    return made


def _grade_id(cell: NotebookNode) -> str:
    name: str = cell.metadata.get("nbgrader", {}).get("grade_id", "")
    return name
