"""What nbgrader runs in place of its own Execute and SaveAutoGrades.

``nbgrader autograde`` then runs every notebook isolated and marks it in this process; what students' code prints or
does to its interpreter cannot reach a score. Everything else stays nbgrader's.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import cache
from pathlib import Path

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades
from sqlalchemy.exc import SAWarning
from traitlets import Bool, Integer, Unicode
from traitlets.config import Config

from autograder.bridge.derived import DeriveForPages
from autograder.bridge.given import Given, Mark, Place, settle
from autograder.bridge.handed_in import Inspection, see_every_change, withdraw
from autograder.course import root_of_hand_in, source_notebook
from autograder.exercise import Exercise
from autograder.exercises import NAMES, load
from autograder.grading.grade import Graded, fresh_seed, grade_notebook, put_own_text_back, run_plain
from autograder.grading.mending import complete
from autograder.grading.notebook import digest, grade_id, heal, is_question
from autograder.grading.submissions import own_files
from autograder.marking import to_json
from autograder.people.answers import digests
from autograder.personal import exercise_of
from autograder.records.read import KEY
from autograder.sandbox import Limits, shared_sandbox
from autograder.views.cell import outputs

SANITIZE = [
    "autograder.bridge.preprocessors.Heal",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.DeduplicateIds",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
AUTOGRADE = [
    "autograder.bridge.preprocessors.IsolatedExecute",
    "nbgrader.preprocessors.IgnorePattern",
    "nbgrader.preprocessors.LimitOutput",
    "autograder.bridge.preprocessors.SaveMarks",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]
"""The steps of ``nbgrader autograde`` before a notebook is run, and from then on. A course may have others."""


@cache
def _seed_of_this_run() -> int:
    return fresh_seed()


class Heal(NbGraderPreprocessor):
    """Mends a submitted notebook before nbgrader looks at it.

    nbgrader stops a whole run at one copied graded cell, and leaves a deleted one ungraded for ever.
    """

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """Return the healed notebook; notebooks that are no exercise of this course are left as they are."""
        exercise = _exercise(resources)
        about = resources["nbgrader"]
        withdraw(about["db_url"], student=about["student"], assignment=about["assignment"], notebook=about["notebook"])
        if exercise is None:
            _clean(nb)
        else:
            for note in heal_in_place(nb, exercise, root_of_hand_in(Path(resources["metadata"]["path"]))):
                self.log.warning("%s", note)
        return nb, resources


def _clean(nb: NotebookNode) -> None:
    for part in (complete(nb), *nb.cells):
        part.metadata.pop(KEY, None)  # only this run may say what was earned


def heal_in_place(nb: NotebookNode, exercise: Exercise, root: Path) -> tuple[str, ...]:
    """Heal a submitted notebook of an exercise; returns what was done, which the notebook tells as well."""
    _clean(nb)
    healed = heal(nb, source_notebook(root, exercise))
    nb.cells = list(healed.cells)
    nb.metadata[KEY] = {"notes": list(healed.notes)}
    return healed.notes


class IsolatedExecute(NbGraderPreprocessor):
    """Runs a notebook isolated, marks it, and writes what its cells put out and what the questions earned."""

    isolation = Unicode(
        "auto", help="Level of isolation: auto, full, reduced; none only for notebooks that you trust."
    ).tag(config=True)

    seed = Integer(
        None, allow_none=True, help="Seed of the challenges. Without one every run of the grader draws its own."
    ).tag(config=True)

    timeout = Integer(
        None,
        allow_none=True,
        help="Seconds that one cell may take. The default is `Execute.timeout` where that is given, or the sandbox's.",
    ).tag(config=True)

    places = Bool(True, help="Look where in the student's code a wrong answer begins; it changes words, no mark.").tag(
        config=True
    )
    differences_cost = Bool(
        False, help="Right gradients that are differences of the loss lose their points; read from nbgrader_config.py."
    ).tag(config=True)
    show = Bool(
        True, help="Run the course's own cells that only train for show or draw; without them there are marks only."
    ).tag(config=True)

    @property
    def cell_seconds(self) -> float | None:
        """Seconds that one cell may take, None for the sandbox's own limit; people know nbgrader's name for it."""
        return self.timeout or self.config.Execute.get("timeout")

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """Run and mark one notebook. Raises SandboxUnavailable when it cannot be isolated."""
        about = resources["nbgrader"]
        folder = Path(resources["metadata"]["path"])
        sandbox = shared_sandbox(self.isolation)
        seconds = self.cell_seconds
        exercise = _exercise(resources)
        if exercise is None:
            limits = Limits() if seconds is None else Limits().per_cell(seconds)
            _write_outputs(nb, run_plain(nb, sandbox, files=own_files(folder), limits=limits))
            return nb, resources
        put_own_text_back(nb, exercise, root_of_hand_in(folder))
        notes = tuple(nb.metadata.get(KEY, {}).get("notes", ()))
        graded = grade_notebook(
            nb,
            exercise,
            sandbox,
            root=root_of_hand_in(folder),
            seed=self.seed if self.seed is not None else _seed_of_this_run(),
            student=about["student"],
            full=self.show,
            files=own_files(folder),
            cell_seconds=seconds,
            places=self.places,
        )
        record(nb, resources, replace(graded, marks=replace(graded.marks, notes=(*notes, *graded.marks.notes))))
        return nb, resources


def record(nb: NotebookNode, resources: ResourcesDict, graded: Graded) -> None:
    """Write into a healed notebook what its cells put out, what its questions earned, and the record of its marks.

    The digest of the code for which the marks were given goes into ``resources``: :class:`SaveMarks` asks for it.
    """
    _write_outputs(nb, graded)
    questions = {question.id: question for question in graded.marks.questions}
    for cell in nb.cells:
        if is_question(cell) and grade_id(cell) in questions:
            question = questions[grade_id(cell)]
            cell.outputs = outputs(question, graded.marks)
            cell.metadata[KEY] = {"status": question.status}
    nb.metadata[KEY] = to_json(graded.marks)
    resources[KEY] = {"digest": graded.marks.digest}


def _exercise(resources: ResourcesDict) -> Exercise | None:
    about = resources["nbgrader"]
    if about["notebook"] not in NAMES or load(about["notebook"]).sheet != about["assignment"]:
        return None
    root = root_of_hand_in(Path(resources["metadata"]["path"]))
    return exercise_of(root, about["notebook"], about["student"])


def _write_outputs(nb: NotebookNode, graded: Graded) -> None:
    for index, cell in enumerate(nb.cells):
        if cell.cell_type == "code":
            cell.outputs = [NotebookNode(output) for output in graded.outputs.get(index, [])]
            cell.execution_count = graded.counts.get(index)


class SaveMarks(SaveAutoGrades):
    """nbgrader's own scoring, except that no score is saved that this run has not given for this code.

    An error of the grader, and a question that was not marked for the code that is in the notebook now, go to a person
    and are no zero; to nbgrader itself a cell without outputs is worth full marks. What a person gave for this answer
    stays, and does not wait again.
    """

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """Save what the notebook's cells earned."""
        self._marked = _exercise(resources) is None or resources.get(KEY, {}).get("digest") == digest(nb)
        self._digests = digests(nb)
        self._given: list[Mark] | None = None
        saved: tuple[NotebookNode, ResourcesDict] = super().preprocess(nb, resources)
        return saved

    def _add_score(self, cell: NotebookNode, resources: ResourcesDict) -> None:
        super()._add_score(cell, resources)
        if is_question(cell) and (not self._marked or cell.metadata.get(KEY, {}).get("status") == "grader_error"):
            grade = self.gradebook.find_grade(grade_id(cell), self.notebook_id, self.assignment_id, self.student_id)
            grade.auto_score = None
            grade.needs_manual_grade = True
            self.gradebook.db.commit()

    def preprocess_cell(
        self, cell: NotebookNode, resources: ResourcesDict, cell_index: int
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Save what one cell earned, and what a person gave for it."""
        done: tuple[NotebookNode, ResourcesDict] = super().preprocess_cell(cell, resources, cell_index)
        if (name := grade_id(cell)) in self._digests:
            if self._given is None:
                place = Place(self.assignment_id, self.notebook_id, self.student_id)
                self._given = Given(self.gradebook.db).marks(place)
            grade = self.gradebook.find_grade(name, self.notebook_id, self.assignment_id, self.student_id)
            settle(self.gradebook, grade, self._given, self._digests[name])
            self.gradebook.db.commit()
        return done


def configure(c: Config) -> None:
    """Replace nbgrader's Execute and SaveAutoGrades in a traitlets config, and heal notebooks before them."""
    # nbgrader flushes its session in a way that newer SQLAlchemy warns of; it does no harm and would bury the rest
    warnings.filterwarnings("ignore", category=SAWarning, module="nbgrader")
    c.Autograde.pre_convert_hook = Inspection(c)
    see_every_change()
    c.Autograde.sanitize_preprocessors = list(SANITIZE)
    c.Autograde.autograde_preprocessors = list(AUTOGRADE)
    c.AssignLatePenalties.plugin_class = "autograder.bridge.late.LatePolicy"  # costs nothing until a course says so
    # both the feedback pages and formgrader make their pages with this exporter
    c.HTMLExporter.preprocessors = ["autograder.bridge.safe_pages.SafePages"]
    c.HTMLExporter.filters = {"markdown2html": "autograder.bridge.safe_pages.markdown2html"}
    c.GenerateFeedback.pre_convert_hook = DeriveForPages(c)
    c.ExportApp.plugin_class = "autograder.bridge.derived.DerivedCsv"
    c.GenerateFeedback.exporter_class = "autograder.bridge.feedback_page.FeedbackExporter"
    c.GenerateFeedback.preprocessors = [
        "nbgrader.preprocessors.GetGrades",
        "nbgrader.preprocessors.ClearHiddenTests",
        "nbgrader.preprocessors.ClearMarkScheme",
        "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
    ]
