"""Where the course lies on disk, and what it consists of: one place that knows the folder names.

The exercises of this package are the course, unless there is a ``course.toml`` beside nbgrader_config.py. It names the
folder with the exercises' modules, the sheets, and the exercises in order:

    package = "norms"
    exercises = [
        "layer_norm",
    ]

    [sheets]
    layers = "Layers"
"""

from __future__ import annotations

import py_compile
import re
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path
from py_compile import PycInvalidationMode

import nbformat.reader
from nbformat import NotebookNode
from traitlets.config.loader import PyFileConfigLoader

from autograder.exercise import SHEETS, Exercise

CONFIG = "nbgrader_config.py"
DEFINITION = "course.toml"
OURS = dict(SHEETS)
"""The sheets of this package's own course."""

FROM_STUDENTS = ("submitted", "autograded", "feedback")
"""Folders of a course whose content comes from students."""


_OWN_PLACES = (*FROM_STUDENTS, "source", "assignments")
"""Where a course keeps notebooks that are graded."""


class CourseError(Exception):
    """The course cannot be used as it is; the message says the fix."""


@dataclass(frozen=True)
class Definition:
    """A course of one's own: the folder that holds it, its package of exercises, and their names in order."""

    root: Path
    package: str
    sheets: Mapping[str, str]
    exercises: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where the modules of the exercises lie."""
        return self.root / self.package


_in_use: Definition | None = None


def in_use() -> Definition | None:
    """The course of one's own that this process works on; None for that of this package."""
    return _in_use


def modules() -> str:
    """The folder of the exercises' modules, as messages name it."""
    return _in_use.package if _in_use else "autograder/exercises"


def use(root: Path) -> None:
    """Work on the course in this folder from now on. Runs nothing of it. Raises CourseError."""
    global _in_use
    _in_use = definition(root)
    sheets = dict(_in_use.sheets) if _in_use else OURS
    SHEETS.clear()
    SHEETS.update(sheets)


def definition(root: Path) -> Definition | None:
    """What course.toml says; None where there is none. Raises CourseError."""
    path = root / DEFINITION
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as problem:
        raise CourseError(f"{path} cannot be read: {problem}") from None
    package, sheets, exercises = told.get("package"), told.get("sheets", {}), told.get("exercises", [])
    words = [package, *(sheets if isinstance(sheets, dict) else [None]), *exercises]
    if not all(isinstance(word, str) and re.fullmatch(r"[a-z][a-z0-9_]*", word) for word in words):
        raise CourseError(f"{path}: package, sheets and exercises are names of small letters, digits and _.")
    if not all(isinstance(title, str) for title in sheets.values()) or len(set(exercises)) < len(exercises):
        raise CourseError(f"{path}: a sheet has a title, and no exercise stands there twice.")
    return Definition(root.resolve(), str(package), dict(sheets), tuple(exercises))


def find_root(start: Path | None = None, *, graded: Iterable[Path] = ()) -> Path:
    """The course's folder: the nearest one at or above ``start`` that holds nbgrader_config.py and source/.

    ``start`` is what ``--root`` says or the working directory, and never what is graded: its configuration is run, and
    its notebooks are the key. Without one, the checkout that this package lies in. Raises CourseError when there is
    none either, and when the one that was found was handed in: it lies in what is ``graded``, or below submitted/,
    autograded/ or feedback/ of another course. The course that is found is in use from then on.
    """
    graded, here = list(graded), (start or Path.cwd()).resolve()
    root = next(filter(_is_course, (here, *here.parents, Path(__file__).resolve().parents[1])), None)
    if root is None:
        raise CourseError(f"no course here: {CONFIG} and source/ were looked for in {here} and above. Use --root DIR.")
    handed_in = [folder for path in graded for folder in _belongs_to_student(path)]
    if (root / DEFINITION).exists():  # whose sheets may have any name: a folder right in it may be a student's sheet
        folders = [one.parent if one.suffix.lower() == ".ipynb" else one for one in (path.resolve() for path in graded)]
        handed_in += [root for one in folders if one.parent == root and one.name not in _OWN_PLACES]
    handed_in += [outer / name for outer in root.parents if _is_course(outer) for name in FROM_STUDENTS]
    for folder in handed_in:
        if root.is_relative_to(folder):
            raise CourseError(
                f"the course's folder would be {root}, which was handed in with {folder}: run this in the course's own "
                "folder, or name that with --root."
            )
    use(root)
    return root


