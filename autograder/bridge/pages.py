"""The feedback pages of a class: those that changed, in parallel; each as ``nbgrader generate_feedback`` makes it.

nbgrader opens the gradebook three times for every page, asks it for every cell alone, and copies and checks a notebook
after each of six steps. Here all is asked of one open gradebook, and what follows from marks is derived only where
something may follow. A folder with anything but good records of this course is left to nbgrader.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters.exporter import ResourcesDict
from nbgrader import api, utils
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme
from sqlalchemy import Connection, bindparam, exists, or_, select
from traitlets.config import Config

from autograder import __version__
from autograder.bridge.api import CourseApi
from autograder.bridge.direct import files_of, rows_of
from autograder.bridge.feedback_page import ByPeople, gradebook_of
from autograder.bridge.given import Given, Mark, Place, derive, known_sheets
from autograder.bridge.late import extend
from autograder.bridge.safe_pages import SafePages
from autograder.bridge.settings import autograded_of, database_of, root_of
from autograder.course import CONFIG, DEFINITION, place_only
from autograder.marking import BadRecord
from autograder.records.hints import FILE as HINTS
from autograder.records.hints import read_hints
from autograder.records.read import record_of, students_and_sheets
from autograder.records.requests import FILE as REQUESTS
from autograder.records.requests import key_of, read_requests
from autograder.records.whole import write_whole
from autograder.views.clusters import with_hints
from autograder.views.feedback import feedback_page
from autograder.views.places import hint_only

STAMPS = ".autograder/pages.json"
"""What every folder of pages was made of: a folder whose stamp is the same is left as it is."""

IN_PROCESSES = 16
"""From so many folders on, several processes make them."""

_A, _N, _C = api.Assignment.__table__, api.Notebook.__table__, api.BaseCell.__table__
_GRADED, _TASK = api.GradeCell.__table__, api.TaskCell.__table__
_S, _W, _G, _K = (one.__table__ for one in (api.SubmittedAssignment, api.SubmittedNotebook, api.Grade, api.Comment))

_CELLS = (
    select(_N.c.id.label("notebook"), _N.c.name.label("exercise"), _C.c.id, _C.c.name, _C.c.type,
           _GRADED.c.max_score, _TASK.c.max_score.label("task_score"))
    .join(_A, _A.c.id == _N.c.assignment_id).join(_C, _C.c.notebook_id == _N.c.id)
    .outerjoin(_GRADED, _GRADED.c.id == _C.c.id).outerjoin(_TASK, _TASK.c.id == _C.c.id)
    .where(_A.c.name == bindparam("sheet"))
)  # fmt: skip
_SUBMITTED = (
    select(_W.c.id, _W.c.late_submission_penalty, _N.c.name)
    .join(_S, _S.c.id == _W.c.assignment_id).join(_A, _A.c.id == _S.c.assignment_id)
    .join(_N, _N.c.id == _W.c.notebook_id)
    .where(_A.c.name == bindparam("sheet"), _S.c.student_id == bindparam("who"), _N.c.assignment_id == _A.c.id)
)  # fmt: skip
_GRADES, _COMMENTS = rows_of(_G), rows_of(_K)


@dataclass(frozen=True)
class _Facts:
    """What the gradebook says of one notebook."""

    scores: Mapping[str, tuple[float, float]]
    comments: Mapping[str, str | None]
    people: ByPeople
    penalty: float


@dataclass(frozen=True)
class _Folder:
    """One student's sheet whose pages are to be made, and what they are made of."""

    student: str
    sheet: str
    facts: Mapping[str, _Facts]


def renew(root: Path) -> list[str]:
    """Make the pages of everything in autograded/ whose page would be another one. Returns what went wrong.

    Raises CourseError when a table or a file of the course is damaged.
    """
    course = CourseApi(root)
    about, requests, kept = _of_the_course(root), read_requests(root), _read(root)
    before, known = kept["folders"] if kept["course"] == about else {}, {}
    work: list[tuple[_Folder, str]] = []
    with api.Gradebook(database_of(course.config)) as gradebook:
        others = _derive(gradebook, course.config)
        book = _Book(gradebook)
        for student, sheet in students_and_sheets(root):
            if (sheet, student) in others:
                continue
            folder = _Folder(student, sheet, book.facts(student, sheet))
            asked = [one for one in requests if (one.student, one.sheet) == (student, sheet)]
            stamp, name = _stamp(root, folder, repr(asked)), f"{student}/{sheet}"
            if before.get(name) == [stamp, _seal(root, student, sheet)]:
                known[name] = before[name]
            else:
                work.append((folder, stamp))
    _keep(root, about, known)  # a kill leaves no stamp of a page that was not made
    for (folder, stamp), done in zip(work, _made(root, [folder for folder, _ in work]), strict=True):
        if done:
            known[f"{folder.student}/{folder.sheet}"] = [stamp, _seal(root, folder.student, folder.sheet)]
        else:
            others.add((folder.sheet, folder.student))
    _keep(root, _of_the_course(root), known)  # the first page with a code has made the course's key
    return [problem for sheet, student in sorted(others) for problem in course.generate_feedback(sheet, student)]


