"""Many notebooks: found on disk, graded over a pool, one bad one never stopping the others."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, as_completed
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from autograder.exercise import SHEETS
from autograder.exercises import NAMES, load
from autograder.grading.grade import grade_notebook
from autograder.grading.notebook import BadNotebook, read_notebook
from autograder.marking import Marks
from autograder.personal import exercise_of
from autograder.sandbox import Sandbox, SandboxUnavailable
from autograder.views.words import printable

log = logging.getLogger(__name__)

MAX_FILES_BYTES = 10 * 2**20
"""Most bytes of a student's own files that are laid beside the notebook when it is run."""

MAX_FILES = 1_000
"""Most of a student's own files and folders that are laid beside the notebook; the place for them is made of memory."""

MAX_NAME_BYTES = 1_000
"""Longest name of such a file, with its folders."""

MAX_DEPTH = 30
"""So many folders inside each other are looked into."""

MOST_LOOKED_AT = 100_000
"""So many things beside a notebook are looked at."""


@dataclass(frozen=True)
class Submission:
    """One notebook that was handed in: who, which exercise, where it lies. ``problem`` says why it cannot be graded.

    ``beside`` tells that another one of the same student and exercise is there, which counts.
    """

    student: str
    sheet: str
    exercise: str
    path: Path
    problem: str = ""
    beside: bool = False


class NothingToGrade(Exception):
    """The paths name no notebook. The message says what was looked for."""


def find(paths: Iterable[Path], root: Path | None = None, *, student: str | None = None) -> list[Submission]:
    """The submissions that these paths name, in a stable order: one for each student and exercise, the rest refused.

    A path is a notebook, a student's folder (``<student>/<sheet>/<exercise>.ipynb`` below it) or a whole
    ``submitted/`` tree; ``root`` is the course's folder. With ``student`` everything is theirs, as on a platform that
    knows who handed in. Raises NothingToGrade.
    """
    found: dict[Path, Submission] = {}
    for path in paths:
        if path.is_file() or path.is_symlink() or (path.exists() and _is_notebook(path)):
            below = [path]
        elif path.is_dir():
            below = sorted(p for p in _walk(path) if _is_notebook(p) or _is_folder(p))
        else:
            raise NothingToGrade(f"{path} does not exist. Give a notebook, a student's folder or the submitted folder.")
        if not below:
            raise NothingToGrade(f"{path} holds no notebook: <student>/<sheet>/<exercise>.ipynb was looked for.")
        tree = _tree(path, root)
        for notebook in below:
            found[notebook] = _submission(notebook, whose(notebook, path, tree) if student is None else student)
    return _one_each([found[path] for path in sorted(found)], highest=student is not None)


def whose(notebook: Path, given: Path, tree: Path) -> str:
    """Who a notebook belongs to: the first folder below the tree, whatever the folders further below are called.

    Nobody, where it lies in no folder of the tree.
    """
    inside = _settled(given) / notebook.relative_to(given)
    between = inside.relative_to(tree).parts[:-1]
    return between[0] if between else ""


def _tree(given: Path, root: Path | None) -> Path:
    """The folder whose folders are students'.

    In a course that is submitted/, otherwise the nearest folder of that name around a path. Where there is none, what
    lies in a folder with the name of a sheet belongs to the folder around that, and else the path itself is the tree.
    """
    path = _settled(given)
    if root is not None and path.is_relative_to(root / "submitted"):
        return root / "submitted"
    around = [folder for folder in (path, *path.parents) if folder.name == "submitted" and folder.is_dir()]
    if around:
        return around[0]
    if path.is_dir() and not _is_notebook(path):
        if path.name in SHEETS:
            return path.parent.parent
        return path.parent if any((path / sheet).is_dir() for sheet in SHEETS) else path
    return path.parent.parent.parent if path.parent.name in SHEETS else path.parent


def _settled(path: Path) -> Path:
    """A path without links on the way to it; what it is itself stays."""
    return path.absolute().parent.resolve() / path.name if path.name not in ("", "..") else path.resolve()


def _one_each(found: list[Submission], *, highest: bool) -> list[Submission]:
    """The same, with a problem for what is there more than once.

    The one in its place, ``<student>/<sheet>/``, counts if there is one; with ``highest`` that in the fewest folders.
    """
    groups: dict[tuple[str, str], list[Submission]] = {}
    for one in found:
        if (one.student or highest) and not one.problem:
            groups.setdefault((one.student, one.exercise), []).append(one)
    refused: dict[Path, Submission] = {}
    for several in (group for group in groups.values() if len(group) > 1):
        places = [_place(one, highest=highest) for one in several]
        first, second = sorted(places)[:2]
        counts = several[places.index(first)] if first < second else None
        for one in several:
            if one is not counts:
                other = counts or next(other for other in several if other is not one)
                both = f"{printable(str(one.path))} and {printable(str(other.path))}"
                left = "the second one counts: take the first away" if counts else "leave the one that counts"
                problem = f"{one.exercise} was handed in more than once, as {both}; {left}."
                refused[one.path] = replace(one, problem=problem, beside=counts is not None)
    return [refused.get(one.path, one) for one in found]


def _place(one: Submission, *, highest: bool) -> int:
    """How near a notebook is to where it should be; the smaller the nearer."""
    depth = len(one.path.absolute().parts)
    in_place = [folder.name for folder in one.path.absolute().parents[:2]] == [one.sheet, one.student]
    return depth if in_place or highest else 1 << 30


