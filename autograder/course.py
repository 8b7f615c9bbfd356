"""Where the course lies on disk: one place that knows the folder names."""

from __future__ import annotations

import importlib.util
import marshal
import sys
from functools import cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.exercise import Exercise

CONFIG = "nbgrader_config.py"
CHECKED_HASH = 0b11
"""Flags of bytecode that is valid for a source with the hash that stands in it (PEP 552)."""


class CourseError(Exception):
    """The course cannot be used as it is; the message says the fix."""


def find_root(start: Path | None = None) -> Path:
    """The course's folder: the nearest one above ``start`` that holds nbgrader_config.py and source/.

    Without one, the checkout that this package lies in. Raises CourseError when there is none either.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[1]):
        if (folder / CONFIG).is_file() and (folder / "source").is_dir():
            return folder
    raise CourseError(f"no course here: {CONFIG} and source/ were looked for in {here} and above. Use --root DIR.")


@cache
def source_notebook(root: Path, exercise: Exercise) -> NotebookNode:
    """The instructor's notebook of an exercise. Raises CourseError when it was not built."""
    path = root / "source" / exercise.sheet / f"{exercise.name}.ipynb"
    if not path.is_file():
        raise CourseError(f"source/{exercise.sheet}/{exercise.name}.ipynb is missing: run `autograder build`.")
    return nbformat.read(path, as_version=4)


@cache
def sheet_files(root: Path, sheet: str) -> dict[str, bytes]:
    """What lies beside the notebooks of a sheet (modules and data), by path relative to the sheet's folder."""
    folder = root / "source" / sheet
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".ipynb" and not _hidden(path.relative_to(folder))
    }


@cache
def sheet_bytecode(root: Path, sheet: str) -> dict[str, bytes]:
    """The modules of a sheet compiled, for the folder of the notebook: each process that runs one would do it again.

    Python takes bytecode with a hash of its source only for exactly this source.
    """
    return {
        (Path(name).parent / "__pycache__" / f"{Path(name).stem}.{sys.implementation.cache_tag}.pyc").as_posix():
            importlib.util.MAGIC_NUMBER + CHECKED_HASH.to_bytes(4, "little") + importlib.util.source_hash(data)
            + marshal.dumps(compile(data, name, "exec", dont_inherit=True))
        for name, data in sheet_files(root, sheet).items() if name.endswith(".py")
    }  # fmt: skip


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in path.parts)
