"""Many notebooks: found on disk, graded over a pool, one bad one never stopping the others."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, as_completed
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path, PurePosixPath

from autograder.exercise import SHEETS
from autograder.exercises import NAMES, load
from autograder.grading import arrived
from autograder.grading.grade import grade_notebook
from autograder.grading.notebook import BadNotebook, parse_notebook, read_bytes
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
        return not self.member and self.path.stem == self.exercise and _is_notebook(self.path)


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
        if path.is_file() or path.is_symlink() or (path.exists() and _is_notebook(path)):
            below = [path]
        elif path.is_dir():
            below = sorted(_walk(path))
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


def _arrived(path: Path, student: str) -> list[Submission]:
    """The notebooks in a file: one, none, or those of an archive."""
    if _is_folder(path) or (_is_notebook(path) and path.stem in NAMES):
        return [_submission(path, student)]
    lower = path.name.lower()
    if path.is_symlink() and not _is_notebook(path):
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
    if not (_is_notebook(path) or lower.endswith(arrived.ENDINGS) or not path.suffix):
        return []
    if _is_notebook(path) and (path.is_symlink() or not path.is_file()):
        return [_submission(path, student)]
    exercise, problem = arrived.recognise(path.name, arrived.peek(path))
    if not exercise and not problem and not _is_notebook(path):
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
    for folder in _students_folders(path, tree):
        inside = [file for _, file in others if _settled(file).is_relative_to(folder)]
        told = {_settled(one) for one in named}
        if not any(one.is_relative_to(folder) or folder.is_relative_to(one) for one in told):
            sheet = folder.name if folder.name in SHEETS else ""
            student = folder.relative_to(tree).parts[0]
            found.append(Submission(printable(student), sheet, "", folder, _nothing_in(folder, inside)))
            named.add(folder)
    return found


def _is_module(file: Path, sheet: str, there: Sequence[Submission]) -> bool:
    """Whether it is the module that comes with a later sheet: it lies beside a notebook of another one than its own."""
    beside = {one.sheet for one in there if one.path.parent == file.parent and one.sheet}
    return file.suffix.lower() == ".py" and bool(beside - {sheet})


def _students_folders(path: Path, tree: Path) -> list[Path]:
    """The folders in which somebody's notebooks are looked for: those below the tree, and their sheets."""
    here = _settled(path)
    if not path.is_dir() or _is_notebook(path):
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
        return f"{printable(folder.name)} is empty: nothing was handed in there."
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
    refused: dict[tuple[Path, str], Submission] = {}
    for several in (group for group in groups.values() if len(group) > 1):
        places = [_place(one, highest=highest) for one in several]
        first, second = sorted(places)[:2]
        counts = several[places.index(first)] if first < second else None
        for one in several:
            if one is not counts:
                other = counts or next(other for other in several if other is not one)
                both = f"{one.shown} and {other.shown}"
                left = "the second one counts: take the first away" if counts else "leave the one that counts"
                problem = f"{one.exercise} was handed in more than once, as {both}; {left}."
                refused[one.path, one.member] = replace(one, problem=problem, beside=counts is not None)
    return [refused.get((one.path, one.member), one) for one in found]


def _place(one: Submission, *, highest: bool) -> int:
    """How near a notebook is to where it should be; the smaller the nearer."""
    depth = 2 * (len(one.path.absolute().parts) + one.member.count("/")) + (not one.is_named_so)
    in_place = [folder.name for folder in one.path.absolute().parents[:2]] == [one.sheet, one.student]
    return depth if (in_place and one.is_named_so) or highest else 1 << 30


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


def _submission(path: Path, student: str, known: str = "", problem: str = "") -> Submission:
    """A notebook; ``known`` is the exercise that it was recognised as, or ``problem`` says why it was not."""
    sheet = path.absolute().parent.name if path.absolute().parent.name in SHEETS else ""
    exercise, name = known or printable(path.stem), printable(path.name)
    if _is_folder(path) and not _is_notebook(path):
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


ASIDE = ".set_aside"
"""Folder beside a student's sheets for what was in a submission and is not graded as it is."""


def put_in_place(found: Sequence[Submission], place: Callable[[str, str, str], Path]) -> list[Submission]:
    """The submissions, with those that arrived under another name written where nbgrader looks for them.

    Only what lies in that very folder, and where nothing stands in the way. What was handed in is kept beside it.
    """
    put = [_put(one, place) for one in found]
    packed: dict[Path, bool] = {}
    for one, now in zip(found, put, strict=True):
        if one.member:
            packed[one.path] = packed.get(one.path, True) and not now.member
    for path in [path for path, emptied in packed.items() if emptied]:
        path.unlink()  # it is kept where `_put` has copied it
    return put


def _put(one: Submission, place: Callable[[str, str, str], Path]) -> Submission:
    if one.problem or not one.student or one.is_named_so:
        return one
    there = place(one.student, one.sheet, one.exercise)
    if one.path.absolute().parent != there.parent or there.exists():
        return one
    try:
        data, beside = content(one), files_beside(one) if one.member else {}
        for name, inner in beside.items():
            if not (there.parent / name).exists():
                (there.parent / name).parent.mkdir(parents=True, exist_ok=True)
                (there.parent / name).write_bytes(inner)
        there.write_bytes(data)
        os.utime(there, (one.path.stat().st_mtime,) * 2)
        kept = there.parents[1] / ASIDE / there.parent.name / one.path.name
        kept.parent.mkdir(parents=True, exist_ok=True)
        if not one.member:
            os.replace(one.path, kept)
        else:
            kept.write_bytes(one.path.read_bytes())
    except (OSError, BadNotebook) as problem:
        return replace(one, problem=f"{one.shown} could not be put at {there}: {printable(str(problem))}")
    log.warning("%s was read as %s; what was handed in is kept in %s.", one.shown, there.name, kept.parent)
    return replace(one, path=there, member="")


def grade(
    submission: Submission,
    sandbox: Sandbox,
    *,
    root: Path,
    seed: int,
    on_marks: Callable[[Marks], None] | None = None,
    places: bool = False,
) -> Marks:
    """The marks of one submission. What cannot be graded comes back as marks with ``error`` set, never as zero.

    ``on_marks`` is called after every question, and ``places`` are looked for; see
    :func:`autograder.grading.grade.grade_notebook`.

    Raises SandboxUnavailable, since then nothing else can be graded either.
    """
    try:
        if submission.problem:
            raise BadNotebook(submission.problem)
        notebook = parse_notebook(content(submission), submission.path.name)
        return grade_notebook(
            notebook,
            exercise_of(root, submission.exercise, submission.student),
            sandbox,
            root=root,
            seed=seed,
            student=submission.student,
            files=files_beside(submission),
            on_marks=on_marks,
            places=places,
        ).marks
    except BadNotebook as bad:
        return _failed(submission, seed, sandbox.level, str(bad))
    except SandboxUnavailable:
        raise
    except Exception as error:
        log.exception("grading %s failed", submission.path)
        return _failed(submission, seed, sandbox.level, f"The grader failed at this notebook ({error!r}): see the log.")


def grade_all(
    submissions: Sequence[Submission], sandbox: Sandbox, pool: Executor, *, root: Path, seed: int, places: bool = False
) -> Iterator[tuple[Submission, Marks]]:
    """Grade submissions on a pool and yield each as it is done."""
    futures: dict[Future[Marks], Submission] = {
        pool.submit(grade, submission, sandbox, root=root, seed=seed, places=places): submission
        for submission in submissions
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
