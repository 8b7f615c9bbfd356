"""The worked calculation with other numbers for every student. Off unless there is a ``variants.json``.

A student's numbers follow from the student's id and a secret of the course by HMAC-SHA256, so nothing about single
students has to be kept, and no one who lacks the secret can say what another student has. ``autograder variants
release`` writes one notebook for each student, and the file ``variants.json`` in the course's folder, which is the
only setting: where the secret lies, and who has numbers of their own. Everyone else has those of the sheet.

The secret is read by the trusted process only. What is run isolated gets numbers.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from nbformat import NotebookNode

from autograder.course import CourseError
from autograder.exercise import Exercise, Values
from autograder.exercises import load
from autograder.exercises import worked_calculation as calculation

SETTING = "variants.json"
EXERCISE = calculation.EXERCISE.name
SHORTEST_SECRET = 16


@dataclass(frozen=True)
class Variants:
    """Who has numbers of their own, and the secret that they follow from."""

    secret: bytes
    students: frozenset[str]
    exercise: str = EXERCISE


def read_variants(root: Path) -> Variants | None:
    """The variants of a course, or None when there are none. Raises CourseError when the secret is not there."""
    path = root / SETTING
    try:
        state = path.stat()
        file, mark, students = _setting(path, state.st_mtime_ns, state.st_size)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise CourseError(f"{path} is damaged: make it again with `autograder variants release`.") from None
    secret = read_secret(root / file)
    if not hmac.compare_digest(secret_mark(secret), mark):
        raise CourseError(
            f"{root / file} is another secret than the one of the students' numbers: put that one back."
        )
    return Variants(secret, students)


@lru_cache(maxsize=4)
def _setting(path: Path, *_state: int) -> tuple[str, str, frozenset[str]]:
    """What the file says, read once for every state of it: a class asks with every notebook."""
    about = json.loads(path.read_text(encoding="utf-8"))
    return about["secret_file"], about["secret_mark"], frozenset(map(str, about["students"]))


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
def _numbers(secret: bytes, student: str) -> Values:
    key = hmac.new(secret, f"{EXERCISE}\0{student}".encode(), hashlib.sha256).digest()
    # the sequence of random.Random.random is the same in every version of Python
    return calculation.draw(random.Random(int.from_bytes(key)).random)


def numbers_of(variants: Variants, student: str) -> Values:
    """The numbers of one student, those of the sheet for a student who has none."""
    return _numbers(variants.secret, student) if student in variants.students else calculation.GIVEN


def exercise_of(root: Path, name: str, student: str) -> Exercise:
    """The exercise as this student has it. Raises KeyError for an unknown name, and CourseError."""
    variants = read_variants(root) if name == EXERCISE else None
    if variants is None or student not in variants.students:
        return load(name)
    return _own_exercise(variants, student)


def numbers_mark(root: Path, name: str, student: str) -> str:
    """What tells the numbers of one student from those of another; empty for the sheet's. Raises CourseError."""
    variants = read_variants(root) if name == EXERCISE else None
    if variants is None or student not in variants.students:
        return ""
    return hmac.new(variants.secret, f"numbers\0{student}".encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=256)
def _own_exercise(variants: Variants, student: str) -> Exercise:
    given = numbers_of(variants, student)
    return calculation.with_numbers(
        given, partial(_others, variants, student), partial(rewritten, given=given, student=student)
    )


def _others(variants: Variants, student: str) -> Iterator[Values]:
    yield calculation.GIVEN
    for other in sorted(variants.students - {student}):
        yield numbers_of(variants, other)


# The notebook with other numbers ------------------------------------------------------------------------------------


def _row(numbers: Iterable[float]) -> str:
    return r",\ ".join(f"{x:g}" for x in numbers)


