"""What a course keeps of one student outside the gradebook and the journal, and taking it away."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.course import FROM_STUDENTS, CourseError
from autograder.personal import setting
from autograder.records import requests
from autograder.records.layouts import GRADESCOPE, Origin, gradescope_metadata, origin, persons
from autograder.records.people import EXTENSIONS, Person, delimiter_of, read_file
from autograder.records.returned import COLLECTED, NAMES, RETURNED, collected, returned, write

ORAL = "viva"
"""The folder with the pages of oral checks."""

MAX_LOOKED_AT = 1 << 28
"""Bytes of a file that is looked through for a name."""


def folders(root: Path, student: str, more: Iterable[Path] = ()) -> list[Path]:
    """The folders with a student's name: what was handed in, graded, written for them, and numbers of their own."""
    places = [*(root / name for name in (*FROM_STUDENTS, "numbers", "variants")), *more]
    found = dict.fromkeys(place / student for place in places)
    return [path for path in found if path.is_symlink() or path.exists()]


def remove_folder(path: Path) -> None:
    """Remove a folder with all that is in it, and no more than a link where it is one."""
    if path.is_symlink() or not path.is_dir():
        path.unlink()
    else:
        shutil.rmtree(path)


def in_tables(root: Path, student: str, *, really: bool) -> Iterator[str]:
    """Take a student out of the course's own tables; says of each what is taken out. Raises CourseError."""
    for name, content in ((NAMES, collected(root)), (RETURNED, returned(root))):
        ways = [content] if name == NAMES else list(content.values())
        if [way for way in ways if way.pop(student, None) is not None]:
            if really:
                write(root / name, content)
            yield f"{name}: the entry"
    path = setting(root)
    if path.is_file():
        about = _json(path)
        if student in about.get("students", []):
            about["students"].remove(student)
            if really:
                path.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
            yield f"{path.name}: the entry"
    yield from _without_rows(root / EXTENSIONS, "id", student, really=really)
    if count := requests.forget(root, student, really=really):
        yield f"{requests.FILE}: {count} requests"
    for table in sorted((root / ORAL).glob("*/*.csv")):
        yield from _without_rows(table, "student", student, really=really)
    for page in sorted((root / ORAL).glob("*/*.html")):
        if page.stem == student:
            if really:
                page.unlink()
            yield page.relative_to(root).as_posix()


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise CourseError(f"{path} is not valid JSON ({problem}): mend it or move it away.") from None
    return found if isinstance(found, dict) else {}


def _without_rows(path: Path, column: str, student: str, *, really: bool) -> Iterator[str]:
    """A table without the rows that have the student in this column."""
    if not path.is_file():
        return
    text, _ = read_file(path)
    delimiter = delimiter_of(text)
    rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    header = [cell.strip().casefold() for cell in next((row for row in rows if any(row)), [])]
    at = header.index(column) if column in header else 0
    kept = [row for row in rows if len(row) <= at or row[at].strip() not in (student, f"'{student}")]
    if len(kept) < len(rows):
        if really:
            made = io.StringIO()
            csv.writer(made, delimiter=delimiter, lineterminator="\n").writerows(kept)
            path.write_text(made.getvalue(), encoding="utf-8")
        yield f"{path.name}: {len(rows) - len(kept)} rows"


@dataclass(frozen=True)
class Whose:
    """Tells which files of an archive are one student's alone.

    These are those of the hand-ins noted for them, those in a folder of their name, and those that the table of the
    class says are theirs.
    """

    student: str
    mine: frozenset[str]
    others: frozenset[str]
    people: Sequence[Person]

    def files(self, names: Iterable[str], about: str) -> list[str]:
        """Which of these names; ``about`` is Gradescope's table of the archive."""
        metadata = gradescope_metadata(about) if about else {}
        sources = {name: origin(name, metadata, None) for name in names}
        noted = {_who(one) for one in sources.values() if one.prefix in self.mine - self.others}
        return [name for name, one in sources.items() if self._is_mine(name, one, noted)]

    def _is_mine(self, name: str, source: Origin, noted: set[tuple[str, object]]) -> bool:
        if source.prefix in self.others:
            return False
        if _who(source) in noted or self.student in name.split("/")[:-1]:
            return True
        found = persons(source, self.people)[0] if self.people else []
        return [one.id for one in found] == [self.student]


def _who(source: Origin) -> tuple[str, object]:
    return source.platform, source.prefix if source.platform == "folder" else source.who


