"""What nbgrader is about to grade, looked at before nbgrader copies and opens it.

nbgrader copies whatever a link in a submission points to into ``autograded/`` and ``feedback/``, stops at a notebook
that another program saved in another encoding, and leaves the earlier score in the gradebook when a resubmission cannot
be graded. :class:`Inspection` is its ``pre_convert_hook``, once per submission.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import wraps
from glob import glob
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.validator import iter_validate
from nbgrader import coursedir, utils
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from traitlets.config import Config
from traitlets.log import get_logger

from autograder.bridge.given import Given, Place, grades_of, remember, same
from autograder.bridge.settings import database_of
from autograder.console import printable
from autograder.course import root_of_hand_in, source_notebook
from autograder.exercises import NAMES, load
from autograder.grading.finding import NothingToGrade, find
from autograder.grading.notebook import (
    MAX_OWN_VALUES,
    REFUSED,
    BadNotebook,
    digest,
    heal,
    is_known,
    parse_notebook,
    read_bytes,
    read_notebook,
    values_in,
)
from autograder.grading.placing import ASIDE, put_in_place
from autograder.marking import BadRecord
from autograder.people.answers import digests
from autograder.personal import exercise_of
from autograder.records.read import record_of
from autograder.times import BadTime, read, shown, utc

MAX_COPIED_BYTES = 100 * 2**20
"""Most bytes of a submission's files beside its notebooks: as nbgrader's own exchange has it."""

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
            database, paths = database_of(self._config), [Path(name) for name in notebooks]
            for path in paths:
                withdraw(database, student=path.parents[1].name, assignment=path.parent.name, notebook=path.stem)
            inspect(paths)
        except Exception as problem:
            # nbgrader only notes an error of a hook and goes on; without notebooks it stops at this student instead
            get_logger().error("The submission could not be inspected and is not graded: %r", problem)
            notebooks.clear()


def inspect(notebooks: list[Path]) -> dict[Path, dict[str, Any]]:
    """Set links aside, and rewrite notebooks that only need another encoding. Give all notebooks of the submission.

    A notebook that cannot be graded is set aside too, and its reason stands in its place: nbgrader then reports this
    student and goes on with the next. Without a file it would save a zero. Returns the content of those that nbgrader
    can read as they are.
    """
    folder = notebooks[0].parent
    moved, readable = set(), {}
    for path, kind in list(_not_to_copy(folder)):
        moved.add(path)
        _tell("%s is %s: it was moved to %s and is not graded.", path, kind, _set_aside(path, folder))
    for path in notebooks:
        if path in moved:
            path.write_text(f"{REFUSED} it was a link and not a notebook.\n")
        elif path.exists() and (content := _made_readable(path, folder)):
            readable[path] = content
    _check_time(folder, notebooks)
    return readable


def see_every_change() -> None:
    """Make ``nbgrader autograde`` grade work that is other than what was graded, whatever its time stamp says.

    nbgrader asks only whether the time stamp is newer, and does so before its hook: a resubmission without one, or with
    one that cannot be read, would keep the mark of earlier work. There is no setting for this.
    """
    ask = Autograde.init_destination
    if hasattr(ask, "__wrapped__"):
        return

    @wraps(ask)
    def init_destination(self: Autograde, assignment_id: str, student_id: str) -> bool:
        source = Path(self._format_source(assignment_id, student_id))
        graded = Path(self._format_dest(assignment_id, student_id))
        _check_time(source, [])
        keep_given(self.coursedir.db_url, graded)
        if graded.is_dir() and is_other_work(source, graded):
            _tell("%s is not the work that was graded: it is graded again.", source)
            shutil.rmtree(graded)
        return bool(ask(self, assignment_id, student_id))

    Autograde.init_destination = init_destination
    look, convert = Autograde.init_notebooks, Autograde.convert_notebooks

    @wraps(look)
    def init_notebooks(self: Autograde) -> None:
        self.unread = _settled(self)
        look(self)

    @wraps(convert)
    def convert_notebooks(self: Autograde) -> None:
        convert(self)
        if unread := getattr(self, "unread", []):
            raise NbGraderException(f"{len(unread)} of the files handed in were not graded; see above.")

    Autograde.init_notebooks, Autograde.convert_notebooks = init_notebooks, convert_notebooks
    utils.parse_utc = coursedir.parse_utc = _strict
    logger = get_logger()
    (logger.logger if isinstance(logger, logging.LoggerAdapter) else logger).addFilter(_is_news)


def _strict(time: datetime | str | None) -> datetime | None:
    """nbgrader's `parse_utc` for deadlines and time stamps, where a time that could be two is refused.

    It takes "11:59 PM" for the morning, CEST for UTC, "+0530" for nine minutes and 01.11.2026 for January.
    Raises BadTime.
    """
    if isinstance(time, str):
        found = read(time)
        if found.utcoffset():
            get_logger().info("%s was read as %s.", printable(time), shown(found.astimezone(UTC)))
        return utc(time)
    return time.astimezone(UTC).replace(tzinfo=None) if time is not None and time.tzinfo is not None else time


def _settled(self: Autograde) -> list[str]:
    """Put what arrived under another name in its place, and tell what cannot be read."""
    unread: list[str] = []
    for folder in sorted(map(Path, glob(self._format_source(self.coursedir.assignment_id, self.coursedir.student_id)))):
        student, sheet = folder.parent.name, folder.name
        if not folder.is_dir() or folder.is_symlink():
            continue
        try:
            found = find([folder], folder.absolute().parents[2])
        except NothingToGrade:
            continue
        for one in put_in_place(found, lambda *names, at=folder: at.absolute() / f"{names[2]}.ipynb"):
            if one.problem and not _is_taken(one.path):
                get_logger().error("%s, %s: %s It is not graded.", printable(student), sheet, one.problem)
                unread.append(one.problem)
    return unread


def _is_taken(path: Path) -> bool:
    """Whether nbgrader finds something itself, and says what is wrong with it."""
    return path.suffix == ".ipynb"


def _is_news(record: logging.LogRecord) -> bool:
    """Whether nbgrader says what has not been said: it follows our sentence with the trace of its own failure."""
    text = str(record.msg)
    return not (text.startswith("Traceback") and REFUSED in text)


def is_other_work(handed_in: Path, graded: Path) -> bool:
    """Whether the exercises in a submission's folder are others than those that the graded folder has marks for."""
    student = handed_in.parent.name
    for path in handed_in.glob("*.ipynb"):
        if path.stem not in NAMES or load(path.stem).sheet != handed_in.name:
            continue
        try:
            before = read_notebook(graded / path.name)
            marks = record_of(before, student, handed_in.name, path.stem)
            root = root_of_hand_in(handed_in)
            source = source_notebook(root, exercise_of(root, path.stem, student))
            now = NotebookNode(cells=list(heal(read_notebook(path), source).cells))
        except (BadNotebook, BadRecord):
            return True
        if marks is None or marks.digest != digest(now) or digests(before) != digests(now):
            return True
    return False


