"""The journal: what came back of every notebook that was run, kept by its content, so that nothing is run twice.

One SQLite file in write-ahead mode. It outlives a kill at any moment: an entry is there as a whole or not at all.
Answers are kept as plain data; no code is stored and none is loaded.
"""

from __future__ import annotations

import hashlib
import json
import platform
import sqlite3
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache, lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from autograder.grading.grade import Ran
from autograder.grading.packing import MAX_ENTRY, pack, plain_answers, unpack
from autograder.marking import Marks, QuestionMark, from_json, questions_from_json, to_json
from autograder.sandbox import Ask, Job
from autograder.sandbox.inside import codec

FOLDER, NAME = ".autograder", "journal.db"
FORMAT = 1
"""Of the entries. Another number makes every key another one."""

LIBRARIES = ("numpy", "scipy", "scikit-learn", "matplotlib", "ipython", "sympy")
BUSY_SECONDS = 10.0

NEW, MARKED, COMPLETE = "new", "marked", "complete"
"""How far a submission is: seen; its marks are in the gradebook; its feedback too."""

TABLES = """
create table if not exists settings (name text primary key, value text not null);
create table if not exists runs (
    key text primary key, exercise text not null, asked text not null, whole integer not null, digest text not null,
    data blob not null
) without rowid;
create table if not exists submissions (
    student text not null, sheet text not null, exercise text not null,
    stamp text not null, run text not null, seed integer not null, state text not null, marks blob not null,
    primary key (student, sheet, exercise)
) without rowid;
"""


class JournalProblem(Exception):
    """The journal cannot be read or written. The message says why and what to do."""


@dataclass(frozen=True)
class Entry:
    """What the journal knows of a submission.

    ``stamp`` names all that its marks depend on, ``run`` the answers they were given for; ``marks`` is their record.
    """

    student: str
    sheet: str
    exercise: str
    stamp: str
    run: str
    seed: int
    state: str
    marks: bytes

    @property
    def read_marks(self) -> Marks:
        """The record of marks. Raises JournalProblem when it is damaged."""
        try:
            about, _, questions = zlib.decompress(self.marks).decode().partition("\n")
            marks = from_json(json.loads(about))
            return replace(marks, questions=_questions(questions)) if questions else marks
        except (zlib.error, AttributeError, ValueError, KeyError, TypeError) as error:
            raise JournalProblem(f"the journal's marks of {self.student} are damaged ({error}).") from None


def packed(marks: Marks) -> bytes:
    """A record of marks as the journal keeps it: its questions, which are many students', on a line of their own."""
    about = to_json(marks)
    questions, about["questions"] = about["questions"], []
    return zlib.compress(f"{json.dumps(about)}\n{json.dumps(questions)}".encode(), 1)


@lru_cache(maxsize=256)
def _questions(text: str) -> tuple[QuestionMark, ...]:
    return questions_from_json(json.loads(text))


@dataclass(frozen=True)
class Stored:
    """The answers of one run. ``asked`` names the questions that they answer, ``digest`` the answers themselves."""

    ran: Ran
    asked: str
    digest: str