def in_collected(root: Path, student: str, people: Sequence[Person], *, really: bool) -> Iterator[str]:
    """Take a student's files out of what platforms gave, archives included; says of each how many."""
    everyone = collected(root)
    mine, others = (_prefixes(everyone, these) for these in ({student}, set(everyone) - {student}))
    whose = Whose(student, mine, others, people)
    for place in sorted((root / COLLECTED).iterdir()) if (root / COLLECTED).is_dir() else ():
        if place.is_dir():
            count = _thin_folder(place, whose, really=really)
        else:
            count = _thin(place, whose, really=really) if zipfile.is_zipfile(place) else 0
        if count:
            yield f"{COLLECTED}/{place.name}: {count} files"


def _prefixes(everyone: dict[str, Any], students: set[str]) -> frozenset[str]:
    found = {
        str(about.get("prefix", ""))
        for student in students
        for exercises in everyone.get(student, {}).values()
        for about in exercises.values()
    }
    return frozenset(found - {""})


def _thin_folder(place: Path, whose: Whose, *, really: bool) -> int:
    """Take a student's files out of a folder and of the archives in it; how many those are."""
    files = {path.relative_to(place).as_posix(): path for path in sorted(place.rglob("*")) if not path.is_dir()}
    table = next((path for name, path in files.items() if name.endswith(GRADESCOPE)), None)
    about = table.read_text(encoding="utf-8", errors="replace") if table else ""
    gone = whose.files(files, about)
    packed = [path for name, path in files.items() if name not in gone and name.lower().endswith(".zip")]
    if really and gone:
        for name in gone:
            files[name].unlink()
        for folder in sorted((path for path in place.rglob("*") if path.is_dir()), reverse=True):
            if not any(folder.iterdir()):
                folder.rmdir()
        if table is not None:
            table.write_text(_thinned(about, gone), encoding="utf-8")
    return len(gone) + sum(_thin(path, whose, really=really) for path in packed)


def _thin(path: Path, whose: Whose, *, really: bool) -> int:
    """Write a zip anew without a student's files; how many those are. One that cannot be opened is left."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            table = next((name for name in names if name.endswith(GRADESCOPE)), "")
            about = archive.read(table).decode("utf-8", "replace") if table else ""
            gone = whose.files(names, about)
            if gone and really:
                part = path.with_name(f".{path.name}.part")
                with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as made:
                    for one in archive.infolist():
                        name = one.filename
                        if name in gone or (name.endswith("/") and any(file.startswith(name) for file in gone)):
                            continue
                        made.writestr(one, _thinned(about, gone) if name == table else archive.read(one))
                os.replace(part, path)
            return len(gone)
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError):
        return 0


def _thinned(about: str, gone: Iterable[str]) -> str:
    """Gradescope's table of submissions without those whose files are gone."""
    folders_gone = {part for name in gone for part in name.split("/")[:-1]}
    kept, dropping = [], False
    for line in about.splitlines(keepends=True):
        if line[:1] not in (" ", "-", "\n"):
            dropping = line.partition(":")[0].strip("\"'") in folders_gone
        if not dropping:
            kept.append(line)
    return "".join(kept)


def named_in(root: Path, names: Iterable[str]) -> list[str]:
    """The files in the course's folder that a person has made, or that arrived there, and that still have such a name.

    Looked through is what lies right in the folder, in collected/ and in what was handed in, names of files included.
    """
    words = sorted({re.escape(name) for name in names if name.strip()}, key=len, reverse=True)
    if not words:
        return []
    found = re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", re.IGNORECASE)

    def said(data: bytes) -> bool:
        return found.search(data.decode("utf-8", "replace")) is not None

    named = []
    for path in _looked_at(root):
        name = path.relative_to(root).as_posix()
        if found.search(name) or said(name.encode("utf-8", "surrogateescape")) or _holds(path, said):
            named.append(name)
    return named


def _looked_at(root: Path) -> Iterator[Path]:
    tables = ("gradebook.db", "gradebook.db-wal", "gradebook.db-shm", "nbgrader_config.py")
    for path in sorted(root.iterdir()):
        if path.is_file() and not path.is_symlink() and path.name not in tables:
            yield path
    for name in (COLLECTED, *FROM_STUDENTS, "numbers", ORAL):
        yield from (path for path in sorted((root / name).rglob("*")) if path.is_file() and not path.is_symlink())


def _holds(path: Path, said: Callable[[bytes], bool]) -> bool:
    try:
        if path.stat().st_size > MAX_LOOKED_AT:
            return False
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return any(
                    said(one.filename.encode("utf-8", "replace"))
                    or (one.file_size < MAX_LOOKED_AT and said(archive.read(one)))
                    for one in archive.infolist()
                )
        return said(path.read_bytes())
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError):
        return False