def keep_given(database: str, graded: Path) -> None:
    """Remember what people gave for the answers in a graded folder, before it goes."""
    if not graded.is_dir() or not _is_there(database):
        return
    with Gradebook(database) as gradebook:
        for path in graded.glob("[!.]*.ipynb"):
            place = Place(graded.name, path.stem, graded.parent.name)
            remember(gradebook, place, graded.parents[1])
        gradebook.db.commit()


def _is_there(database: str) -> bool:
    return not database.startswith("sqlite:///") or Path(database.removeprefix("sqlite:///")).exists()


def withdraw(database: str, *, student: str, assignment: str, notebook: str) -> None:
    """Take back what a notebook's cells earned by machine before: those marks were given for other work.

    The cells wait for a person until the new marks are there, so that an old score never stands silently; what a
    person gave is kept in the rows of :mod:`autograder.bridge.given`.
    """
    if not _is_there(database):
        return
    with Gradebook(database) as gradebook:
        try:
            found = gradebook.find_submission_notebook(notebook, assignment, student)
        except MissingEntry:
            return
        kept = Given(gradebook.db).last(Place(assignment, notebook, student))
        for grade in grades_of(gradebook.db, found):
            grade.auto_score = None
            grade.needs_manual_grade = True
            if grade.name in kept and same(kept[grade.name].applied, grade.manual_score):
                grade.manual_score = None
        gradebook.db.commit()


def _tell(words: str, *about: object) -> None:
    """A warning in which nothing that students named steers the terminal."""
    get_logger().warning(words, *(printable(str(one)) for one in about))


