"""One notebook: run isolated, marked in this process."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any
from weakref import WeakKeyDictionary

from nbformat import NotebookNode

from autograder.course import compiled_modules, differences_cost, imported_by, sheet_files, source_notebook
from autograder.exercise import Edits, Exercise
from autograder.grading.newer import for_a_person, lacking, version_of
from autograder.grading.notebook import Plan, grade_id, heal, is_locked, plan, plans
from autograder.grading.packing import pack, unpack
from autograder.locate import Code, Locator
from autograder.marking import Marks, challenges, mark, truth_meanwhile
from autograder.sandbox import Answer, Ask, Cell, Job, Limits, Outcome, Sandbox

LEFT_OUT = ("While the notebook is graded, ", "Shell commands do not run while the notebook is graded; ")
"""How the sandbox begins what it says of a line that it has left out."""


@dataclass(frozen=True)
class Graded:
    """Marks, and for every position in the submitted notebook what its cell put out when it was run."""

    marks: Marks
    outputs: Mapping[int, list[dict[str, Any]]]
    counts: Mapping[int, int | None]


def fresh_seed() -> int:
    """A new seed for the challenges of one grading run; it is recorded with the marks."""
    return secrets.randbelow(2**31)


@dataclass(frozen=True)
class Work:
    """One way of running a notebook: its plan, and the job that the sandbox gets."""

    planned: Plan
    job: Job


@dataclass(frozen=True)
class Prepared:
    """A notebook ready to run: ``marks`` leaves out what is only for the eye, ``whole`` runs everything.

    Both are the same object when the notebook has nothing that is only for the eye. ``version`` is that of Python with
    which the notebook says that it was run. ``differences_cost`` is the course's setting of this name.
    """

    exercise: Exercise
    seed: int
    marks: Work
    whole: Work
    version: str = ""
    differences_cost: bool = False

    @property
    def marks_job(self) -> Job | None:
        """The job that is enough for the marks; None when that is the whole one."""
        return None if self.marks is self.whole else self.marks.job


@dataclass(frozen=True)
class Ran:
    """What came back of a notebook, and whether all its cells were run.

    From a worker on another machine it comes as ``packed``, the bytes that the journal keeps.
    """

    outcome: Outcome
    whole: bool
    packed: bytes = field(default=b"", compare=False, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel packed."""
        return _arrived, (pack(self.outcome), self.whole)


def _arrived(packed: bytes, whole: bool) -> Ran:
    return Ran(unpack(packed), whole, packed)


def prepare(
    notebook: NotebookNode,
    exercise: Exercise,
    *,
    root: Path,
    seed: int,
    files: Mapping[str, bytes] | None = None,
    cell_seconds: float | None = None,
    healed: bool = False,
) -> Prepared:
    """What is to be run of a submitted notebook. ``cell_seconds`` replaces the time limit of a cell.

    ``healed`` says that the notebook has been healed.

    Raises CourseError when the source notebook is missing.
    """
    source = source_notebook(root, exercise)
    own: Mapping[str, Any] = exercise.limits
    limits = replace(Limits(), **own)
    job = Job(
        cells=(),
        asks=jobs_asks(exercise, seed),
        files=beside(files or {}, sheet_files(root, exercise.sheet)),
        bytecode=compiled_modules(root, exercise.sheet),
        seed=seed,
        limits=limits if cell_seconds is None else limits.per_cell(cell_seconds),
    )
    marks, whole = (
        Work(planned, replace(
            job, cells=tuple(Cell(cell.id, cell.source) for cell in planned.cells), places=planned.places,
            modules=imported_by(root, exercise.sheet, "\n".join(cell.source for cell in planned.cells)),
        ))
        for planned in plans(notebook, source, healed=healed)
    )  # fmt: skip
    short = whole if marks.planned == whole.planned else marks
    return Prepared(exercise, seed, short, whole, version_of(notebook), differences_cost(root))


def beside(own: Mapping[str, bytes], sheet: Mapping[str, bytes]) -> dict[str, bytes]:
    """What lies beside a notebook: the sheet's files, and of the student's own what does not stand in their way.

    Python would take a folder or a compiled file with the name of a module of the sheet before the module.
    """
    places = {name.rsplit(".", 1)[0] for name in sheet if name.endswith(".py")}
    folders = {folder.as_posix() for name in sheet for folder in PurePosixPath(name).parents}

    def is_free(name: str) -> bool:
        path = PurePosixPath(name)
        ways = [path, *path.parents]
        modules = {(way.parent / way.name.split(".")[0]).as_posix() for way in ways[:-1]}
        taken = any(way.as_posix() in sheet or way.name == "__pycache__" for way in ways)
        return not taken and name not in folders and not modules & places

    return {**{name: data for name, data in own.items() if is_free(name)}, **sheet}


