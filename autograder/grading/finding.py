"""What was handed in, found on disk: whose it is, which exercise, and what would disappear without a word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from autograder.console import printable
from autograder.exercise import SHEETS
from autograder.exercises import NAMES, load
from autograder.grading import arrived
from autograder.grading.notebook import BadNotebook, read_bytes
from autograder.grading.submissions import Submission, content, is_notebook, walk


class NothingToGrade(Exception):
    """The paths name no notebook. The message says what was looked for."""


def find(paths: Iterable[Path], root: Path | None = None, *, student: str | None = None) -> list[Submission]:
    """The submissions that these paths name, in a stable order: one for each student and exercise, the rest refused.

    A path is a notebook, a student's folder (``<student>/<sheet>/<exercise>.ipynb`` below it) or a whole
    ``submitted/`` tree; ``root`` is the course's folder. With ``student`` everything is theirs, as on a platform that
    knows who handed in. Raises NothingToGrade.
    """
    found: dict[tuple[Path, str], Submission] = {}
    for path in paths:
        if path.is_file() or path.is_symlink() or (path.exists() and is_notebook(path)):
            below = [path]
        elif path.is_dir():
            below = sorted(walk(path))
        else:
            raise NothingToGrade(f"{path} does not exist. Give a notebook, a student's folder or the submitted folder.")
        tree = _tree(path, root)
        there: list[Submission] = []
        others: list[tuple[str, Path]] = []
        for file in below:
            who = whose(file, path, tree) if student is None else student
            here = _arrived(file, who)
            there += here
            if not here:
                others.append((who, file))
        there += _silent(path, tree, there, others, given=student)
        if not there:
            raise NothingToGrade(f"{path} holds no notebook: <student>/<sheet>/<exercise>.ipynb was looked for.")
        found |= {(one.path, one.member): one for one in there}
    return _one_each([found[place] for place in sorted(found)], highest=student is not None)


def _arrived(path: Path, student: str) -> list[Submission]:
    """The notebooks in a file: one, none, or those of an archive."""
    if _is_folder(path) or (is_notebook(path) and path.stem in NAMES):
        return [_submission(path, student)]
    lower = path.name.lower()
    if path.is_symlink() and not is_notebook(path):
        return []
    if lower.endswith(arrived.ARCHIVES):
        try:
            packed = arrived.unpack(read_bytes(path), path.name)
        except (arrived.BadArchive, BadNotebook) as bad:
            return [Submission(printable(student), "", printable(path.stem), path, printable(str(bad)))]
        inside = [(one.name, *arrived.recognise(PurePosixPath(one.name).name, one.data)) for one in packed]
        return [
            replace(_submission(path, student, exercise, printable(problem)), member=name)
            for name, exercise, problem in inside
            if exercise or problem
        ]
    if not (is_notebook(path) or lower.endswith(arrived.ENDINGS) or not path.suffix):
        return []
    if is_notebook(path) and (path.is_symlink() or not path.is_file()):
        return [_submission(path, student)]
    exercise, problem = arrived.recognise(path.name, arrived.peek(path))
    if not exercise and not problem and not is_notebook(path):
        return []
    return [_submission(path, student, exercise, printable(problem))]


def _silent(
    path: Path, tree: Path, there: Sequence[Submission], others: Sequence[tuple[str, Path]], *, given: str | None
) -> list[Submission]:
    """What would disappear without a word: folders that gave no notebook, and pages that stand for one."""
    done = {(one.student, one.exercise) for one in there}
    found: list[Submission] = []
    for student, file in others:
        exercise = arrived.by_name(file.stem)
        if (
            exercise
            and (student, exercise) not in done
            and file.suffix.lower() in (*arrived.PAGES, *arrived.OTHER_ARCHIVES)
            and not _is_module(file, load(exercise).sheet, there)
        ):
            sheet = load(exercise).sheet
            problem = f"{printable(arrived.what_it_is(file.name))}."
            found.append(Submission(printable(student), sheet, exercise, file, problem))
    named = {one.path for one in (*there, *found)}
    if given is not None:
        if others and not named:
            found.append(Submission(given, "", "", path, _nothing_in(path, [file for _, file in others])))
        return found
    told = {_settled(one) for one in named}
    around = {folder for one in told for folder in (one, *one.parents)}
    for folder in _students_folders(path, tree):
        if folder in around or not told.isdisjoint(folder.parents):
            continue
        inside = [file for _, file in others if _settled(file).is_relative_to(folder)]
        sheet = folder.name if folder.name in SHEETS else ""
        student = folder.relative_to(tree).parts[0]
        found.append(Submission(printable(student), sheet, "", folder, _nothing_in(folder, inside)))
        told.add(folder)
    return found


def _is_module(file: Path, sheet: str, there: Sequence[Submission]) -> bool:
    """Whether it is the module that comes with a later sheet: it lies beside a notebook of another one than its own."""
    beside = {one.sheet for one in there if one.path.parent == file.parent and one.sheet}
    return file.suffix.lower() == ".py" and bool(beside - {sheet})


def _students_folders(path: Path, tree: Path) -> list[Path]:
    """The folders in which somebody's notebooks are looked for: those below the tree, and their sheets."""
    here = _settled(path)
    if not path.is_dir() or is_notebook(path):
        return []
    if here == tree:
        students = _folders(here)
    elif here.parent == tree:
        students = [here]
    else:
        return [here] if here.name in SHEETS and here.is_relative_to(tree) else []
    return [*students, *(sheet for one in students for sheet in _folders(one) if sheet.name in SHEETS)]


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(one for one in folder.iterdir() if _is_folder(one) and not one.name.startswith("."))
    except OSError:
        return []


