"""The marker's desk: one part, all answers to it, and marks into the gradebook. No web page; for one thread."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Comment, Grade, Gradebook, MissingEntry, SubmittedAssignment, SubmittedNotebook
from traitlets.config import Config

from autograder.bridge import schemes
from autograder.bridge.given import ELSEWHERE, Given, Mark, Place, derive, give, same
from autograder.bridge.settings import autograded_of, database_of, root_of
from autograder.course import CourseError
from autograder.exercise import Written
from autograder.exercises import all_exercises, load
from autograder.grading.notebook import BadNotebook, read_notebook
from autograder.marking import BadRecord
from autograder.people.agreement import agreement, drawn
from autograder.people.answers import answer, digests, label
from autograder.people.groups import ALIKE, groups
from autograder.people.scheme import Scheme, revised, total
from autograder.records.read import record_of
from autograder.views import prose

MOST_BESIDE = 8
"""So many outputs of a notebook are shown beside an answer, and as many from further up."""


class Conflict(Exception):
    """Somebody else marked it meanwhile, or the answer is another one now: nothing was written."""


class Desk:
    """All written parts of one sheet. ``share`` above zero makes it the desk of a blind second marker."""

    def __init__(self, config: Config, sheet: str, marker: str, *, names: bool = False, share: float = 0.0) -> None:
        """Open the gradebook of a course. Raises CourseError when there is nothing to mark."""
        self.config, self.sheet, self.marker, self.names, self.share = config, sheet, marker, names, share
        self.root, self.autograded = root_of(config), autograded_of(config)
        self.parts = {
            (one.name, part.id): part for one in all_exercises() if one.sheet == sheet for part in one.written
        }
        logging.getLogger("nbgrader").setLevel(logging.ERROR)
        self._book = Gradebook(database_of(config))
        with self._fresh():
            self.parts = {key: part for key, part in self.parts.items() if self._knows(*key)}
            if not self.parts:
                raise CourseError(
                    f"the gradebook has nothing of {sheet} for people: run `nbgrader generate_assignment {sheet}`."
                )
            derive(self._book, config, self.autograded, sheet)
        self._texts: dict[str, tuple[float, NotebookNode, str]] = {}

    def _knows(self, exercise: str, part: str) -> bool:
        try:
            self._book.find_graded_cell(part, exercise, self.sheet)
        except MissingEntry:
            return False
        return True

    def close(self) -> None:
        """Close the gradebook."""
        self._book.close()

    @contextmanager
    def _fresh(self) -> Iterator[Gradebook]:
        """The gradebook as it is now: others write into it too."""
        self._book.db.rollback()
        self._book.db.expire_all()
        try:
            yield self._book
        finally:
            self._book.db.rollback()

    def overview(self) -> list[dict[str, Any]]:
        """Every part with how many answers there are and how many wait."""
        found = []
        with self._fresh() as book:
            given = Given(book.db)
            for (exercise, part), written in self.parts.items():
                here = self._here(book, exercise, part)
                seen = {mark.place.student for mark in given.marks(sheet=self.sheet, second=True) if
                        (mark.place.exercise, mark.cell) == (exercise, part)}  # fmt: skip
                if self.share:
                    here = self._sample(exercise, part, here)
                waits = sum(one not in seen if self.share else grade[0] for one, grade in here.items())
                found.append({
                    "exercise": exercise, "part": part, "title": written.title, "notebook": load(exercise).title,
                    "points": written.points, "answers": len(here), "waiting": waits,
                })  # fmt: skip
        return found

    def part(self, exercise: str, part: str, alike: float = ALIKE) -> dict[str, Any]:
        """One part: what is asked, its boxes, and every answer with its mark, in groups. Raises KeyError."""
        written = self.parts[exercise, part]
        scheme = self.scheme(exercise, part)
        with self._fresh() as book:
            here = self._here(book, exercise, part)
            if self.share:
                here = self._sample(exercise, part, here)
            last = self._last(book, exercise, part)
            answers, texts = [], []
            for student, (waits, points, comment) in here.items():
                read = self._read(Place(self.sheet, exercise, student))
                if read is None:
                    continue
                notebook, machine = read
                cells = answer(notebook, part)
                mark = last.get(student)
                fits = mark is not None and mark.digest == digests(notebook).get(part)
                waiting = mark is None if self.share else waits
                texts.append("\n".join(cell.source for cell in cells))
                answers.append({
                    "id": self._id(exercise, student), "name": student if self.names else "", "html": _html(cells),
                    "text": texts[-1], "machine": "" if self.share else machine, "waiting": waiting,
                    "points": mark.points if self.share and mark else None if waiting else points,
                    "boxes": [box["key"] for box in mark.boxes if box["key"] != "free"] if mark and fits else [],
                    "free": next((b["points"] for b in mark.boxes if b["key"] == "free"), 0) if mark and fits else 0,
                    "comment": mark.comment if self.share and mark else "" if self.share else comment,
                    "by": mark.by if mark else "", "at": mark.at if mark else "", "version": mark.id if mark else 0,
                })  # fmt: skip
        order = groups(texts, alike)
        for number, group in enumerate(order):
            for at in group:
                answers[at]["group"] = number
                answers[at]["of"] = len(group)
        return {
            "exercise": exercise, "part": part, "title": written.title, "notebook": load(exercise).title,
            "points": written.points, "task": str(prose.markdown(_task(schemes.source_of(self.root, exercise, part)))),
            "boxes": [box.plain() for box in scheme.boxes], "notes": str(prose.markdown(scheme.notes)),
            "answers": [answers[at] for group in order for at in group], "alike": alike, "second": bool(self.share),
            "comments": sorted({one["comment"] for one in answers if one["comment"]}),
        }  # fmt: skip

    def mark(self, exercise: str, part: str, marks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Write marks of one part, all or none; returns them as they stand. Raises Conflict and KeyError.

        Each has the ``id`` of its answer, the ``version`` that the marker saw, ``boxes``, ``free`` points and a
        ``comment``; ``back`` takes a mark back.
        """
        written = self.parts[exercise, part]
        scheme = self.scheme(exercise, part)
        with self._fresh() as book:
            students = {self._id(exercise, one): one for one in self._here(book, exercise, part)}
            last = self._last(book, exercise, part)
            rows = [self._row(book, exercise, part, students, last, one, scheme, written) for one in marks]
            done = []
            for one, row in zip(marks, rows, strict=True):
                number = Given(book.db).add(row) if self.share else give(book, row, self.config, commit=False)
                done.append({"id": one["id"], "version": number, "points": row.points, "by": row.by,
                             "waiting": row.points is None})  # fmt: skip
            book.db.commit()
            return done

    def _row(
        self, book: Gradebook, exercise: str, part: str, students: Mapping[str, str], last: Mapping[str, Mark],
        asked: Mapping[str, Any], scheme: Scheme, written: Written,
    ) -> Mark:  # fmt: skip
        student = students[str(asked["id"])]
        place, mark = Place(self.sheet, exercise, student), last.get(student)
        if (mark.id if mark else 0) != int(asked["version"]):
            raise Conflict(f"marked by {mark.by if mark else 'nobody'} at {mark.at if mark else ''}: look again.")
        if not self.share:
            grade = book.find_grade(part, exercise, self.sheet, student)
            known = mark.applied if mark else None
            if not grade.needs_manual_grade and not same(grade.manual_score, known):
                raise Conflict(f"marked in {ELSEWHERE} meanwhile: look again.")
        self._texts.pop(f"{exercise}/{student}", None)
        read = self._read(place)
        if read is None:
            raise Conflict("the notebook is being graded again: look again in a moment.")
        digest = digests(read[0])[part]
        if asked.get("back"):
            return Mark(place, part, self.marker, digest, None, second=bool(self.share))
        keys, free = {str(key) for key in asked["boxes"]}, float(asked.get("free") or 0)
        boxes = [box.plain() for box in scheme.boxes if box.key in keys]
        if free:
            boxes.append({"key": "free", "points": free, "words": "free points"})
        points = total(scheme, keys, free, written.points)
        comment = str(asked.get("comment") or "").strip()
        return Mark(place, part, self.marker, digest, points, None, tuple(boxes), comment, bool(self.share))

    def beside(self, exercise: str, part: str, answer_id: str) -> str:
        """What a student's notebook printed and drew above the answer, as safe HTML. Raises KeyError."""
        with self._fresh() as book:
            student = {self._id(exercise, one): one for one in self._here(book, exercise, part)}[answer_id]
        notebook = nbformat.read(self._path(Place(self.sheet, exercise, student)), as_version=4)
        earlier: list[str] = []
        shown: list[str] = []
        for cell in notebook.cells:
            if label(cell).get("grade_id") == part:
                break
            if cell.cell_type == "markdown" and label(cell).get("grade"):  # what follows is what the next part is about
                earlier, shown = earlier + shown, []
            if cell.cell_type == "code" and not label(cell).get("grade"):
                shown += [str(prose.output(one, "a figure of this notebook")) for one in cell.get("outputs", [])]
        nearest = "".join(shown[-MOST_BESIDE:]) or "<p>nothing was printed or drawn above it</p>"
        before = "".join([*earlier, *shown[:-MOST_BESIDE]][-MOST_BESIDE:])
        return f"{nearest}<details><summary>Further up</summary>{before}</details>" if before else nearest

    def scheme(self, exercise: str, part: str) -> Scheme:
        """The boxes of a part as they are now."""
        return schemes.scheme_of(self.root, exercise, part)

    def reword(
        self, exercise: str, part: str, boxes: Sequence[Mapping[str, Any]], *, dry: bool
    ) -> list[dict[str, Any]]:
        """Change words or worth of boxes; everyone who has one is marked anew. Returns whose points change.

        ``dry`` only says what would change.
        """
        written, old = self.parts[exercise, part], self.scheme(exercise, part)
        scheme = revised(old, boxes)
        changed = []
        with self._fresh() as book:
            for student, mark in self._last(book, exercise, part).items():
                keys = {str(box["key"]) for box in mark.boxes}
                touched = any(new != box for new, box in zip(scheme.boxes, old.boxes, strict=True) if new.key in keys)
                if mark.points is None or not touched:
                    continue
                free = sum(float(box["points"]) for box in mark.boxes if box["key"] == "free")
                points = total(scheme, keys, free, written.points)
                ticked = [box.plain() for box in scheme.boxes if box.key in keys]
                ticked += [dict(box) for box in mark.boxes if box["key"] == "free"]
                changed.append({"id": self._id(exercise, student), "was": mark.points, "points": points})
                if not dry:
                    new = Mark(mark.place, part, self.marker, mark.digest, points, None, tuple(ticked), mark.comment)
                    give(book, new, self.config, commit=False)
            if not dry:
                schemes.change(self.root, exercise, part, scheme)
                book.db.commit()
        return changed

    def agreement(self) -> list[dict[str, Any]]:
        """For every part that was marked twice: how far both agree, for each box too, and where they do not."""
        found = []
        with self._fresh() as book:
            given = Given(book.db)
            marks = [{(m.place.exercise, m.cell, m.place.student): m for m in given.marks(sheet=self.sheet, second=who)}
                     for who in (False, True)]  # fmt: skip
            for exercise, part in self.parts:
                keys = [key for key in marks[1] if key[:2] == (exercise, part) and key in marks[0]]
                both = [(marks[0][key], marks[1][key]) for key in keys]
                both = [
                    (a, b) for a, b in both if a.digest == b.digest and a.points is not None and b.points is not None
                ]
                pairs = [(a.points or 0.0, b.points or 0.0) for a, b in both]
                boxes = {
                    box.key: sum(_has(a, box.key) == _has(b, box.key) for a, b in both) / len(both)
                    for box in self.scheme(exercise, part).boxes
                } if both else {}  # fmt: skip
                apart = [
                    {"id": self._id(exercise, a.place.student), "version": a.id, "first": a.points, "by": a.by,
                     "second": b.points, "other": b.by,
                     "boxes": [box["key"] for box in b.boxes if box["key"] != "free"],
                     "free": sum(box["points"] for box in b.boxes if box["key"] == "free"), "comment": a.comment}
                    for a, b in both if not same(a.points, b.points)
                ]  # fmt: skip
                if both:
                    found.append({"exercise": exercise, "part": part, **vars(agreement(pairs)), "boxes": boxes,
                                  "apart": apart})  # fmt: skip
        return found

    def _here(self, book: Gradebook, exercise: str, part: str) -> dict[str, tuple[bool, float, str]]:
        """Every student with an answer: whether it waits, its points and the comment."""
        cell = book.find_graded_cell(part, exercise, self.sheet)
        said = (
            book.db.query(SubmittedAssignment.student_id, Comment.manual_comment)
            .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .join(Comment, Comment.notebook_id == SubmittedNotebook.id)
            .filter(Comment.cell_id == cell.id)
        )
        comments = {student: text or "" for student, text in said}
        scores = (
            book.db.query(SubmittedAssignment.student_id, Grade.needs_manual_grade, Grade.score)
            .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
            .filter(Grade.cell_id == cell.id)
        )
        found = {
            student: (bool(waits), float(score), comments.get(student, ""))
            for student, waits, score in scores
            if self._path(Place(self.sheet, exercise, student)).is_file()
        }
        return dict(sorted(found.items(), key=lambda one: self._id(exercise, one[0])))

    def _sample(self, exercise: str, part: str, here: Mapping[str, Any]) -> dict[str, Any]:
        chosen = set(drawn(sorted(here), self.share, f"{self.sheet}/{exercise}/{part}"))
        return {student: one for student, one in here.items() if student in chosen}

    def _last(self, book: Gradebook, exercise: str, part: str) -> dict[str, Mark]:
        marks = Given(book.db).marks(sheet=self.sheet, second=bool(self.share))
        return {m.place.student: m for m in marks if (m.place.exercise, m.cell) == (exercise, part)}

    def _read(self, place: Place) -> tuple[NotebookNode, str] | None:
        """A marked notebook and what the machine gave, in a line; read again when its file has changed."""
        path, key = self._path(place), f"{place.exercise}/{place.student}"
        try:
            time = path.stat().st_mtime
            if key in self._texts and self._texts[key][0] == time:
                return self._texts[key][1:]
            notebook = read_notebook(path)
        except (OSError, BadNotebook):
            return None
        try:
            marks = record_of(notebook, place.student, place.sheet, place.exercise)
        except BadRecord:
            marks = None
        parts = [f"{one.title} {one.points:g}/{one.max_points:g}" for one in marks.questions] if marks else []
        said = f"{marks.points:g} of {marks.max_points:g} by machine: {', '.join(parts)}" if marks else ""
        self._texts[key] = (time, notebook, said)
        return notebook, said

    def _path(self, place: Place) -> Path:
        return self.autograded / place.student / place.sheet / f"{place.exercise}.ipynb"

    def _id(self, exercise: str, student: str) -> str:
        """A student without a name: another one in every exercise."""
        return hashlib.sha256(f"{self.sheet}/{exercise}/{student}".encode()).hexdigest()[:12]


def _has(mark: Mark, key: str) -> bool:
    return any(box["key"] == key for box in mark.boxes)


def _html(cells: Sequence[NotebookNode]) -> str:
    shown = [prose.markdown(cell.source) if cell.cell_type != "code" else prose.code(cell.source) for cell in cells]
    return "".join(map(str, shown))


def _task(source: str) -> str:
    return source.partition("=== BEGIN MARK SCHEME ===")[0]