def root_of_hand_in(folder: Path) -> Path:
    """The course's folder for nbgrader's ``<step>/<student>/<sheet>``, looked for above the student's.

    Raises CourseError.
    """
    return find_root(folder.absolute().parents[1])


def _is_course(folder: Path) -> bool:
    return (folder / CONFIG).is_file() and (folder / "source").is_dir()


def _belongs_to_student(path: Path) -> list[Path]:
    """What is graded, and the folders around a notebook or a sheet that belong to the same student."""
    path = path.resolve()
    folders = [path, path.parent] if path.suffix.lower() == ".ipynb" else [path]
    return [*folders, folders[-1].parent] if folders[-1].name in SHEETS else folders


def place_only(root: Path) -> bool:
    """Whether students are told where in their code to look, and not what is due there.

    ``c.FeedbackExporter.place_only = True`` in nbgrader_config.py says so, which is run only where it speaks of it.
    """
    return _is_set(root, "FeedbackExporter", "place_only")


def differences_cost(root: Path) -> bool:
    """Whether gradients that are differences of the loss lose their points, where backpropagation is asked.

    ``c.IsolatedExecute.differences_cost = True`` in nbgrader_config.py says so. It holds for every way of grading.
    """
    return _is_set(root, "IsolatedExecute", "differences_cost")


def address_of_sheets(root: Path) -> str:
    """Where the folders of ``assignments/`` are published; empty where they are not.

    ``c.Sheets.published_at = "https://..."`` in nbgrader_config.py says so.
    """
    return str(_setting(root, "Sheets", "published_at", "")) if (root / CONFIG).exists() else ""


def _is_set(root: Path, part: str, name: str) -> bool:
    return bool(_setting(root, part, name, False))


def _setting(root: Path, part: str, name: str, otherwise: object) -> object:
    path = root / CONFIG
    if name not in path.read_text(encoding="utf-8"):
        return otherwise
    return PyFileConfigLoader(CONFIG, path=str(root)).load_config()[part].get(name, otherwise)


def source_notebook(root: Path, exercise: Exercise) -> NotebookNode:
    """The instructor's notebook of an exercise. Raises CourseError when it was not built."""
    notebook = _built(root, exercise.sheet, exercise.name)
    return exercise.rewritten(notebook) if exercise.rewritten else notebook


@cache
def _built(root: Path, sheet: str, name: str) -> NotebookNode:
    path = root / "source" / sheet / f"{name}.ipynb"
    if not path.is_file():
        raise CourseError(f"source/{sheet}/{name}.ipynb is missing: run `autograder build`.")
    # without nbformat's validation, whose schema is compiled at its first use: `autograder build` made this file
    notebook: NotebookNode = nbformat.reader.reads(path.read_text(encoding="utf-8"))
    return notebook


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
def compiled_modules(root: Path, sheet: str) -> dict[str, bytes]:
    """The sheet's modules as bytecode for this interpreter, where it looks for it: they are compiled once, not per run.

    The bytecode is of the unchecked kind (PEP 552), so that the files' times do not matter.
    """
    compiled = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, data in sheet_files(root, sheet).items():
            if name.endswith(".py"):
                written = Path(folder, name)
                written.parent.mkdir(parents=True, exist_ok=True)
                written.write_bytes(data)
                bytecode = Path(cache_from_source(str(written)))
                py_compile.compile(
                    str(written), str(bytecode), name, True, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH
                )
                compiled[bytecode.relative_to(folder).as_posix()] = bytecode.read_bytes()
    return compiled


_IMPORT = re.compile(r"^\s*(?:from|import)\s+([\w.]+)", re.MULTILINE)


def imported_by(root: Path, sheet: str, code: str) -> tuple[str, ...]:
    """The modules that code is seen to import, itself or by what it uses of the sheet's modules; some may be missed."""
    late = _late_imports(root, sheet)
    return tuple(sorted({*_IMPORT.findall(code)}.union(*(late[name] for name in late if name in code))))


@cache
def _late_imports(root: Path, sheet: str) -> dict[str, list[str]]:
    """What functions of the sheet's modules import when they are called, by the functions' names."""
    found: dict[str, list[str]] = {}
    for name, data in sheet_files(root, sheet).items():
        parts = re.split(r"^def (\w+)", data.decode(), flags=re.MULTILINE) if name.endswith(".py") else []
        # not by a tree: Python 3.11 fails where two threads make one
        found |= {function: _IMPORT.findall(body) for function, body in zip(parts[1::2], parts[2::2], strict=True)}
    return {name: modules for name, modules in found.items() if modules}


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in path.parts)