def _walk(folder: Path) -> Iterator[Path]:
    """Everything below a folder that is no folder itself; links are not followed.

    A folder that cannot be read, or that is called a notebook, is given in place of what is in it. `os.walk` is not
    used: it calls itself for every level, and an archive with a thousand of them would end the whole run.
    """
    waiting = [(folder, MAX_DEPTH)]
    while waiting:
        here, levels = waiting.pop()
        try:
            with os.scandir(here) as entries:
                inside = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            yield here
            continue
        for entry in inside:
            if entry.name.startswith("."):
                continue
            path = Path(entry.path)
            if entry.is_dir(follow_symlinks=False) and not _is_notebook(path):
                if levels:
                    waiting.append((path, levels - 1))
            else:
                yield path


def _is_notebook(path: Path) -> bool:
    """Whether something is called a notebook; some programs write endings in capitals."""
    return path.suffix.lower() == ".ipynb"


def _is_folder(path: Path) -> bool:
    return not path.is_symlink() and path.is_dir()


def _submission(path: Path, student: str) -> Submission:
    sheet = path.absolute().parent.name if path.absolute().parent.name in SHEETS else ""
    exercise, name = printable(path.stem), printable(path.name)
    if _is_folder(path) and not _is_notebook(path):
        problem = f"the folder {name} cannot be read: give the grading user permission to read it."
        return Submission("", "", exercise, path, problem)
    if student != printable(student):  # a name in another encoding, or one that would steer a terminal
        problem = f"the folder {printable(student)} has a name with characters that cannot be shown: rename it."
        return Submission(printable(student), sheet, exercise, path, problem)
    if path.stem not in NAMES:
        known = ", ".join(NAMES)
        problem = f"{name} is no exercise of this course; rename it to one of {known}, with the ending .ipynb."
        return Submission(student, sheet, exercise, path, problem)
    right = load(path.stem).sheet
    if sheet and sheet != right:
        problem = f"{path.name} belongs to the sheet {right}, not {sheet}: move it to {student}/{right}/."
        return Submission(student, sheet, path.stem, path, problem)
    return Submission(student, right, path.stem, path)


def grade(
    submission: Submission,
    sandbox: Sandbox,
    *,
    root: Path,
    seed: int,
    on_marks: Callable[[Marks], None] | None = None,
) -> Marks:
    """The marks of one submission. What cannot be graded comes back as marks with ``error`` set, never as zero.

    ``on_marks`` is called after every question, see :func:`autograder.grading.grade.grade_notebook`.

    Raises SandboxUnavailable, since then nothing else can be graded either.
    """
    try:
        if submission.problem:
            raise BadNotebook(submission.problem)
        notebook = read_notebook(submission.path)
        return grade_notebook(
            notebook,
            exercise_of(root, submission.exercise, submission.student),
            sandbox,
            root=root,
            seed=seed,
            student=submission.student,
            files=own_files(submission.path.parent),
            on_marks=on_marks,
        ).marks
    except BadNotebook as bad:
        return _failed(submission, seed, sandbox.level, str(bad))
    except SandboxUnavailable:
        raise
    except Exception as error:
        log.exception("grading %s failed", submission.path)
        return _failed(submission, seed, sandbox.level, f"The grader failed at this notebook ({error!r}): see the log.")


def grade_all(
    submissions: Sequence[Submission], sandbox: Sandbox, pool: Executor, *, root: Path, seed: int
) -> Iterator[tuple[Submission, Marks]]:
    """Grade submissions on a pool and yield each as it is done."""
    futures: dict[Future[Marks], Submission] = {
        pool.submit(grade, submission, sandbox, root=root, seed=seed): submission for submission in submissions
    }
    for future in as_completed(futures):
        yield futures[future], future.result()


def own_files(folder: Path) -> dict[str, bytes]:
    """The student's own files beside a notebook: regular files only, no links, no notebooks, capped in size and number.

    Files beyond a cap, and those whose names are not text, are left out.
    """
    files: dict[str, bytes] = {}
    folders: set[Path] = set()
    room = MAX_FILES_BYTES
    for path in sorted(islice(_walk(folder), MOST_LOOKED_AT)):
        name = path.relative_to(folder)
        inside = folders | {*name.parents}
        if _is_notebook(path) or not _is_name(name.as_posix()) or len(files) + len(inside) >= MAX_FILES:
            continue
        try:
            if not stat.S_ISREG(path.lstat().st_mode):  # opening a device may already do something
                continue
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with open(descriptor, "rb") as file:
                info = os.fstat(descriptor)
                if not stat.S_ISREG(info.st_mode) or info.st_nlink > 1 or info.st_size > room:
                    continue
                files[name.as_posix()] = file.read(info.st_size)  # and no more, should it be growing
        except OSError:
            continue
        room -= info.st_size
        folders = inside
    return files


def _is_name(name: str) -> bool:
    try:
        return len(name.encode()) <= MAX_NAME_BYTES
    except UnicodeEncodeError:  # from an archive in another encoding
        return False


def _failed(submission: Submission, seed: int, level: str, reason: str) -> Marks:
    return Marks(submission.student, submission.sheet, submission.exercise, (), level, seed, error=reason)
