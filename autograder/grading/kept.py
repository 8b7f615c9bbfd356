"""What came back of an earlier run, and whether it still holds for a notebook as it is now."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from autograder.course import DEFINITION, definition, sheet_files
from autograder.grading.grade import Prepared, Ran
from autograder.grading.journal import COMPLETE, MARKED, NEW, environment, key_of
from autograder.grading.submissions import Submission
from autograder.personal import numbers_mark
from autograder.sandbox import Job

PACKAGE = Path(__file__).resolve().parents[1]


def marks_key(prepared: Prepared, level: str) -> str:
    """The key of the run that gives the marks; what is only for the eye belongs to it, since it may be run too."""
    extra = [cell.source for cell in prepared.whole.job.cells] if prepared.marks_job else []
    told = f"{key_of(prepared.marks.job, level)} {json.dumps(extra)}"
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


def only_to_show(prepared: Prepared) -> Job:
    """The whole notebook without its questions, which have been answered."""
    return replace(prepared.whole.job, asks=())


def renamed(ran: Ran, prepared: Prepared, *, whole: bool) -> Ran | None:
    """Kept results under the cells' names of today: a text cell that was put in moves the positions.

    None when the cells are not those that were run.
    """
    cells = (prepared.whole if whole else prepared.marks).planned.cells
    if len(cells) != len(ran.outcome.cells):
        return None
    results = tuple(replace(result, id=cell.id) for result, cell in zip(ran.outcome.cells, cells, strict=True))
    return Ran(replace(ran.outcome, cells=results), whole)


def joined(marks: Ran, shown: Ran) -> Ran:
    """The answers of one run with the outputs of the other."""
    return Ran(replace(shown.outcome, answers=marks.outcome.answers), True)


def state(ran: Ran) -> str:
    """How far a submission is with what came back."""
    return NEW if ours_failed(ran) else COMPLETE if ran.whole else MARKED


def ours_failed(ran: Ran) -> bool:
    """Whether the grader itself failed at a question."""
    return any(answer.status == "grader_error" for answers in ran.outcome.answers.values() for answer in answers)


def stamp(root: Path, seed: int, level: str, one: Submission, notebook: bytes, files: Mapping[str, bytes]) -> str:
    """A name for all that the marks and the autograded notebook of a submission depend on."""
    told = hashlib.sha256(_context(root, one.sheet).encode())
    told.update(numbers_mark(root, one.exercise, one.student).encode())
    told.update(f"{seed} {'unprotected' if level == 'none' else ''} {environment()}".encode())
    for name, data in (("", notebook), *sorted(files.items())):
        told.update(f"\n{name} {hashlib.sha256(data).hexdigest()}".encode("utf-8", "surrogatepass"))
    return told.hexdigest()


@cache
def _context(root: Path, sheet: str) -> str:
    """The grader's own code, the sheet's source notebooks and files, and the configuration, as they are now."""
    told = hashlib.sha256()
    files = [*sorted(PACKAGE.rglob("*.py")), *sorted((root / "source" / sheet).glob("*.ipynb"))]
    if own := definition(root):
        files += [root / DEFINITION, *sorted(own.folder.rglob("*.py"))]
    for path in (*files, root / "nbgrader_config.py"):
        told.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    for name, data in sheet_files(root, sheet).items():
        told.update(f"{name} {hashlib.sha256(data).hexdigest()}\n".encode())
    return told.hexdigest()