def _not_to_copy(folder: Path) -> Iterator[tuple[Path, str]]:
    """What nbgrader must not copy, and what it is: links, devices, pipes, files that lie elsewhere too, and large ones.

    A large file may take no room where it lies, and all of the disk as a copy. Notebooks are left: they are read with
    care.
    """
    room = MAX_COPIED_BYTES
    for directory, names, files in os.walk(folder, followlinks=False):
        for name in [*names, *files]:
            path = Path(directory, name)
            info = path.lstat()
            if stat.S_ISLNK(info.st_mode):
                yield path, f"a link to {os.readlink(path)}"
            elif not (stat.S_ISREG(info.st_mode) or stat.S_ISDIR(info.st_mode)):
                yield path, "not a file"
            elif stat.S_ISREG(info.st_mode) and path.suffix != ".ipynb":
                if info.st_nlink > 1:
                    yield path, "not a file of its own"
                elif info.st_size > room:
                    yield path, f"more than the {MAX_COPIED_BYTES >> 20} MB that the files of a submission may have"
                else:
                    room -= info.st_size


def _set_aside(path: Path, folder: Path) -> Path:
    """Move a thing out of the submission, without a look at what it points to."""
    place = folder.parent / ASIDE / folder.name / path.relative_to(folder)
    place.parent.mkdir(parents=True, exist_ok=True)
    os.replace(path, place)
    return place


def _made_readable(path: Path, folder: Path) -> dict[str, Any] | None:
    """The content of a notebook that nbgrader can read; others are written anew, or set aside."""
    with path.open("rb") as file:
        if file.read(len(REFUSED)) == REFUSED.encode():
            return None
    try:
        data = read_bytes(path)
        content, why = _for_nbgrader(data)
        if not why and is_known(data):
            return content
        notebook = parse_notebook(data, path.name)
    except BadNotebook as bad:
        get_logger().error("%s It is not graded.", printable(str(bad)))
        kept = _set_aside(path, folder)
        path.write_text(f"{REFUSED} {bad} What was handed in is {kept.name} in {kept.parent}.\n")
        return None
    if why:
        kept = _set_aside(path, folder)
        nbformat.write(notebook, path)
        _tell("%s %s; it was written anew, the original is %s.", path, why, kept)
        content = json.loads(path.read_bytes())
    return content


def _for_nbgrader(data: bytes) -> tuple[dict[str, Any] | None, str]:
    """The content of a notebook, or what keeps nbgrader from reading it though we can, in words."""
    try:
        text = data.decode("utf-8")
        content = json.loads(text)
    except (ValueError, RecursionError):  # another encoding, a byte order mark
        return None, "was saved in another encoding"
    if _HALF_A_SYMBOL.search(text):
        try:
            json.dumps(content, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            return None, "holds half a symbol, which cannot be written as text"
    # it would check every output, though it then leaves them out, and take minutes where some thousands are wrong
    if values_in(text) > MAX_OWN_VALUES:
        return None, "has very many saved outputs"
    try:
        wrong = next(iter(iter_validate(content)), None)
    except Exception as problem:  # whatever a validator of the format fails at
        wrong = problem
    if wrong is not None:
        return None, "has fields that the format does not allow"
    ids = [cell["id"] for cell in content.get("cells", []) if "id" in cell]
    return (None, "has cells with one and the same id") if len(set(ids)) < len(ids) else (content, "")


_HALF_A_SYMBOL = re.compile(r"\\u[dD][89a-fA-F]")


def _check_time(folder: Path, notebooks: list[Path]) -> None:
    """Tell about a time of handing in that cannot be right; it came with the submission."""
    path = folder / "timestamp.txt"
    if not os.path.lexists(path):
        return
    text = ""
    if stat.S_ISREG(path.lstat().st_mode):
        with path.open(errors="replace") as file:
            text = file.read(100).strip()
    try:
        said = read(text).astimezone(UTC)
    except BadTime as bad:
        _tell("%s holds no time: it was moved to %s. %s", path, _set_aside(path, folder), bad)
        return
    changed = [datetime.fromtimestamp(one.stat().st_mtime, UTC) for one in notebooks if one.exists()]
    if changed and max(changed) > said + SLACK:
        _tell(
            "%s says %s, but a notebook was changed on %s: find out when it was really handed in.",
            path, f"{said:%Y-%m-%d %H:%M}", f"{max(changed):%Y-%m-%d %H:%M}",
        )  # fmt: skip
