"""One notebook that was handed in: where it lies, what is in it, and the student's own files beside it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from autograder.console import printable
from autograder.grading import arrived
from autograder.grading.notebook import BadNotebook, read_bytes

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

    ``beside`` tells that another one of the same student and exercise is there, which counts. ``member`` is its name in
    the archive at ``path``. A folder, or a file, in which no notebook was found has a problem and no exercise.
    """

    student: str
    sheet: str
    exercise: str
    path: Path
    problem: str = ""
    beside: bool = False
    member: str = ""

    @property
    def shown(self) -> str:
        """Where it lies, for people."""
        return printable(f"{self.path}/{self.member}" if self.member else str(self.path))

    @property
    def is_named_so(self) -> bool:
        """Whether it is a file with the name that the course gave it."""
        return not self.member and self.path.stem == self.exercise and is_notebook(self.path)


def content(one: Submission) -> bytes:
    """What was handed in. Raises BadNotebook."""
    data = read_bytes(one.path)
    if not one.member:
        return data
    try:
        return next(packed.data for packed in arrived.unpack(data, one.path.name) if packed.name == one.member)
    except (arrived.BadArchive, StopIteration) as problem:
        raise BadNotebook(str(problem) or f"{one.member} is not in {one.path.name} any more.") from None


def files_beside(one: Submission) -> dict[str, bytes]:
    """The student's own files beside a notebook, also in its archive; capped as :func:`own_files` has it."""
    if not one.member:
        return own_files(one.path.parent)
    folder = PurePosixPath(one.member).parent
    files: dict[str, bytes] = {}
    room = MAX_FILES_BYTES
    for packed in arrived.unpack(read_bytes(one.path), one.path.name):
        name = PurePosixPath(packed.name)
        if (
            packed.name == one.member
            or name.suffix.lower() == ".ipynb"
            or not name.is_relative_to(folder)
            or len(packed.data) > room
        ):
            continue
        if len(files) < MAX_FILES // 2 and _is_name(name.as_posix()):
            files[name.relative_to(folder).as_posix()] = packed.data
            room -= len(packed.data)
    return files


def walk(folder: Path) -> Iterator[Path]:
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
            if entry.is_dir(follow_symlinks=False) and not is_notebook(path):
                if levels:
                    waiting.append((path, levels - 1))
            else:
                yield path


def is_notebook(path: Path) -> bool:
    """Whether something is called a notebook; some programs write endings in capitals."""
    return path.suffix.lower() == ".ipynb"


def own_files(folder: Path) -> dict[str, bytes]:
    """The student's own files beside a notebook: regular files only, no links, no notebooks, capped in size and number.

    Files beyond a cap, and those whose names are not text, are left out.
    """
    files: dict[str, bytes] = {}
    folders: set[Path] = set()
    room = MAX_FILES_BYTES
    for path in sorted(islice(walk(folder), MOST_LOOKED_AT)):
        name = path.relative_to(folder)
        inside = folders | {*name.parents}
        if is_notebook(path) or not _is_name(name.as_posix()) or len(files) + len(inside) >= MAX_FILES:
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
