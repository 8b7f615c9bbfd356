"""Regrade requests: one file beside the gradebook, and the codes by which a page names its question and its record.

A code has three parts: whose question it is, which record the page showed, and a seal. The first and the last are cut
from an HMAC with a key that stands in the file, so that nobody else can make one; nothing can be read from a code.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autograder.course import CourseError
from autograder.exercise import Written
from autograder.exercises import load
from autograder.marking import Marks, QuestionMark
from autograder.records.whole import write_whole
from autograder.views.requests import ASKS, Request

FILE = "requests.json"

_CODE = re.compile(r"(?<![0-9A-Z-])([0-9A-Z]{8})-([0-9A-Z]{4})-([0-9A-Z]{6})(?![0-9A-Z-])")
_ALPHABET = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "ABCDEFGHJKMNPQRSTVWXYZ0123456789")
"""From base 32 to letters and digits that are not taken for each other."""

_MISTAKEN = str.maketrans("OILU", "011V")


class BadCode(CourseError):
    """A text names no question of this course. The message says why."""


def key_of(root: Path) -> bytes:
    """The key of a course, made when there is none yet. Raises CourseError when the file is damaged."""
    path = root / FILE
    if not path.is_file():
        part = path.with_name(f".{FILE}.{secrets.token_hex(4)}")
        part.touch(mode=0o600)
        part.write_text(_text(secrets.token_hex(16), []), encoding="utf-8")
        with contextlib.suppress(FileExistsError):  # another program was first
            os.link(part, path)
        part.unlink()
    return bytes.fromhex(_read(root)["key"])


def read_requests(root: Path) -> list[Request]:
    """All requests, in the order of their numbers. Raises CourseError when the file is damaged."""
    if not (root / FILE).is_file():
        return []
    try:
        return [Request(**one) for one in _read(root)["requests"]]
    except TypeError as problem:
        raise _damaged(root / FILE, problem) from None


def keep(root: Path, request: Request) -> None:
    """Add a request, or put it in the place of the one with its number."""
    key = key_of(root).hex()
    found = {one.number: one for one in read_requests(root)} | {request.number: request}
    write_whole(root / FILE, _text(key, [found[number] for number in sorted(found)]))


def forget(root: Path, student: str, *, really: bool) -> int:
    """Take out the requests of a student; how many there were. Raises CourseError when the file is damaged."""
    found = read_requests(root)
    others = [one for one in found if one.student != student]
    if really and len(others) < len(found):
        write_whole(root / FILE, _text(key_of(root).hex(), others))
    return len(found) - len(others)


def find_request(root: Path, number: int) -> Request:
    """The request with this number. Raises CourseError."""
    found = next((one for one in read_requests(root) if one.number == number), None)
    if found is None:
        raise CourseError(f"there is no request {number}: `autograder requests list --all` shows them.")
    return found


def code_of(key: bytes, marks: Marks, question: str) -> str:
    """The code of one question on the page of a record."""
    whose = _whose(key, marks, question)
    record = _letters(hashlib.sha256(f"{marks.digest}/{marks.seed}".encode()).digest(), 4)
    return f"{whose}-{record}-{_seal(key, whose, record)}"


def code_in(text: str) -> str:
    """The one code in a text, as it is written on pages. Raises BadCode."""
    found = {"-".join(parts) for parts in _CODE.findall(text.upper())}
    known = {code.translate(_MISTAKEN) for code in found}
    if not known:
        raise BadCode("there is no code in this text: it stands under the question on the student's page.")
    if len(known) > 1:
        raise BadCode(f"there are {len(known)} codes in this text: add them one by one.")
    return known.pop()


def named(key: bytes, code: str, all_marks: Iterable[Marks]) -> tuple[Marks, str, bool]:
    """The record and the question that a code is of, and whether the record is another one by now. Raises BadCode."""
    whose, record, seal = code.split("-")
    if not hmac.compare_digest(seal, _seal(key, whose, record)):
        raise BadCode(f"{code} was not made by this course: it is mistyped, made up, or from another course's page.")
    for marks in all_marks:
        for part in parts_of(marks):
            if _whose(key, marks, part.id) == whose:
                return marks, part.id, code_of(key, marks, part.id) != code
    raise BadCode(f"{code} is of a notebook that is not in autograded/ any more.")


def parts_of(marks: Marks) -> Sequence[QuestionMark | Written]:
    """All that has points in a notebook: questions, and parts in words."""
    return [*marks.questions, *load(marks.exercise).written]


def words_of(mail: str) -> str:
    """What a student wrote, without the lines that were copied from the page."""
    _, copied, rest = mail.partition(ASKS)
    text = rest if copied else _CODE.sub("", mail)
    return text.strip()[:4000]


def _whose(key: bytes, marks: Marks, question: str) -> str:
    place = json.dumps([marks.student, marks.sheet, marks.exercise, question])
    return _letters(hmac.new(key, f"place{place}".encode("utf-8", "surrogatepass"), "sha256").digest(), 8)


def _seal(key: bytes, whose: str, record: str) -> str:
    return _letters(hmac.new(key, f"seal{whose}-{record}".encode(), "sha256").digest(), 6)


def _letters(digest: bytes, count: int) -> str:
    return base64.b32encode(digest).decode()[:count].translate(_ALPHABET)


def _text(key: str, requests: Sequence[Request]) -> str:
    return json.dumps({"key": key, "requests": [asdict(one) for one in requests]}, indent=1, ensure_ascii=False) + "\n"


def _read(root: Path) -> dict[str, Any]:
    path = root / FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        bytes.fromhex(found["key"])
        list(found["requests"])
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise _damaged(path, problem) from None
    return dict(found)


def _damaged(path: Path, problem: Exception) -> CourseError:
    return CourseError(f"{path} cannot be read ({problem!r}): put back its last version; its key is that of all codes.")
