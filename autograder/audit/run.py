"""Run every variant of an exercise through grading and compare its marks with what it deserves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.audit.calls import first_calls
from autograder.audit.graders import SEED, Grader
from autograder.audit.shams import Sham, functions, shams
from autograder.audit.variants import Variant, Variants, load_variants
from autograder.build.leaks import nbgrader_metadata
from autograder.build.submission import fill, solutions
from autograder.exercise import Exercise
from autograder.marking import QuestionMark
from autograder.marking.spans import Place

Marks = Mapping[str, QuestionMark]
"""The marks of one notebook by question."""


@dataclass
class Row:
    """What the audit found for one question.

    ``variants`` counts the wrong variants that must lose points here, ``killed`` those that lost exactly these,
    ``nameable`` those whose mistake must be named and ``named`` those where it was. ``right`` counts the right
    solutions and ``rejected`` those that did not get full marks. ``stub`` is the status of the untouched stub.
    """

    exercise: str
    question: str
    variants: int = 0
    killed: int = 0
    nameable: int = 0
    named: int = 0
    right: int = 0
    rejected: int = 0
    stub: str = ""


@dataclass
class Extremes:
    """The most that a sham earns in an exercise, and the most that a single slip costs, each with its id.

    ``points`` are those of the machine. What the same sham earns with its hollow functions left open does not count.
    ``faulty`` counts the wrong variants whose mistake lies at a place of the code, ``located`` those with a place there
    and none elsewhere, and ``misplaced`` those with a place elsewhere. The mistakes of ``unplaced`` ones lie nowhere.
    """

    exercise: str
    points: float
    earned: float = 0.0
    earned_by: str = ""
    lost: float = 0.0
    lost_by: str = ""
    faulty: int = 0
    located: int = 0
    misplaced: int = 0
    unplaced: int = 0


@dataclass
class Report:
    """The rows of all questions, the extremes of all exercises, and every failure in a sentence."""

    rows: list[Row] = field(default_factory=list)
    extremes: list[Extremes] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The report as plain data."""
        return {
            "questions": [asdict(row) for row in self.rows],
            "exercises": [asdict(one) for one in self.extremes],
            "failures": self.failures,
        }


def audit(
    exercise: Exercise,
    root: Path,
    grader: Grader,
    *,
    seed: int = SEED,
    pool: Executor | None = None,
    progress: Callable[[str], None] = lambda _: None,
    placing: Grader | None = None,
) -> Report:
    """Audit one exercise. Raises CourseError when its variants are missing.

    With a ``pool`` of threads, variants are graded at the same time; the report is the same. ``progress`` is told the
    variant that is waited for. ``placing`` grades the wrong ones with their places: it is counted whether these are
    where the mistakes are; one that is elsewhere is a failure.
    """
    extremes = Extremes(exercise.name, sum(question.points for question in exercise.questions))
    report = Report([Row(exercise.name, question.id) for question in exercise.questions], [extremes])
    rows = {row.question: row for row in report.rows}
    variants = load_variants(root, exercise)
    solved = solutions(root, exercise)
    released = nbformat.read(root / "assignments" / exercise.sheet / f"{exercise.name}.ipynb", as_version=4)

    others = (Variant("reference", "the reference solution"), *variants.right)
    hollowed = variants.around(solved)
    standing = _standing(exercise, root, seed, hollowed, released)
    hollow = {one.id: one for sham in standing for one in (sham.variant, sham.left_open) if one is not None}
    around = {one.id: variants.around(solved, one) for one in variants.wrong}
    every = [(one, solved, grader) for one in others]
    every += [(one, around[one.id], placing or grader) for one in variants.wrong]
    every += [(one, hollowed, grader) for one in hollow.values()]
    filled = [(released, grader), *((fill(released, one.apply(cells)), by) for one, cells, by in every)]
    graded = (pool.map if pool else map)(lambda each: each[1](each[0], exercise), filled)

    progress("untouched stub")
    for mark in next(graded):
        rows[mark.id].stub = mark.status
        if mark.points or mark.status not in ("missing", "raised", "wrong"):
            report.failures.append(f"{exercise.name}: the untouched stub earns {mark.points:g} at {mark.id}")
        if not mark.message:
            report.failures.append(f"{exercise.name}: the untouched stub is told nothing at {mark.id}")

    if len(variants.right) < 2:
        report.failures.append(f"{exercise.name}: at least two right variants are needed, not {len(variants.right)}")
    for variant in others:
        progress(variant.id)
        for mark in next(graded):
            rows[mark.id].right += 1
            if mark.points != mark.max_points:
                rows[mark.id].rejected += 1
                report.failures.append(
                    f"{exercise.name}: the right variant {variant.id} loses {mark.max_points - mark.points:g} "
                    f"at {mark.id}: {mark.message}"
                )

    for variant in variants.wrong:
        progress(variant.id)
        right = around[variant.id]
        marks = {mark.id: mark for mark in next(graded)}
        found = [*_judge(variant, marks, rows), *_slip(variant, marks, variants, extremes)]
        report.failures += [f"{exercise.name}: {variant.id}: {text}" for text in found]
        try:
            faults = variants.at_fault(variant, right)
        except ValueError as problem:
            report.failures.append(f"{exercise.name}: {variant.id}: {problem}")
            continue
        if placing:
            at = faults or variant.faults(right) or _whole(variant.apply(right), right)
            found = list(_placed(at, bool(faults), variant.apply(right), marks, extremes))
            report.failures += [f"{exercise.name}: {variant.id}: {text}" for text in found]

    marked: dict[str, Marks] = {}
    for name in hollow:
        progress(name)
        marked[name] = {mark.id: mark for mark in next(graded)}
    for sham in standing:
        found = list(_unearned(sham, marked, variants, extremes))
        report.failures += [f"{exercise.name}: {sham.variant.id}: {text}" for text in found]

    for row in report.rows:
        if not row.variants:
            report.failures.append(f"{exercise.name}: no wrong variant tests the question {row.question}")
    return report