def _made(root: Path, folders: list[_Folder]) -> Iterator[bool]:
    make = partial(_make, root)
    if len(folders) < IN_PROCESSES:
        yield from map(make, folders)
        return
    with ProcessPoolExecutor(os.cpu_count() or 1, mp_context=get_context("fork")) as pool:
        yield from pool.map(make, folders, chunksize=4)


def _derive(gradebook: api.Gradebook, config: Config) -> set[tuple[str, str]]:
    """Let follow what follows from marks, on the sheets where a person gave some or that were late.

    Returns those where that failed: nbgrader is asked for their pages, and tells why there is none.
    """
    extend(gradebook, config, root_of(config))
    gradebook.db.commit()
    touched = exists().where(_G.c.notebook_id == _W.c.id, _G.c.manual_score.is_not(None))
    asked = (
        select(_A.c.name, _S.c.student_id)
        .join(_A, _A.c.id == _S.c.assignment_id).join(_W, _W.c.assignment_id == _S.c.id)
        .where(or_(touched, _W.c.late_submission_penalty.is_not(None), _S.c.timestamp > _A.c.duedate,
                   _S.c.extension.is_not(None)))
    )  # fmt: skip
    found = {(row.name, row.student_id) for row in gradebook.db.execute(asked)}
    failed = set()
    for sheet, student in sorted(found | known_sheets(gradebook.db.connection())):
        try:
            derive(gradebook, config, autograded_of(config), sheet, student, extending=False)
        except Exception:
            gradebook.db.rollback()
            failed.add((sheet, student))
    return failed


class _Book:
    """The gradebook, asked for one student's sheet at a time."""

    def __init__(self, gradebook: api.Gradebook) -> None:
        self._given = Given(gradebook.db)
        self._connection: Connection = gradebook.db.connection()
        self._known = known_sheets(self._connection)
        self._cells = cache(self._of_sheet)

    def _of_sheet(self, sheet: str) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for row in self._connection.execute(_CELLS, {"sheet": sheet}):
            found.setdefault(row.exercise, []).append(row)
        return found

    def facts(self, student: str, sheet: str) -> dict[str, _Facts]:
        """What there is of every notebook of a sheet."""
        cells, found = self._cells(sheet), {}
        for work in self._connection.execute(_SUBMITTED, {"sheet": sheet, "who": student}):
            scores, comments, waiting = {}, {}, set()
            mine = {cell.id: cell for cell in cells[work.name]}
            for row in self._connection.execute(_GRADES, {"work": work.id, "cells": [*mine]}):
                cell = mine[row.cell_id]
                earned = row.auto_score if row.manual_score is None else row.manual_score
                score = 0.0 if earned is None else earned + (row.extra_credit or 0.0)
                scores[cell.name] = score, cell.max_score if cell.type == "GradeCell" else cell.task_score
                if row.needs_manual_grade:
                    waiting.add(cell.name)
            for row in self._connection.execute(_COMMENTS, {"work": work.id, "cells": [*mine]}):
                comments[mine[row.cell_id].name] = (
                    row.auto_comment if row.manual_comment is None else row.manual_comment
                )
            given: dict[str, Mark] = {}
            if (sheet, student) in self._known:
                given = self._given.last(Place(sheet, work.name, student))
            found[work.name] = _Facts(
                scores, comments, ByPeople(frozenset(waiting), given), work.late_submission_penalty or 0.0
            )
        return found