class Journal:
    """One open journal. A context manager; for one thread."""

    def __init__(self, root: Path) -> None:
        """Open the journal of a course, or make it. Raises JournalProblem."""
        self.root, self.path = root, root / FOLDER / NAME
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = normal")  # a kill loses nothing; a power cut perhaps the last ones
            self._db.executescript(TABLES)
        except (OSError, sqlite3.Error) as error:
            raise _problem(error, self.path) from None

    def __enter__(self) -> Journal:
        """Return the journal itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._db.close()

    def seed(self, fresh: int, *, replace: bool = False) -> int:
        """The seed of this course's challenges: ``fresh`` when there was none or it is to be replaced.

        The same seed for every run is what lets answers be used again. Raises JournalProblem.
        """
        how = "replace" if replace else "ignore"
        self._write(f"insert or {how} into settings values ('seed', ?)", (str(fresh),))
        return int(self._read("select value from settings where name = 'seed'")[0][0])

    def keep(self, key: str, exercise: str, asked: str, ran: Ran) -> Stored:
        """Keep what came back of a run. Raises JournalProblem; then nothing was kept."""
        digest = hashlib.sha256(codec.encode([asked, plain_answers(ran.outcome)], max_bytes=MAX_ENTRY)).hexdigest()
        data = ran.packed or pack(ran.outcome)
        self._write(
            "insert or replace into runs values (?, ?, ?, ?, ?, ?)", (key, exercise, asked, ran.whole, digest, data)
        )
        return Stored(ran, asked, digest)

    def stored(self, key: str) -> Stored | None:
        """What came back of the run with this key, None when it was never run. Raises JournalProblem."""
        rows = self._read("select asked, whole, digest, data from runs where key = ?", (key,))
        if not rows:
            return None
        asked, whole, digest, data = rows[0]
        try:
            outcome = unpack(data)
        except ValueError:
            return None  # damaged on disk: run it again
        return Stored(Ran(outcome, bool(whole)), asked, digest)

    def run_of(self, key: str) -> tuple[str, str] | None:
        """What was asked and the digest of the answers, without reading them. Raises JournalProblem."""
        rows = self._read("select asked, digest from runs where key = ?", (key,))
        return rows[0] if rows else None

    def entry(self, student: str, sheet: str, exercise: str) -> Entry | None:
        """What is known of a submission. Raises JournalProblem."""
        rows = self._read(
            "select * from submissions where student = ? and sheet = ? and exercise = ?", (student, sheet, exercise)
        )
        return Entry(*rows[0]) if rows else None

    def entries(self) -> Iterator[Entry]:
        """Every submission, one after the other. Raises JournalProblem."""
        after = ("", "", "")
        while True:  # in pages, so that nothing stays open while the caller writes
            rows = self._read(
                "select * from submissions where (student, sheet, exercise) > (?, ?, ?)"
                " order by student, sheet, exercise limit 200", after,
            )  # fmt: skip
            yield from (Entry(*row) for row in rows)
            if not rows:
                return
            after = rows[-1][:3]

    def note(self, *entries: Entry) -> None:
        """Write down how far submissions are, all or none. Raises JournalProblem."""
        rows = [(e.student, e.sheet, e.exercise, e.stamp, e.run, e.seed, e.state, e.marks) for e in entries]
        try:
            self._db.execute("begin immediate")
            self._db.executemany("insert or replace into submissions values (?, ?, ?, ?, ?, ?, ?, ?)", rows)
            self._db.execute("commit")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("rollback")
            raise _problem(error, self.path) from None

    def forget(self, student: str, *, really: bool) -> str:
        """Take a student out, with the runs that no other's submission refers to; says what that is.

        Some of these runs may be others' who have handed in again since: they are only run again when they are needed.
        Raises JournalProblem.
        """
        ((mine,),) = self._read("select count(*) from submissions where student = ?", (student,))
        if not mine:
            return ""
        unused = "from runs where key not in (select run from submissions where student != ?)"
        ((runs,),) = self._read(f"select count(*) {unused}", (student,))
        if really:
            for statement in (f"delete {unused}", "delete from submissions where student = ?"):
                self._write(statement, (student,))
            for statement in ("vacuum", "pragma wal_checkpoint(truncate)"):  # nothing stays in unused pages
                self._write(statement, ())
        return f"{mine} submissions, {runs} kept runs"

    def count(self) -> int:
        """How many runs are kept. Raises JournalProblem."""
        return int(self._read("select count(*) from runs")[0][0])

    def _write(self, statement: str, values: tuple[Any, ...]) -> None:
        try:
            self._db.execute(statement, values)
        except sqlite3.Error as error:
            raise _problem(error, self.path) from None

    def _read(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise _problem(error, self.path) from None


def _problem(error: Exception, path: Path) -> JournalProblem:
    text = str(error)
    if any(words in text for words in ("disk is full", "No space left", "Disk quota", "disk I/O error")):
        remedy = "free some space and run the same command again"  # SQLite's "I/O error" is most often a full disk
    elif "locked" in text:
        remedy = "another grading run may be using it: wait for its end and run the same command again"
    elif "not a database" in text or "malformed" in text:
        remedy = "it is damaged: move it away and run the same command again, everything is then run once more"
    else:
        remedy = "see that the folder can be written"
    return JournalProblem(f"the journal {FOLDER}/{path.name} cannot be used ({text}): {remedy}.")


# Keys ---------------------------------------------------------------------------------------------------------------


def key_of(job: Job, level: str) -> str:
    """The name of a run: a hash of the code cells, the questions with their inputs, the files, the seed and what runs
    them. Cell ids are no part of it: they change when a text cell is put in.

    What ran without walls is never taken for what ran behind them.
    """
    told = hashlib.sha256()
    for part in (
        f"{FORMAT} {'unprotected' if level == 'none' else 'isolated'}", environment(), repr(asdict(job.limits)),
        str(job.seed), asked(job.asks), repr(sorted(job.places.items())), *(cell.source for cell in job.cells), "files",
        *(f"{name} {hashlib.sha256(data).hexdigest()}" for name, data in sorted(job.files.items())),
    ):  # fmt: skip
        data = part.encode("utf-8", "surrogatepass")
        told.update(len(data).to_bytes(8, "big") + data)
    return told.hexdigest()


def asked(asks: tuple[Ask, ...]) -> str:
    """The name of a set of questions with their inputs."""
    parts = [[ask.id, ask.probe, [dict(challenge) for challenge in ask.challenges]] for ask in asks]
    return hashlib.sha256(codec.encode(parts, max_bytes=MAX_ENTRY)).hexdigest()


@cache
def environment() -> str:
    """The interpreter and the libraries that notebooks use: other versions may give other numbers."""
    found = [f"python {platform.python_version()} {platform.machine()}"]
    for name in LIBRARIES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return ", ".join(found)