def jobs_asks(exercise: Exercise, seed: int) -> tuple[Ask, ...]:
    """What is asked of a notebook: every probe of its exercise at every challenge."""
    asked = challenges(exercise, seed)
    return tuple(
        Ask(
            probe.name,
            probe.source,
            tuple(challenge.given for challenge in asked[probe.name]),
            tuple(question.id for question in exercise.questions if question.probe is probe),
        )
        for probe in exercise.probes
    )


def execute(sandbox: Sandbox, marks: Job | None, whole: Job, told: Callable[..., None] | None = None) -> Ran:
    """Run a notebook: only for its marks, or wholly when ``marks`` is None.

    What is only for the eye is left out of ``marks``. When a cell fails without it, everything is run after all, so
    that no one loses marks for using a name that a cell of the course defines. ``told`` is called at every answer.
    Raises SandboxUnavailable.
    """
    if marks is None:
        return Ran(sandbox.run(whole, told), True)
    outcome = sandbox.run(marks, told)
    if any(result.status == "raised" and not _is_stub(result.message) for result in outcome.cells):
        return Ran(sandbox.run(whole, told), True)
    return Ran(outcome, False)


def give_marks(prepared: Prepared, ran: Ran, *, student: str = "", seconds: float = 0.0) -> Graded:
    """Marks for what came back. Runs nothing."""
    planned = (prepared.whole if ran.whole else prepared.marks).planned
    exercise, outcome = prepared.exercise, ran.outcome
    why = lacking(outcome, {cell.id: cell.source for cell in planned.cells}, prepared.version)
    marks = Marks(
        student=student,
        sheet=exercise.sheet,
        exercise=exercise.name,
        questions=for_a_person(
            mark(exercise, prepared.seed, outcome.answers, differences_cost=prepared.differences_cost), why
        ),
        isolation=outcome.level,
        seed=prepared.seed,
        written_points=sum(part.points for part in exercise.written),
        notes=(*([why] if why else []), *planned.notes, *_failed_cells(planned, outcome), *_left_out(planned, outcome)),
        digest=planned.digest,
        seconds=seconds,
    )
    return Graded(marks, *_by_position(planned, outcome))


def grade_notebook(
    notebook: NotebookNode,
    exercise: Exercise,
    sandbox: Sandbox,
    *,
    root: Path,
    seed: int,
    student: str = "",
    full: bool = False,
    files: Mapping[str, bytes] | None = None,
    cell_seconds: float | None = None,
    on_marks: Callable[[Marks], None] | None = None,
    places: bool = False,
) -> Graded:
    """Grade a submitted notebook of an exercise.

    ``full`` runs the cells that only show something as well, for the feedback. ``files`` are the student's own files
    beside the notebook; those of the sheet always win. ``cell_seconds`` replaces the time limit of a cell. ``on_marks``
    is called after every answered question with the marks of the questions so far. With ``places`` wrong lines say
    where in the code they go wrong. Raises CourseError when the source notebook is missing and SandboxUnavailable when
    nothing can be run.
    """
    started = time.perf_counter()
    prepared = prepare(notebook, exercise, root=root, seed=seed, files=files, cell_seconds=cell_seconds)
    told = None if on_marks is None else _so_far(prepared, student, sandbox.level, on_marks)
    truth = truth_meanwhile(exercise, seed)
    ran = execute(sandbox, None if full else prepared.marks_job, prepared.whole.job, told)
    truth.result()
    graded = give_marks(prepared, ran, student=student, seconds=time.perf_counter() - started)
    if not places:
        return graded
    return with_places(graded, prepared, code_of(prepared, notebook, root), locator_of(sandbox), root)


_locators: WeakKeyDictionary[Sandbox, Locator] = WeakKeyDictionary()


def locator_of(sandbox: Sandbox) -> Locator:
    """What looks for places in this sandbox, with all that it has found before."""
    return _locators.setdefault(sandbox, Locator(sandbox.run))


def with_places(graded: Graded, prepared: Prepared, code: Code, locator: Locator, root: Path) -> Graded:
    """The same marks; wrong lines say where in the submitted code they go wrong, where that is proven."""
    exercise = prepared.exercise

    def solved(edits: Edits = MappingProxyType({})) -> Code:
        source = _edited(source_notebook(root, exercise), edits)
        return code_of(prepare(source, exercise, root=root, seed=prepared.seed), source, root)

    questions = locator.attach(exercise, prepared.seed, graded.marks.questions, code, solved)
    return replace(graded, marks=replace(graded.marks, questions=questions))


