"""``autograder collect``: what a platform gave, put where it is graded; what is not certain is asked."""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.console import complain, printable, say
from autograder.course import CourseError, find_root
from autograder.exercises import load
from autograder.grading.arrived import OTHER_ARCHIVES, BadArchive, Packed, recognise, unpack
from autograder.grading.placing import ASIDE
from autograder.records.layouts import GRADESCOPE, Origin, gradescope_metadata, origin, persons
from autograder.records.people import Person, read_people
from autograder.records.returned import COLLECTED, note_collected
from autograder.times import BadTime, read, shown
from autograder.views.words import counted

MAX_CLASS_BYTES = 2**30
MAX_CLASS_FILES = 50_000
STAMP = "timestamp.txt"


@dataclass(frozen=True)
class Row:
    """One file: whose, which exercise, and why that is known, or what is to be asked."""

    file: str
    data: bytes
    source: Origin
    student: str = ""
    exercise: str = ""
    why: str = ""
    question: str = ""

    @property
    def sheet(self) -> str:
        """The sheet of the exercise."""
        return load(self.exercise).sheet if self.exercise else ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``autograder collect``."""
    parser.add_argument("given", type=Path, metavar="ARCHIVE|FOLDER", help="a zip of a platform, or what was unpacked")
    parser.add_argument("--people", type=Path, metavar="FILE", help="the class: students.csv, or a platform's export")
    parser.add_argument("--dry-run", action="store_true", help="show whose every file is, and write nothing")
    parser.add_argument("--replace", action="store_true", help="take this over what was collected before")
    parser.add_argument("--zone", metavar="ZONE", help="of times that a platform gives without one, as Europe/Berlin")
    parser.add_argument("--root", type=Path, help="the course's folder; found from here by default")


def run(args: argparse.Namespace) -> int:
    """Collect. Returns 0 when everything has its place, 1 when something is to be asked, 2 on bad use."""
    try:
        root = find_root(args.root, graded=[args.given])
        zone = ZoneInfo(args.zone) if args.zone else None
        people, note = read_people(args.people) if args.people else ([], "")
        rows = sort_out(_pieces(args.given), people, zone)
        if not args.dry_run:
            rows = _put(root, rows, args.given, replace_it=args.replace)
    except (ZoneInfoNotFoundError, ValueError) as problem:
        complain("collect", problem)
        return 2
    except (CourseError, BadArchive, OSError) as problem:
        complain("collect", problem)
        return 2
    if note:
        say(note, "yellow", to=Console(stderr=True))
    return _show(rows, people, args)


def _pieces(given: Path) -> list[Packed]:
    if given.is_file() and given.name.lower().endswith(OTHER_ARCHIVES):
        raise CourseError(f"{given.name} is an archive of a kind that is not opened: unpack it, and give the folder.")
    if given.is_file():
        return unpack(given.read_bytes(), given.name, most=MAX_CLASS_BYTES, members=MAX_CLASS_FILES)
    if not given.is_dir():
        raise CourseError(f"{given} does not exist: give the zip of a platform, or a folder.")
    found: list[Packed] = []
    room = MAX_CLASS_BYTES
    for folder, names, files in os.walk(given, followlinks=False):
        names[:] = sorted(name for name in names if not name.startswith("."))
        for name in sorted(files):
            path = Path(folder, name)
            if name.startswith(".") or path.is_symlink() or not path.is_file():
                continue
            inner, data = path.relative_to(given).as_posix(), path.read_bytes()
            room -= len(data)
            if room < 0 or len(found) > MAX_CLASS_FILES:
                raise CourseError(f"{given} holds more than {MAX_CLASS_BYTES >> 20} MB or {MAX_CLASS_FILES} files.")
            try:
                inside = unpack(data, inner) if name.lower().endswith(".zip") else []
            except BadArchive:
                inside = []
            found += [Packed(f"{inner}/{one.name}", one.data) for one in inside] or [Packed(inner, data)]
    return found


def sort_out(pieces: Sequence[Packed], people: Sequence[Person], zone: ZoneInfo | None) -> list[Row]:
    """Whose every file is, which exercise it holds, and which of several counts; or what is to be asked."""
    metadata = next((one.data for one in pieces if PurePosixPath(one.name).name == GRADESCOPE), b"")
    about = gradescope_metadata(metadata.decode("utf-8", "replace"))
    rows: list[Row] = []
    for piece in pieces:
        if PurePosixPath(piece.name).name == GRADESCOPE:
            continue
        source = origin(piece.name, about, zone)
        exercise, problem = recognise(PurePosixPath(source.rest).name, piece.data)
        row = Row(piece.name, piece.data, source, exercise=exercise)
        who, unsure = persons(source, people) if people else _without_table(source)
        if problem:
            row = replace(row, exercise="", question=problem)
        if unsure:
            rows.append(replace(row, question=row.question or f"whose is it? {unsure}"))
        for one in who:
            why = f"{source.platform}: {source.prefix or source.rest}" + (", late" if source.late else "")
            rows.append(replace(row, student=one.id, why=why))
    return _newest(rows)


def _without_table(source: Origin) -> tuple[list[Person], str]:
    if source.platform in ("folder", "nbgrader") and source.who:
        return [Person(source.who[0])], ""
    return [], "give --people, the table of the class"


def _newest(rows: Sequence[Row]) -> list[Row]:
    """The same; of several notebooks of one student and exercise the newest counts, if that is certain."""
    found = list(rows)
    groups: dict[tuple[str, str], list[int]] = {}
    for at, row in enumerate(found):
        if row.student and row.exercise and not row.question:
            groups.setdefault((row.student, row.exercise), []).append(at)
    for places in (one for one in groups.values() if len(one) > 1):
        several = [found[at] for at in places]
        if len({row.data for row in several}) == 1:
            order = [0.0] * (len(several) - 1) + [1.0]
        elif all(row.source.at for row in several):
            order = [row.source.at.timestamp() for row in several if row.source.at]
        elif all(row.source.platform == "canvas" for row in several):
            order = [float(row.source.attempt) for row in several]
        else:
            order = []
        last = [at for at, one in zip(places, order, strict=False) if one == max(order)]
        for at in places:
            if len(last) == 1 and at != last[0]:
                found[at] = replace(found[at], exercise="", why=f"{found[at].why}; an earlier version, kept")
            elif len(last) != 1:
                names = " and ".join(found[one].file for one in places)
                found[at] = replace(found[at], question=f"which one counts? {names}")
    return found


def _put(root: Path, rows: Sequence[Row], given: Path, *, replace_it: bool) -> list[Row]:
    """Write what is certain to submitted/, and all of it to where nothing is lost."""
    kept = root / COLLECTED / f"{datetime.now(UTC):%Y%m%d-%H%M%S.%f}-{given.name}"
    kept.parent.mkdir(parents=True, exist_ok=True)
    if given.is_file():
        shutil.copy2(given, kept)
    else:
        shutil.copytree(given, kept, symlinks=True)
    sheets: dict[str, set[str]] = {}
    for row in rows:
        if row.student and row.exercise and not row.question:
            sheets.setdefault(row.student, set()).add(row.sheet)
    done = [_placed(root, row, sheets, replace_it=replace_it) for row in rows]
    note_collected(root, [(row.student, row.sheet, row.exercise, row.source) for row in done if row.exercise])
    return done


def _placed(root: Path, row: Row, sheets: dict[str, set[str]], *, replace_it: bool) -> Row:
    if row.question or not row.student:
        return row
    if "/" in row.student or row.student in (".", "..") or row.student != printable(row.student):
        return replace(row, question=f"{printable(row.student)} cannot be the name of a folder: change the table")
    mine = sheets.get(row.student, set())
    if row.exercise:
        place = root / "submitted" / row.student / row.sheet / f"{row.exercise}.ipynb"
    elif len(mine) == 1 and not row.why.endswith("kept") and not row.source.rest.endswith(".html"):
        inner = PurePosixPath(row.source.rest)
        place = root / "submitted" / row.student / next(iter(mine)) / inner.name
    else:
        return row
    if place.exists() and place.read_bytes() == row.data:
        return replace(row, why=f"{row.why}; is there already")
    stamp = place.parent / STAMP
    if place.exists():
        newer = _is_newer(row.source.at, stamp)
        if not (newer or replace_it):
            return replace(
                row, question=f"{place.relative_to(root)} is there with other work: --replace takes this one"
            )
        old = place.parents[1] / ASIDE / f"{datetime.now(UTC):%Y%m%d-%H%M%S.%f}" / place.name
        old.parent.mkdir(parents=True, exist_ok=True)
        os.replace(place, old)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(row.data)
    if row.exercise and row.source.at is not None:
        stamp.write_text(f"{row.source.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC\n")
    return row


def _is_newer(at: datetime | None, stamp: Path) -> bool:
    try:
        return at is not None and at > read(stamp.read_text(encoding="utf-8").strip())
    except (OSError, BadTime, UnicodeDecodeError):
        return False


def _show(rows: Sequence[Row], people: Sequence[Person], args: argparse.Namespace) -> int:
    console = Console()
    table = Table(box=None, pad_edge=False)
    for title in ("file", "student", "sheet", "exercise", "why"):
        table.add_column(title, overflow="fold")
    for row in sorted(rows, key=lambda row: (bool(row.question), row.student, row.file)):
        at = f", {shown(row.source.at.astimezone(UTC))}" if row.source.at else ""
        why = row.question or f"{row.why}{at}{'; ' + row.source.problem if row.source.problem else ''}"
        cells = (row.file, row.student or "?", row.sheet or "-", row.exercise or "-")
        table.add_row(*(Text(printable(one)) for one in cells), Text(printable(why), "magenta" if row.question else ""))
    console.print(table)
    asked = [row for row in rows if row.question]
    placed = [row for row in rows if row.exercise and not row.question]
    came = {row.student for row in placed}
    verb = "would be put" if args.dry_run else "put"
    console.print(
        f"{counted(len(placed), 'notebook')} of {counted(len(came), 'student')} {verb} in submitted/.", highlight=False
    )
    if missing := [one.id for one in people if one.id not in came]:
        say(f"Nothing of {len(missing)}: {', '.join(missing)}")
    if asked:
        told = f"{counted(len(asked), 'file')} to be asked about: nothing was done with what is unsure."
        console.print(told, style="bold magenta")
    return 1 if asked else 0