def _make(root: Path, folder: _Folder) -> bool:
    """Write the pages of one folder, as nbgrader does; False where nbgrader has to."""
    source = root / "autograded" / folder.student / folder.sheet
    try:
        pages = {
            path.stem: _page(root, path, folder, folder.facts[path.stem])
            for path in sorted(source.glob("[!.]*.ipynb"))
        }  # fmt: skip
    except Exception:  # nbgrader's own steps say what is wrong
        return False
    if None in pages.values() or not pages:
        return False
    made = root / "feedback" / folder.student / folder.sheet
    if made.exists():
        utils.rmtree(str(made))
    made.mkdir(parents=True)
    for name in files_of(str(source), _ignored()):
        to = made / Path(name).relative_to(source)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(name, to)
        to.chmod(0o644)
    for exercise, page in pages.items():
        to = made / f"{exercise}.html"
        to.write_text(str(page), encoding="utf-8")
        to.chmod(0o644)
    return True


def _page(root: Path, path: Path, folder: _Folder, facts: _Facts) -> str | None:
    """The page of one notebook; nothing for one without a good record."""
    notebook = nbformat.v4.to_notebook(json.loads(path.read_bytes()))
    try:
        marks = record_of(notebook, folder.student, folder.sheet, path.stem)
    except BadRecord:
        return None
    if marks is None or notebook.nbformat != 4:
        return None
    notebook, _ = SafePages().preprocess(notebook, ResourcesDict())
    for cell in notebook.cells:
        if utils.is_solution(cell) or utils.is_task(cell):
            cell.metadata.nbgrader["comment"] = facts.comments[cell.metadata.nbgrader["grade_id"]]
        if utils.is_grade(cell) or utils.is_task(cell):
            about = cell.metadata.nbgrader
            about["score"], about["points"] = facts.scores[about["grade_id"]]
    for clear in (ClearHiddenTests(), ClearMarkScheme()):
        notebook, _ = clear.preprocess(notebook, ResourcesDict())
    marks = with_hints(marks, read_hints(root))
    marks = hint_only(marks) if place_only(root) else marks
    about = {"notebook": path.stem, "late_penalty": facts.penalty}
    return feedback_page(notebook, marks, gradebook_of(notebook, about, root, marks, facts.people))


# What a page was made of ----------------------------------------------------------------------------------------------


def _stamp(root: Path, folder: _Folder, asked: str) -> str:
    """The name of all that the pages of a folder depend on, beside what the whole course does."""
    told = hashlib.sha256(asked.encode("utf-8", "surrogatepass"))
    for name, facts in sorted(folder.facts.items()):
        people = sorted(facts.people.waiting), sorted(facts.people.given.items())
        parts = name, sorted(facts.scores.items()), sorted(facts.comments.items()), people, facts.penalty
        told.update(repr(parts).encode("utf-8", "surrogatepass"))
    source = root / "autograded" / folder.student / folder.sheet
    for path in sorted(files_of(str(source), _ignored(), notebooks=True)):
        told.update(f"{Path(path).relative_to(source)}\0".encode("utf-8", "surrogateescape"))
        told.update(hashlib.sha256(Path(path).read_bytes()).digest())
    return told.hexdigest()


def _of_the_course(root: Path) -> str:
    """The name of what all pages depend on: this package, the course's notebooks, hints, settings and key."""
    package = Path(__file__).parents[1]
    files = [path for path in package.rglob("*") if path.suffix in (".py", ".j2", ".css", ".js")]
    files += [*(root / "source").rglob("*.ipynb"), *(root / name for name in (HINTS, CONFIG, DEFINITION))]
    told = hashlib.sha256(__version__.encode())
    for path in sorted(path for path in files if path.is_file()):
        told.update(hashlib.sha256(path.read_bytes()).digest())
    if (root / REQUESTS).is_file():
        told.update(key_of(root))
    return told.hexdigest()


def _seal(root: Path, student: str, sheet: str) -> list[list[Any]]:
    """The pages that lie there: a page that was changed or taken away is made again."""
    folder = root / "feedback" / student / sheet
    there = sorted(path for path in folder.rglob("*") if path.is_file())
    return [[str(path.relative_to(folder)), path.stat().st_size, path.stat().st_mtime_ns] for path in there]


def _read(root: Path) -> dict[str, Any]:
    try:
        found = json.loads((root / STAMPS).read_text())
    except (OSError, ValueError):
        found = None
    return found if isinstance(found, dict) and {*found} == {"course", "folders"} else {"course": "", "folders": {}}


def _keep(root: Path, about: str, folders: Mapping[str, Any]) -> None:
    (root / STAMPS).parent.mkdir(exist_ok=True)
    write_whole(root / STAMPS, json.dumps({"course": about, "folders": folders}))


@cache
def _ignored() -> Iterable[str]:
    from nbgrader.coursedir import CourseDirectory

    return tuple(CourseDirectory().ignore)
