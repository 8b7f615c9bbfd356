"""The whole course: every reference script checked, every generated file written or compared."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.build import agreement, alone, compose, leaks, markers, practice, release, script
from autograder.build.overview import PATH, overview
from autograder.build.problem import BuildError, Problem
from autograder.build.script import Script
from autograder.course import in_use, modules
from autograder.exercise import SHEETS, Exercise
from autograder.exercises import all_exercises

REFERENCE = "reference"
TOOLKIT = "reference/toolkit"
GENERATED = ("source", "assignments")
OVERVIEW = Path(PATH)

WITHHELD = {
    "foundations": ("practice.py", "simple_network.py"),
    "guide": ("simple_network.py",),
    "training": ("practice.py",),
    "design": ("practice.py",),
}
"""Toolkit modules that are not laid beside a sheet: they have no use there, or are the answer to an exercise."""

GIVEN = ("simple_network.py",)
"""Toolkit modules that students are meant to read: what stands there is no secret beside the sheet."""

NOT_NOTEBOOKS = "_variants.py"
"""Files beside the reference scripts that end like this hold other right and wrong solutions for the tests."""

Progress = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class _Sheet:
    """One folder of reference/: its solved notebooks by name and the files that are laid beside them."""

    name: str
    notebooks: dict[str, NotebookNode]
    files: dict[str, Path]
    given: tuple[str, ...]

    def secrets(self, name: str) -> tuple[leaks.Secret, ...]:
        """What the exercise must not give away."""
        return leaks.secrets(self.notebooks[name].cells, self.given)


def build(root: Path, *, exercises: Sequence[Exercise] | None = None, progress: Progress | None = None) -> list[Path]:
    """Generate source/ and assignments/ from reference/ and return the files that changed, relative to ``root``.

    What the toolkit takes from exercises is renewed before.
    ``exercises`` are those of the course by default; ``progress`` is told what is being done.
    Raises BuildError, and writes nothing, when a reference script has a problem or a release would leak.
    """
    tell = progress or (lambda _: None)
    exercises = all_exercises() if exercises is None else exercises
    tell("checking the reference scripts")
    sheets, problems = _read(root, exercises)
    if problems:
        raise BuildError(problems)
    renewed = practice.renew(root)
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        for sheet in sheets:
            tell(f"building {sheet.name}")
            _generate(fresh, sheet)
        problems = [problem for sheet in sheets for problem in _leaks(fresh, sheet)]
        if problems:
            raise BuildError(problems)
        (fresh / OVERVIEW).parent.mkdir()
        (fresh / OVERVIEW).write_text(overview(exercises), encoding="utf-8", newline="\n")
        return renewed + [path for path in [*_files(fresh), OVERVIEW] if _update(fresh / path, root / path)]


def check(
    root: Path, *, exercises: Sequence[Exercise] | None = None, progress: Progress | None = None
) -> list[Problem]:
    """Everything that is wrong with the course: what ``build`` would refuse, and what it would change.

    Never writes into ``root``.
    """
    tell = progress or (lambda _: None)
    exercises = all_exercises() if exercises is None else exercises
    tell("checking the reference scripts")
    sheets, problems = _read(root, exercises)
    doubtful = {Path(problem.path).parts[1] for problem in problems if problem.path.startswith(f"{REFERENCE}/")}
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        for sheet in sheets:
            if sheet.name in doubtful:
                continue
            tell(f"comparing {sheet.name}")
            try:
                _generate(fresh, sheet)
            except BuildError as error:
                problems += error.problems
                doubtful.add(sheet.name)
        problems += _differences(fresh, root, doubtful)
    toolkit = root / practice.PATH
    if toolkit.exists() and practice.renewed(text := toolkit.read_text(encoding="utf-8")) != text:
        problems.append(Problem(practice.PATH.as_posix(), None, "stale; run `autograder build` and commit it"))
    if not (root / OVERVIEW).exists():
        problems.append(Problem(PATH, None, "missing; run `autograder build` and commit it"))
    elif (root / OVERVIEW).read_text(encoding="utf-8") != overview(exercises):
        problems.append(Problem(PATH, None, "stale; run `autograder build` and commit it"))
    for sheet in sheets:
        problems += _leaks(root, sheet)
    return problems


def _read(root: Path, exercises: Sequence[Exercise]) -> tuple[list[_Sheet], list[Problem]]:
    """Every sheet of the course, and what is wrong with the reference scripts and the exercises."""
    problems: list[Problem] = []
    sheets, placed, published = [], set(), alone.address(root)
    by_name = {exercise.name: exercise for exercise in exercises}
    folders = (path for path in (root / REFERENCE).iterdir() if path.is_dir() and not _ignored(path.relative_to(root)))
    for folder in sorted(path for path in folders if path.name != Path(TOOLKIT).name):
        notebooks = {}
        for path in sorted(folder.glob("*.py")):
            if path.name.endswith(NOT_NOTEBOOKS):
                continue
            one, found = script.read(path, path.relative_to(root).as_posix())
            placed.add(path.stem)
            if not found:
                notebooks[path.stem] = compose.notebook(one, by_name.get(path.stem))
            problems += found
            problems += _script_problems(one, by_name.get(path.stem), folder.name)
        if notebooks:
            sheets.append(_sheet(root, folder, notebooks))
            for notebook in notebooks.values():
                alone.complete(notebook, sheets[-1].files, published and f"{published}/{folder.name}")
    for exercise in exercises:
        wanted = f"{REFERENCE}/{exercise.sheet}/{exercise.name}.py"
        if exercise.sheet not in SHEETS:
            message = f"the exercise names the sheet {exercise.sheet!r}; the sheets are {', '.join(SHEETS)}"
            problems.append(Problem(f"{modules()}/{exercise.name}.py", None, message))
        elif exercise.name not in placed:
            message = (
                f"the exercise {exercise.name} has no reference script; write this file or take it out of {_list()}"
            )
            problems.append(Problem(wanted, None, message))
    return sheets, problems


def _list() -> str:
    """Where the names of the exercises stand."""
    return "course.toml" if in_use() else "NAMES in autograder/exercises/__init__.py"


def _sheet(root: Path, folder: Path, notebooks: dict[str, NotebookNode]) -> _Sheet:
    withheld = WITHHELD.get(folder.name, ())
    toolkit = [path for path in sorted((root / TOOLKIT).glob("*.py")) if path.name not in withheld]
    data = [path for path in sorted((folder / "data").rglob("*")) if path.is_file() and not _ignored(path)]
    files = {path.name: path for path in toolkit} | {path.relative_to(folder).as_posix(): path for path in data}
    given = tuple(path.read_text(encoding="utf-8") for path in toolkit if path.name in GIVEN)
    return _Sheet(folder.name, notebooks, files, given)


def _script_problems(one: Script, exercise: Exercise | None, folder: str) -> Iterator[Problem]:
    for cell in one.cells:
        yield from markers.problems(one.path, cell)
    if exercise is not None:
        if exercise.sheet != folder:
            message = f"the exercise belongs to the sheet {exercise.sheet!r}; move it to {REFERENCE}/{exercise.sheet}/"
            yield Problem(one.path, None, message)
        yield from agreement.exercise_problems(one, exercise)
        return
    marked = [cell for cell in one.cells if cell.role in ("selfcheck", "question", "written")]
    if marked:
        name, word = Path(one.path).stem, marked[0].role
        message = f"it has a {word}= but no exercise; add {name!r} to {_list()}"
        if folder not in SHEETS:
            message = f"{folder!r} is no sheet and must not have a {word}=; the sheets are {', '.join(SHEETS)}"
        yield Problem(one.path, marked[0].line, message)


def _generate(fresh: Path, sheet: _Sheet) -> None:
    """Write both generated forms of a sheet below ``fresh``. Raises BuildError with nbgrader's reasons."""
    source = fresh / "source" / sheet.name
    source.mkdir(parents=True)
    for name, one in sheet.notebooks.items():
        (source / f"{name}.ipynb").write_text(compose.text(one), encoding="utf-8", newline="\n")
    for name, path in sheet.files.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, source / name)
    release.generate(fresh, sheet.name)