def _edited(source: NotebookNode, edits: Edits) -> NotebookNode:
    """A copy of a notebook with pieces of its cells changed."""
    made = deepcopy(source) if edits else source
    for cell in made.cells if edits else ():
        for old, new in edits.get(grade_id(cell), ()):
            cell.source = cell.source.replace(old, new)
    return made


def code_of(prepared: Prepared, notebook: NotebookNode, root: Path) -> Code:
    """What is run of a notebook for the marks, with the cells that students write or add."""
    source = source_notebook(root, prepared.exercise)
    known = {grade_id(cell): cell for cell in source.cells}
    locked = {cell.source for cell in source.cells if is_locked(cell)}
    own = {}
    for number, cell in enumerate(prepared.marks.planned.cells):
        if cell.index is not None and cell.source not in locked and cell.source.strip():
            name = grade_id(notebook.cells[cell.index])
            own[number] = name if name in known else ""
    return Code(prepared.marks.job, own)


def put_own_text_back(notebook: NotebookNode, exercise: Exercise, root: Path) -> None:
    """Give a notebook the text of a student with own numbers again: nbgrader's steps put the general one there."""
    if exercise.rewritten:
        notebook.cells = list(heal(notebook, source_notebook(root, exercise)).cells)


def run_plain(notebook: NotebookNode, sandbox: Sandbox, *, files: Mapping[str, bytes], limits: Limits) -> Graded:
    """Run every code cell of a notebook that is no exercise of this course; no marks are given."""
    planned = plan(notebook, None, full=True)
    cells = tuple(Cell(cell.id, cell.source) for cell in planned.cells)
    outcome = sandbox.run(Job(cells=cells, asks=(), files=files, seed=0, limits=limits))
    return Graded(Marks("", "", "", (), isolation=outcome.level), *_by_position(planned, outcome))


def _so_far(
    prepared: Prepared, student: str, level: str, on_marks: Callable[[Marks], None]
) -> Callable[[str, tuple[Answer, ...]], None]:
    """What marks the answers as they come in."""
    exercise, seed, costs = prepared.exercise, prepared.seed, prepared.differences_cost
    answered: dict[str, tuple[Answer, ...]] = {}

    def on_answer(probe: str, answers: tuple[Answer, ...]) -> None:
        answered[probe] = answers
        asked = {question.id for question in exercise.questions if question.probe.name in answered}
        found = mark(exercise, seed, answered, differences_cost=costs)
        marked = tuple(question for question in found if question.id in asked)
        on_marks(Marks(student, exercise.sheet, exercise.name, marked, isolation=level, seed=seed))

    return on_answer


def _by_position(planned: Plan, outcome: Outcome) -> tuple[dict[int, list[dict[str, Any]]], dict[int, int | None]]:
    index = {cell.id: cell.index for cell in planned.cells if cell.index is not None}
    ran = [result for result in outcome.cells if result.id in index]
    return (
        {index[result.id]: result.outputs for result in ran},
        {index[result.id]: result.execution_count for result in ran},
    )


def _failed_cells(planned: Plan, outcome: Outcome) -> tuple[str, ...]:
    """What the student is told about cells that raised or were stopped. Untouched stubs raise too; they say enough."""
    position = {cell.id: cell.index for cell in planned.cells}
    notes = []
    for result in outcome.cells:
        if result.status == "ok" or _is_stub(result.message):
            continue
        index = position.get(result.id)
        place = "A cell of the course" if index is None else f"Cell {index + 1} of the notebook"
        what = "raised an error" if result.status == "raised" else "was stopped"
        notes.append(f"{place} {what}: {result.message} The other cells were still run.")
    return tuple(notes)


def _left_out(planned: Plan, outcome: Outcome) -> tuple[str, ...]:
    """Which cells speak to the computer that they were written on."""
    index = {cell.id: cell.index for cell in planned.cells}
    notes = []
    for result in outcome.cells:
        at = index.get(result.id)
        said = [output["text"] for output in result.outputs if output.get("name") == "stderr"]
        if at is not None and any(line.startswith(LEFT_OUT) for text in said for line in text.splitlines()):
            notes.append(f"Cell {at + 1} of the notebook is in part about another computer; that part was left out.")
    return tuple(notes)


def _is_stub(message: str) -> bool:
    return message.startswith("NotImplementedError")