def _allowed(points: float | tuple[float, ...]) -> tuple[float, ...]:
    return points if isinstance(points, tuple) else (points,)


def _judge(variant: Variant, marks: Mapping[str, QuestionMark], rows: Mapping[str, Row]) -> Iterator[str]:
    """Compare the marks of a wrong variant with what it must lose; yields a sentence per difference."""
    whole = {name: points for name, points in variant.loses.items() if "." not in name}
    single = {name: points for name, points in variant.loses.items() if "." in name}
    for name in (*variant.loses, *variant.named, *variant.statuses):
        if name.split(".")[0] not in marks:
            yield f"it speaks of {name}, which is no question"
    for question, mark in marks.items():
        expected = {name.split(".")[1]: lost for name, lost in single.items() if name.split(".")[0] == question}
        lost = {
            line.name: round(line.max_points - line.points, 6) for line in mark.lines if line.points != line.max_points
        }
        aimed_at = question in whole or bool(expected)
        rows[question].variants += aimed_at
        if question in whole:
            exact = sum(lost.values()) in _allowed(whole[question])
        else:
            exact = all(lost.get(line, 0) in _allowed(expected.get(line, 0)) for line in {*lost, *expected})
        rows[question].killed += aimed_at and exact
        if not exact:
            wanted = whole.get(question, expected) or "nothing"
            yield f"loses {lost or 'nothing'} at {question}, but {wanted} is due ({mark.message})"
        status = variant.statuses.get(question)
        if status is not None and mark.status != status:
            yield f"has the status {mark.status} at {question}, not {status}"
        for line in mark.lines:
            names = variant.named.get(f"{question}.{line.name}")
            if names is not None:
                rows[question].nameable += 1
                rows[question].named += line.mistakes == names
                if line.mistakes != names:
                    yield f"is told {line.mistakes or line.message!r} at {question}.{line.name}, not {names}"


def _whole(sources: Mapping[str, str], solved: Mapping[str, str]) -> dict[str, list[tuple[int, int]]]:
    """The cells of a variant that are its own: whose mistake lies nowhere may be pointed at where it was typed."""
    return {name: [(0, len(source))] for name, source in sources.items() if source != solved.get(name)}


