"""The feedback page under nbgrader: ``generate_feedback`` writes ours in place of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbconvert.exporters import HTMLExporter
from nbconvert.exporters.exporter import Exporter
from nbformat import NotebookNode

from autograder.course import root_of_hand_in
from autograder.marking import BadRecord
from autograder.records.hints import read_hints
from autograder.records.read import record_of
from autograder.views.clusters import with_hints
from autograder.views.feedback import Given, Gradebook, feedback_page


class FeedbackExporter(HTMLExporter):
    """Writes the feedback page of an exercise; notebooks without a good record get nbgrader's own page."""

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
        marks = with_hints(marks, read_hints(root_of_hand_in(Path(resources["metadata"]["path"]))))
        return feedback_page(ready, marks, _gradebook(ready, resources["nbgrader"])), resources


def _gradebook(notebook: NotebookNode, about: dict[str, Any]) -> Gradebook:
    waiting = _waiting(about)
    cells = {
        cell.metadata.nbgrader["grade_id"]: Given(
            None if cell.metadata.nbgrader["grade_id"] in waiting else cell.metadata.nbgrader.get("score"),
            cell.metadata.nbgrader.get("points") or 0.0,
            cell.metadata.nbgrader.get("comment") or "",
        )
        for cell in notebook.cells
        if "grade_id" in cell.metadata.get("nbgrader", {})
    }
    return Gradebook(cells, about.get("score"), about.get("late_penalty") or 0.0)


def _waiting(about: dict[str, Any]) -> set[str]:
    """The cells that a person has still to mark: nbgrader's own step says 0 for them."""
    from nbgrader.api import Gradebook as Database

    with Database(about["db_url"]) as database:
        submitted = database.find_submission_notebook(about["notebook"], about["assignment"], about["student"])
        return {grade.name for grade in submitted.grades if grade.needs_manual_grade}
