"""Equal unexplained wrong answers of a class, so that one hint can reach everyone who gave them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from autograder.diagnosis import fingerprint
from autograder.marking import LineMark, Marks, Place, QuestionMark, with_lines
from autograder.views.places import places, shape


@dataclass(frozen=True)
class Cluster:
    """A wrong value that several students share: where it is, one sample of it, and who gave it."""

    id: str
    exercise: str
    question: str
    sample: LineMark
    students: tuple[str, ...]


def cluster_id(exercise: str, question: str, line: LineMark) -> str:
    """The name of the cluster that a wrong line belongs to, or empty when its mistake is known or nothing was given.

    It is made of the value at the shown example and of what was measured, which are the same in every grading run; a
    line without a shown value is known by its fingerprint, which holds for one seed.
    """
    if line.status != "wrong" or line.mistakes:
        return ""
    value = _fingerprint(line)
    if not value:
        return ""
    return hashlib.sha256("\n".join((exercise, question, line.name, value)).encode()).hexdigest()[:8]


def _fingerprint(line: LineMark) -> str:
    if line.got is None:
        return line.fingerprint
    try:
        array = np.asarray(line.got, dtype=float)
    except (TypeError, ValueError):
        return line.fingerprint
    return f"{fingerprint([{line.name: array}])} {line.message}"


def clusters(all_marks: Sequence[Marks], least: int = 2) -> list[Cluster]:
    """The clusters with at least so many students, the largest first."""
    found: dict[str, list[tuple[Marks, str, LineMark]]] = defaultdict(list)
    for marks in all_marks:
        for question in marks.questions:
            for line in question.lines:
                if name := cluster_id(marks.exercise, question.id, line):
                    found[name].append((marks, question.id, line))
    made = [
        Cluster(name, members[0][0].exercise, members[0][1], members[0][2], tuple(m.student for m, _, _ in members))
        for name, members in found.items()
    ]
    return sorted((c for c in made if len(c.students) >= least), key=lambda c: (-len(c.students), c.exercise, c.id))


@dataclass(frozen=True)
class Spot:
    """A piece of code at which several students go wrong alike: one sample of it, and every student's first place."""

    exercise: str
    question: str
    sample: Place
    students: Mapping[str, Place]


def spots(all_marks: Sequence[Marks], least: int = 2) -> list[Spot]:
    """What at least so many students wrote, but for their names and spaces, where the same is due; the most first."""
    found: dict[tuple[str, ...], dict[str, Place]] = defaultdict(dict)
    for marks in all_marks:
        for question in marks.questions:
            for _, place in places(question):
                same = found[marks.exercise, question.id, place.due or "", shape(place.code)]
                same.setdefault(marks.student, place)
    made = [
        Spot(exercise, question, min(students.values(), key=lambda place: (len(place.code), place.code)), students)
        for (exercise, question, *_), students in found.items()
        if len(students) >= least
    ]
    return sorted(made, key=lambda one: (-len(one.students), one.exercise, one.question, one.sample.code))


def with_hints(marks: Marks, hints: Mapping[str, str]) -> Marks:
    """The same marks with the instructor's hints at the lines of hinted clusters; no point changes."""

    def hinted(question: QuestionMark, line: LineMark) -> LineMark:
        hint = hints.get(cluster_id(marks.exercise, question.id, line))
        return replace(line, hint=f"{line.hint} From your instructor: {hint}".strip()) if hint else line

    return with_lines(marks, hinted)
