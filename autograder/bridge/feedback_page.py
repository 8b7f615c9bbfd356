"""The feedback page under nbgrader: ``generate_feedback`` writes ours in place of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbconvert.exporters import HTMLExporter
from nbconvert.exporters.exporter import Exporter
from nbformat import NotebookNode
from traitlets import Bool

from autograder.bridge.given import Given as PeopleMarks
from autograder.bridge.given import Mark, Place
from autograder.bridge.schemes import scheme_of
from autograder.course import root_of_hand_in
from autograder.marking import BadRecord, Marks
from autograder.people.answers import digests
from autograder.records.hints import read_hints
from autograder.records.read import record_of
from autograder.records.requests import code_of, key_of, parts_of, read_requests
from autograder.views.clusters import with_hints
from autograder.views.feedback import Given, Gradebook, feedback_page
from autograder.views.places import hint_only


class FeedbackExporter(HTMLExporter):
    """Writes the feedback page of an exercise; notebooks without a good record get nbgrader's own page."""

    place_only = Bool(
        False, help="Tell students where in their code to look, and not what is due there: before a deadline."
    ).tag(config=True)

    def from_notebook_node(  # type: ignore[override]  # HTMLExporter returns text where Exporter says it returns a notebook
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """The page of one notebook. Raises CourseError when the file of hints is damaged."""
        about = (resources or {}).get("nbgrader", {})
        try:
            marks = record_of(nb, about.get("student", ""), about.get("assignment", ""), about.get("notebook", ""))
        except BadRecord as bad:
            self.log.warning("%s: %s; the page is nbgrader's own.", about.get("notebook", ""), bad)
            marks = None
        if marks is None:
            return super().from_notebook_node(nb, resources, **kw)
        ready, resources = Exporter.from_notebook_node(self, nb, resources, **kw)
        root = root_of_hand_in(Path(resources["metadata"]["path"]))
        marks = with_hints(marks, read_hints(root))
        marks = hint_only(marks) if self.place_only else marks
        about = resources["nbgrader"]
        return feedback_page(ready, marks, gradebook_of(ready, about, root, marks, _by_people(about))), resources


@dataclass(frozen=True)
class ByPeople:
    """The cells that a person has still to mark, and the last marks of the others: nbgrader says 0 for the first."""

    waiting: frozenset[str]
    given: Mapping[str, Mark]


def gradebook_of(
    notebook: NotebookNode, about: Mapping[str, Any], root: Path, marks: Marks, people: ByPeople
) -> Gradebook:
    """What the gradebook adds to a page, given the notebook with the points and comments that nbgrader puts into it."""
    waiting, given = people.waiting, people.given
    found = digests(notebook)
    cells = {}
    score = 0.0
    for cell in notebook.cells:
        said = cell.metadata.get("nbgrader", {})
        name = said.get("grade_id")
        if not name:
            continue
        points = None if name in waiting else said.get("score")
        score += points or 0.0
        mark = given.get(name)
        fits = mark is not None and points is not None and mark.digest == found.get(name)
        boxes = _boxes(mark, about, root) if mark is not None and fits else ()
        cells[name] = Given(points, said.get("points") or 0.0, said.get("comment") or "", boxes)
    penalty = about.get("late_penalty") or 0.0
    whose = marks.student, marks.sheet, marks.exercise
    requests = [one for one in read_requests(root) if (one.student, one.sheet, one.exercise) == whose]
    return Gradebook(cells, max(0.0, score - penalty), penalty, _codes(marks, cells, root), requests)


def _codes(marks: Marks, cells: Mapping[str, Given], root: Path) -> dict[str, str]:
    """A code for all that has not earned its points, and is marked."""
    missing = [
        part.id for part in parts_of(marks)
        if (given := cells.get(part.id)) and given.points is not None and given.points < given.max_points
    ]  # fmt: skip
    if not missing:
        return {}
    key = key_of(root)
    return {name: code_of(key, marks, name) for name in missing}


def _boxes(mark: Mark, about: Mapping[str, Any], root: Path) -> tuple[tuple[bool, float, str], ...]:
    """The lines of the scheme with what was there, when the part was marked by them."""
    if not mark.boxes:
        return ()
    scheme = scheme_of(root, about["notebook"], mark.cell)
    ticked = {str(box["key"]): box for box in mark.boxes}
    lines = [
        (box.key in ticked, float(ticked.get(box.key, {}).get("points", box.points)),
         str(ticked.get(box.key, {}).get("words", box.words)))
        for box in scheme.boxes
    ]  # fmt: skip
    if "free" in ticked:
        lines.append((True, float(ticked["free"]["points"]), "given besides"))
    return tuple(lines)


def _by_people(about: dict[str, Any]) -> ByPeople:
    from nbgrader.api import Gradebook as Database

    with Database(about["db_url"]) as database:
        submitted = database.find_submission_notebook(about["notebook"], about["assignment"], about["student"])
        waiting = frozenset(grade.name for grade in submitted.grades if grade.needs_manual_grade)
        place = Place(about["assignment"], about["notebook"], about["student"])
        return ByPeople(waiting, PeopleMarks(database.db).last(place))