def _nothing_in(folder: Path, files: Sequence[Path]) -> str:
    if not files:
        hidden = sorted(path.name for path in folder.rglob("*") if path.is_file())[:3]
        told = f"holds only {', '.join(hidden)}: ask for the .ipynb file" if hidden else "is empty"
        return printable(f"{folder.name} {told}{'.' if hidden else ': nothing was handed in there.'}")
    told = "; ".join(arrived.what_it_is(file.name) for file in files[:3])
    more = f"; and {len(files) - 3} more files" if len(files) > 3 else ""
    return printable(f"no notebook is in {folder.name}: {told}{more}.")


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
    if path.is_dir() and not is_notebook(path):
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
    What holds the very same as that one is no other work, and is left out.
    """
    groups: dict[tuple[str, str], list[Submission]] = {}
    for one in found:
        if (one.student or highest) and not one.problem:
            groups.setdefault((one.student, one.exercise), []).append(one)
    refused: dict[tuple[Path, str], Submission] = {}
    same: set[tuple[Path, str]] = set()
    for several in (group for group in groups.values() if len(group) > 1):
        places = [_place(one, highest=highest) for one in several]
        first, second = sorted(places)[:2]
        counts = several[places.index(first)] if first < second else None
        if copies := _copies(several):
            counts = several[places.index(first)]
            same |= {(one.path, one.member) for one in copies if one is not counts}
        for one in several:
            if one is not counts and (one.path, one.member) not in same:
                other = counts or next(other for other in several if other is not one)
                both = f"{one.shown} and {other.shown}"
                left = "the second one counts: take the first away" if counts else "leave the one that counts"
                problem = f"{one.exercise} was handed in more than once, as {both}; {left}."
                refused[one.path, one.member] = replace(one, problem=problem, beside=counts is not None)
    return [refused.get((one.path, one.member), one) for one in found if (one.path, one.member) not in same]


def _copies(several: Sequence[Submission]) -> Sequence[Submission]:
    """All of them when they hold the very same, otherwise none."""
    try:
        return several if len({content(one) for one in several}) == 1 else ()
    except BadNotebook:
        return ()


def _place(one: Submission, *, highest: bool) -> int:
    """How near a notebook is to where it should be; the smaller the nearer."""
    depth = 2 * (len(one.path.absolute().parts) + one.member.count("/")) + (not one.is_named_so)
    in_place = [folder.name for folder in one.path.absolute().parents[:2]] == [one.sheet, one.student]
    return depth if (in_place and one.is_named_so) or highest else 1 << 30


def _submission(path: Path, student: str, known: str = "", problem: str = "") -> Submission:
    """A notebook; ``known`` is the exercise that it was recognised as, or ``problem`` says why it was not."""
    sheet = path.absolute().parent.name if path.absolute().parent.name in SHEETS else ""
    exercise, name = known or printable(path.stem), printable(path.name)
    if _is_folder(path) and not is_notebook(path):
        problem = f"the folder {name} cannot be read: give the grading user permission to read it."
        return Submission("", "", exercise, path, problem)
    if student != printable(student):  # a name in another encoding, or one that would steer a terminal
        problem = f"the folder {printable(student)} has a name with characters that cannot be shown: rename it."
        return Submission(printable(student), sheet, exercise, path, problem)
    if problem or exercise not in NAMES:
        problem = problem or f"{name} is no exercise of this course; rename it to one of {', '.join(NAMES)}."
        return Submission(student, sheet, exercise, path, problem)
    right = load(exercise).sheet
    if sheet and sheet != right:
        problem = f"{name} belongs to the sheet {right}, not {sheet}: move it to {student}/{right}/."
        return Submission(student, sheet, exercise, path, problem)
    return Submission(student, right, exercise, path)


def _is_folder(path: Path) -> bool:
    return not path.is_symlink() and path.is_dir()
