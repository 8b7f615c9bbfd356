"""The table of a class: who there is, under which names the platforms know them. One reader for every command."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autograder.course import CourseError

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "student id", "student_id", "folder"),
    "email": ("email", "email address", "e-mail", "e-mail address", "e-mail-adresse", "mail", "adresse de courriel"),
    "name": ("name", "full name", "student", "student name", "vollständiger name"),
    "first": ("first name", "firstname", "first_name", "given name", "vorname"),
    "last": ("last name", "lastname", "last_name", "surname", "family name", "nachname"),
    "login": ("username", "sis login id", "login", "login id", "anmeldename", "user name", "github_username"),
    "number": ("id number", "sid", "sis user id", "student number", "matrikelnummer", "idnumber"),
    "platform": ("lms_user_id", "canvas id", "participant", "identifier"),
}
"""What every field is called by nbgrader, Moodle, Canvas, Gradescope and people."""


EXTENSIONS = "extensions.csv"
"""Table in a course's folder of who has more time."""


class BadTable(CourseError):
    """A table cannot be read. The message says why and what to do."""


@dataclass(frozen=True)
class Person:
    """A student: ``id`` is the name of the folder; the rest is what a platform may call them."""

    id: str
    email: str = ""
    name: str = ""
    sortable: str = ""
    names: frozenset[str] = field(default=frozenset())
    """Every other id, folded: logins, numbers, the platform's own."""


def decoded(data: bytes, name: str) -> tuple[str, str]:
    """The text of a file and how it was read where that is not UTF-8. Raises BadTable.

    >>> decoded("Zoë".encode("cp1252"), "c.csv")
    ('Zoë', 'c.csv is not UTF-8; it was read as Windows-1252, as Excel saves: look at names with accents.')
    """
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16"), f"{name} was read as UTF-16, as its mark says."
        return data.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        pass
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        raise BadTable(f"{name} is in an encoding that is not known: save it as CSV UTF-8.") from None
    if any(unicodedata.category(char) == "Cc" and char not in "\r\n\t" for char in text):
        raise BadTable(f"{name} is no text: save it as CSV UTF-8.")
    return text, f"{name} is not UTF-8; it was read as Windows-1252, as Excel saves: look at names with accents."


def read_file(path: Path) -> tuple[str, str]:
    """The text of a file, and a note. Raises BadTable."""
    try:
        return decoded(path.read_bytes(), path.name)
    except OSError as error:
        raise BadTable(f"{path} cannot be read: {error}") from None


def delimiter_of(text: str) -> str:
    """What stands between the cells of a table: commas, semicolons or tabs, whichever its first row has most of."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(",;\t", key=first.count)


def rows_of(text: str) -> list[dict[str, str]]:
    """The rows of a table with commas, semicolons or tabs, by their folded headers; composed as NFC."""
    text = unicodedata.normalize("NFC", text)
    lines = csv.reader(text.splitlines(), delimiter=delimiter_of(text))
    rows = [row for row in lines if any(cell.strip() for cell in row)]
    if not rows:
        return []
    header = [cell.strip().strip("\ufeff").casefold() for cell in rows[0]]
    return [dict(zip(header, (cell.strip() for cell in row), strict=False)) for row in rows[1:]]


def read_people(path: Path) -> tuple[list[Person], str]:
    """The people of a table, and a note on how it was read. Raises BadTable.

    It has nbgrader's columns, or those of an export of Moodle, Canvas or Gradescope. Where no column ``id`` is, the
    login counts, then the number, then the e-mail address; the note says which.
    """
    text, note = read_file(path)
    try:
        rows = rows_of(text)
    except csv.Error as error:
        raise BadTable(f"{path} cannot be read: {error}") from None
    if not rows:
        raise BadTable(f"{path} has no rows below its header.")
    there = {name: next((one for one in titles if one in rows[0]), "") for name, titles in COLUMNS.items()}
    canvas = "student" in rows[0] and ("sis login id" in rows[0] or "id" in rows[0])
    if canvas:
        there |= {"id": "", "platform": "id"}
    key = next((there[name] for name in ("id", "login", "number", "email") if there[name]), "")
    if not key:
        raise BadTable(f"{path} needs a first row that names the columns id and email, or a platform's own.")
    found = []
    for row in rows:
        values = {name: row.get(title, "") if title else "" for name, title in there.items()}
        if canvas and values["name"].casefold() in ("points possible", "student, test", ""):
            continue
        if row.get(key):
            found.append(_person(row[key], values, given=not canvas))
    for one in found:
        if one.id.startswith(".") or set(one.id) & set("/\\\0"):
            raise BadTable(f"{path}: {one.id!r} cannot be a student's id, since a folder is named after it.")
    if not found:
        raise BadTable(f"{path} names no student.")
    several = sorted({one.id for one in found if [other.id for other in found].count(one.id) > 1})
    if several:
        raise BadTable(f"{path} has {several[0]} twice: leave one row for everyone.")
    told = "" if key == "id" else f"{path.name} has no column id: students' folders are named by {key!r}."
    return found, " ".join(one for one in (note, told) if one)


def _person(key: str, values: Mapping[str, str], *, given: bool) -> Person:
    name, sortable = values["name"], ""
    if values["first"] or values["last"]:
        name = f"{values['first']} {values['last']}".strip()
        sortable = f"{values['last']}, {values['first']}".strip(", ")
    elif "," in name:
        last, _, first = name.partition(",")
        name, sortable = f"{first.strip()} {last.strip()}", name
    others = (key, values["email"], values["login"], values["number"], values["platform"])
    return Person(key, values["email"], name, sortable, frozenset(folded(one) for one in others if one))


def folded(text: str) -> str:
    """A name as it is compared: composed, without case and without doubled spaces.

    >>> folded("Zoe\u0308  LI") == folded("Zoë Li")
    True
    """
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def by_email(people: Iterable[Person]) -> dict[str, str]:
    """E-mail addresses by student."""
    return {one.id: one.email for one in people if one.email}


def called(people: Sequence[Person], name: str) -> list[Person]:
    """Who of a class may be called so, whole names only: everyone of several, so that nobody is guessed."""
    wanted = folded(name)
    swapped = folded(" ".join(reversed([part.strip() for part in name.split(",", 1)]))) if "," in name else wanted
    exact = [one for one in people if wanted in one.names or wanted == folded(one.id)]
    return exact or [one for one in people if {folded(one.name), folded(one.sortable)} & {wanted, swapped} - {""}]
