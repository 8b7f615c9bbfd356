"""What nbgrader is about to grade, looked at before nbgrader copies and opens it.

nbgrader copies whatever a link in a submission points to into ``autograded/`` and ``feedback/``, stops at a notebook
that another program saved in another encoding, and leaves the earlier score in the gradebook when a resubmission cannot
be graded. :class:`Inspection` is its ``pre_convert_hook``, once per submission.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nbformat
from nbgrader.api import BaseCell, Grade, Gradebook, MissingEntry
from nbgrader.utils import parse_utc
from sqlalchemy import select
from traitlets.config import Config
from traitlets.log import get_logger

from autograder.grading.notebook import REFUSED, BadNotebook, read_notebook

ASIDE = ".set_aside"
"""Folder beside a student's sheets for what was in a submission and may not be copied."""

SLACK = timedelta(minutes=10)
"""By how much a notebook may be newer than its own time stamp says before a person is told."""


class Inspection:
    """nbgrader's ``pre_convert_hook`` for a course with this configuration."""

    def __init__(self, config: Config) -> None:
        """The configuration is read at the time of the call: it may still be incomplete now."""
        self._config = config

    def __call__(self, *, assignment: str, student: str, notebooks: list[str]) -> None:
        """Inspect one submission. ``student`` and ``assignment`` are nbgrader's patterns; the paths tell which one."""
        try:
            database, paths = self._database(), [Path(name) for name in notebooks]
            for path in paths:
                withdraw(
                    database, student=path.parents[1].name, assignment=path.parent.name, notebook=path.stem
                )
            inspect(paths)
        except Exception as problem:
            # nbgrader only notes an error of a hook and goes on; without notebooks it stops at this student instead
            get_logger().error("The submission could not be inspected and is not graded: %r", problem)
            notebooks.clear()

    def _database(self) -> str:
        course = self._config.CourseDirectory
        root = Path(course.root if "root" in course else Path.cwd()).absolute()
        return str(course.db_url) if "db_url" in course else f"sqlite:///{root / 'gradebook.db'}"


def inspect(notebooks: list[Path]) -> None:
    """Set links aside, and rewrite notebooks that only need another encoding. Give all notebooks of the submission.

    A notebook that cannot be graded is set aside too, and its reason stands in its place: nbgrader then reports this
    student and goes on with the next. Without a file it would save a zero.
    """
    folder = notebooks[0].parent
    moved = set()
    for path in list(_not_to_copy(folder)):
        moved.add(path)
        kind = f"a link to {os.readlink(path)}" if path.is_symlink() else "not a file of its own"
        get_logger().warning("%s is %s: it was moved to %s and is not graded.", path, kind, _set_aside(path, folder))
    for path in notebooks:
        if path in moved:
            path.write_text(f"{REFUSED} it was a link and not a notebook.\n")
        elif path.exists():
            _make_readable(path, folder)
    _check_time(folder, notebooks)


def withdraw(database: str, *, student: str, assignment: str, notebook: str) -> None:
    """Take back what a notebook's cells earned by machine before: those marks were given for other work.

    The cells wait for a person until the new marks are there, so that an old score never stands silently.
    """
    if database.startswith("sqlite:///") and not Path(database.removeprefix("sqlite:///")).exists():
        return
    with Gradebook(database) as gradebook:
        try:
            found = gradebook.find_submission_notebook(notebook, assignment, student)
        except MissingEntry:
            return
        cells = select(BaseCell.id).where(BaseCell.notebook_id == found.notebook_id)
        # by cell too, as the index is: `found.grades` goes through the grades of the whole class
        for grade in gradebook.db.query(Grade).filter(Grade.notebook_id == found.id, Grade.cell_id.in_(cells)):
            grade.auto_score = None
            grade.needs_manual_grade = True
        gradebook.db.commit()


def _not_to_copy(folder: Path) -> Iterator[Path]:
    """Links, devices and pipes, and files that are somewhere else too, notebooks excepted: those are read with care."""
    for directory, names, files in os.walk(folder, followlinks=False):
        for name in [*names, *files]:
            path = Path(directory, name)
            info = path.lstat()
            shared = stat.S_ISREG(info.st_mode) and info.st_nlink > 1 and path.suffix != ".ipynb"
            if shared or not (stat.S_ISREG(info.st_mode) or stat.S_ISDIR(info.st_mode)):
                yield path


def _set_aside(path: Path, folder: Path) -> Path:
    """Move a thing out of the submission, without a look at what it points to."""
    place = folder.parent / ASIDE / folder.name / path.relative_to(folder)
    place.parent.mkdir(parents=True, exist_ok=True)
    os.replace(path, place)
    return place


def _make_readable(path: Path, folder: Path) -> None:
    with path.open("rb") as file:
        if file.read(len(REFUSED)) == REFUSED.encode():
            return
    try:
        notebook = read_notebook(path)
    except BadNotebook as bad:
        get_logger().error("%s It is not graded.", bad)
        kept = _set_aside(path, folder)
        path.write_text(f"{REFUSED} {bad} What was handed in is {kept.name} in {kept.parent}.\n")
        return
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except ValueError:  # ours reads more than nbgrader does: other encodings, a byte order mark
        kept = _set_aside(path, folder)
        nbformat.write(notebook, path)
        get_logger().warning("%s was saved in another encoding; it was written anew, the original is %s.", path, kept)


def _check_time(folder: Path, notebooks: list[Path]) -> None:
    """Tell about a time of handing in that cannot be right; it came with the submission."""
    path = folder / "timestamp.txt"
    if not path.exists():
        return
    text = path.read_text(errors="replace").strip()
    try:
        said = parse_utc(text).replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        get_logger().warning("%s holds no time: it was moved to %s.", path, _set_aside(path, folder))
        return
    changed = [datetime.fromtimestamp(one.stat().st_mtime, UTC) for one in notebooks if one.exists()]
    if changed and max(changed) > said + SLACK:
        get_logger().warning(
            "%s says %s, but a notebook was changed on %s: find out when it was really handed in.",
            path, f"{said:%Y-%m-%d %H:%M}", f"{max(changed):%Y-%m-%d %H:%M}",
        )  # fmt: skip