def _leaks(root: Path, sheet: _Sheet) -> Iterator[Problem]:
    """What the released files of a sheet below ``root`` give away."""
    folder = root / "assignments" / sheet.name
    for name in sheet.notebooks:
        hidden = sheet.secrets(name)
        path = f"assignments/{sheet.name}/{name}.ipynb"
        if (root / path).exists():
            released = _notebook(root / path)
            if released is None:
                yield Problem(path, None, "not a notebook that can be read; run `autograder build`")
            else:
                yield from (Problem(path, None, message) for message in leaks.notebook_leaks(hidden, released))
        for file in sheet.files:
            if (folder / file).exists() and file not in GIVEN:
                text = (folder / file).read_text(encoding="utf-8", errors="replace")
                for secret in leaks.given_away(hidden, text):
                    message = f"the {secret.kind} line `{secret.line}` of {name} stands in it; take it out of {{}}"
                    origin = f"{TOOLKIT}/{file}" if "/" not in file else f"{REFERENCE}/{sheet.name}/{file}"
                    yield Problem(f"assignments/{sheet.name}/{file}", None, message.format(origin))


def _notebook(path: Path) -> NotebookNode | None:
    try:
        notebook: NotebookNode = nbformat.read(path, as_version=4)
    except Exception:  # nbformat passes on whatever json and its own converters raise
        return None
    return notebook


def _differences(fresh: Path, root: Path, doubtful: set[str]) -> Iterator[Problem]:
    """Generated files that are stale, missing or unexpected in ``root``; sheets in doubt are left out."""
    wanted, present = set(_files(fresh)), set(_files(root))
    for path in sorted(wanted | present):
        if path.parts[1] in doubtful:
            continue
        if path not in present:
            yield Problem(path.as_posix(), None, "missing; run `autograder build` and commit it")
        elif path not in wanted:
            yield Problem(path.as_posix(), None, f"unexpected: nothing in {REFERENCE}/ generates it; delete it")
        elif (fresh / path).read_bytes() != (root / path).read_bytes():
            yield Problem(path.as_posix(), None, "stale; run `autograder build` and commit it")


def _files(root: Path) -> list[Path]:
    """Every file in source/ and assignments/, relative to ``root``; droppings of editors and Python are left out."""
    found = (path for part in GENERATED for path in (root / part).rglob("*") if path.is_file())
    return sorted(path.relative_to(root) for path in found if not _ignored(path.relative_to(root)))


def _ignored(path: Path) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in path.parts)


def _update(new: Path, old: Path) -> bool:
    """Replace ``old`` by ``new`` in one step when they differ; say whether they did."""
    if old.exists() and old.read_bytes() == new.read_bytes():
        return False
    old.parent.mkdir(parents=True, exist_ok=True)
    beside = old.with_name(f".{old.name}.new")
    shutil.copyfile(new, beside)
    os.replace(beside, old)
    return True