def _placed(
    faults: Mapping[str, Sequence[tuple[int, int]]], is_due: bool, sources: Mapping[str, str], marks: Marks,
    extremes: Extremes,
) -> Iterator[str]:  # fmt: skip
    """Count the places of a wrong variant; yields a sentence for each question with one in other lines."""
    found = [(name, line.place) for name, mark in marks.items() for line in mark.lines if line.place is not None]
    wrong = {name: place for name, place in found if not is_at(place, faults.get(place.cell, ()), sources)}
    extremes.faulty += is_due
    extremes.unplaced += not is_due
    extremes.located += is_due and bool(found) and not wrong
    extremes.misplaced += bool(wrong)
    for name, place in wrong.items():
        yield f"is located at line {place.line} of {place.cell}, `{place.code}`, for {name}"


def is_at(place: Place, faults: Sequence[tuple[int, int]], sources: Mapping[str, str]) -> bool:
    """Whether a place has a line in common with a fault; an omission is in the function or class that lacks it."""
    source = sources[place.cell]
    for start, end in faults:
        first, last = (source.count("\n", 0, offset) + 1 for offset in (start, end))
        if first <= place.end_line and place.line <= last:
            return True
        between = source.split("\n")[place.line : first]
        if place.code.startswith("def ") and place.line < first and not any(" def " in line for line in between):
            return True
        if (
            place.code.startswith("class ")
            and place.line < first
            and all(not line[:1].strip() for line in between[:-1])
        ):
            return True
    return False


def _standing(
    exercise: Exercise, root: Path, seed: int, solved: Mapping[str, str], released: NotebookNode
) -> list[Sham]:
    """The shams of an exercise, made from its stub, its reference and what its probes ask first."""
    cells = {cell.metadata["nbgrader"]["grade_id"]: cell.source for cell in released.cells if _students(cell)}
    which = functions(cells, solved)
    return list(shams(which, solved, first_calls(fill(released, solved), exercise, root, seed, which)))


def _students(cell: NotebookNode) -> bool:
    return cell.cell_type == "code" and bool(nbgrader_metadata(cell).get("solution"))


def _slip(variant: Variant, marks: Marks, variants: Variants, extremes: Extremes) -> Iterator[str]:
    """One slip, one loss: a single slip costs one line, or at most a third of the points of one question."""
    if not variant.slip or (variant.id in variants.allowed and not variants.allowed[variant.id].startswith("open:")):
        return
    lost = {
        f"{mark.id}.{line.name}": line.max_points - line.points
        for mark in marks.values()
        for line in mark.lines
        if line.points < line.max_points
    }
    if sum(lost.values()) > extremes.lost:
        extremes.lost, extremes.lost_by = round(sum(lost.values()), 6), variant.id
    shares = dict.fromkeys(marks, 0.0)
    for name, points in lost.items():
        shares[name.split(".")[0]] += points / marks[name.split(".")[0]].max_points
    several = len({name.split(".")[0] for name in lost}) > 1
    if len(lost) > 1 and (several or max(shares.values()) > 1 / 3) and variant.id not in variants.allowed:
        yield (
            f"a single slip costs {', '.join(lost)}; let later lines follow from the first, "
            "or say in ALLOWED why the question asks for just that"
        )


def _unearned(sham: Sham, marked: Mapping[str, Marks], variants: Variants, extremes: Extremes) -> Iterator[str]:
    """What a sham earns though nobody worked for it, or an ignored argument that costs nothing."""
    marks, left_open = marked[sham.variant.id], marked[sham.left_open.id] if sham.left_open else {}
    if sham.deaf:
        if all(mark.points == mark.max_points for mark in marks.values()) and sham.variant.id not in variants.allowed:
            yield "costs nothing; let this argument vary over the challenges"
        return
    due = {f"{mark.id}.{line.name}": line.points for mark in left_open.values() for line in mark.lines}
    earned = {
        name: line.points - due.get(name, 0.0)
        for mark in marks.values()
        for line in mark.lines
        if line.points > due.get(name := f"{mark.id}.{line.name}", 0.0)
    }
    if sum(earned.values()) > extremes.earned:
        extremes.earned, extremes.earned_by = round(sum(earned.values()), 6), sham.variant.id
    unearned = {name: points for name, points in earned.items() if name not in variants.allowed}
    if unearned:
        each = ", ".join(f"{name} {points:g}" for name, points in unearned.items())
        yield f"earns {sum(unearned.values()):g} points that nobody worked for: {each}"