def _texts(given: Values) -> Sequence[tuple[str, str]]:
    """Every place where the notebook states a number: the cell and the text. Each stands there exactly once."""
    (x1, x2), (w11, w12, w21, w22) = given["X"].ravel(), given["W1"].ravel()
    (b11, b12), (w1, w2), b2, y = given["b1"].ravel(), given["W2"].ravel(), given["b2"].item(), given["Y"].item()
    matrix = rf"\begin{{pmatrix}} {w11:g} & {w12:g} \\ {w21:g} & {w22:g} \end{{pmatrix}}"
    return (
        ("task", f"$x = ({_row((x1, x2))})$ |"),
        ("task", f"$W_1 = {matrix}$"),
        ("task", f"$b_1 = ({_row((b11, b12))})$ |"),
        ("task", f"$W_2 = ({_row((w1, w2))})$ |"),
        ("task", f"$b_2 = {b2:g}$ |"),
        ("task", f"$y = {y:g}$ |"),
        ("picture", f'place = {{"x1 = {x1:g}": (0, 1), "x2 = {x2:g}": (0, 0)'),
        ("picture", f'("x1 = {x1:g}", "unit 1", "{w11:g}"'),
        ("picture", f'("x2 = {x2:g}", "unit 1", "{w12:g}"'),
        ("picture", f'("x1 = {x1:g}", "unit 2", "{w21:g}"'),
        ("picture", f'("x2 = {x2:g}", "unit 2", "{w22:g}"'),
        ("picture", f'("unit 1", "output", "{w1:g}"'),
        ("picture", f'("unit 2", "output", "{w2:g}"'),
        ("picture", f'{{"bias {b11:g}": (1, 1.42), "bias {b12:g}": (1, -0.42), "bias {b2:g}": (2, 0.92)}}'),
        ("check_text", f"must be closer to {y:g} than"),
    )


HEADING = "## The network\n"
OWN = "\n**The numbers below are your own**, drawn for `{}`. Other students have other ones.\n"


def rewritten(notebook: NotebookNode, *, given: Values, student: str) -> NotebookNode:
    """The worked calculation with the numbers of one student in place of those of the sheet.

    Raises CourseError when the notebook states its numbers in another way than is known here.
    """
    notebook = deepcopy(notebook)
    cells = {_grade_id(cell): cell for cell in notebook.cells}
    own = HEADING + OWN.format(re.sub(r"[^\w.@-]", "_", student))
    changes = [("task", HEADING, own)]
    changes += [(name, old, new) for (name, old), (_, new) in zip(_texts(calculation.GIVEN), _texts(given))]
    # all places are found before any is changed: a new number may look like an old one
    parts: dict[str, list[tuple[int, str, str]]] = {}
    for name, old, new in changes:
        source = cells[name].source if name in cells else ""
        if source.count(old) != 1:
            raise CourseError(
                f"the cell `{name}` of {EXERCISE} does not say `{old.strip()}` once: after a change of the notebook, "
                "change autograder/personal.py too."
            )
        parts.setdefault(name, []).append((source.index(old), old, new))
    for name, places in parts.items():
        for start, old, new in sorted(places, reverse=True):
            source = cells[name].source
            cells[name].source = source[:start] + new + source[start + len(old) :]
    return notebook


def students_notebook(released: NotebookNode, given: Values, student: str) -> NotebookNode:
    """The released notebook with a student's numbers, and with checksums that fit. Raises CourseError."""
    from nbgrader.utils import compute_checksum

    made = rewritten(released, given=given, student=student)
    for cell in made.cells:
        about = cell.metadata.get("nbgrader", {})
        if "checksum" in about:
            about["checksum"] = compute_checksum(cell)
    return made


def _grade_id(cell: NotebookNode) -> str:
    name: str = cell.metadata.get("nbgrader", {}).get("grade_id", "")
    return name


def answers(given: Values) -> dict[str, np.ndarray]:
    """The exact values of the calculation with these numbers, by the names on the sheet."""
    return dict(calculation.truth(given))


