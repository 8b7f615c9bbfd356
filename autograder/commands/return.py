"""``autograder return``: feedback pages back to where the work came from; only what has changed since the last time."""

from __future__ import annotations

import argparse
import hashlib
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from autograder.console import complain, say
from autograder.course import CourseError, find_root
from autograder.exercise import SHEETS
from autograder.records.people import by_email, read_people
from autograder.records.returned import RETURNED, collected, returned, write
from autograder.views.words import counted

ZIPS = ("moodle", "canvas", "gradescope")


@dataclass(frozen=True)
class Page:
    """A feedback page of a student."""

    student: str
    sheet: str
    exercise: str
    data: bytes

    @property
    def digest(self) -> str:
        """Tells whether it has changed."""
        return hashlib.sha256(self.data).hexdigest()[:16]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``autograder return``."""
    parser.add_argument("sheet", metavar="SHEET", help=f"a sheet of the course: one of {', '.join(SHEETS)}")
    ways = parser.add_mutually_exclusive_group(required=True)
    ways.add_argument("--moodle", type=Path, metavar="FILE", help="a zip for Moodle's 'Upload multiple feedback files'")
    ways.add_argument("--canvas", type=Path, metavar="FILE", help="a zip for Canvas's 'Upload Submissions'")
    ways.add_argument("--gradescope", type=Path, metavar="FILE", help="a zip with a folder for each submission")
    ways.add_argument("--folders", type=Path, metavar="FOLDER", help="one folder per student")
    ways.add_argument("--mail", type=Path, metavar="FOLDER", help="one .eml per student, for your own mail program")
    parser.add_argument("--people", type=Path, metavar="FILE", help="for --mail: the class with e-mail addresses")
    parser.add_argument("--sender", default="", metavar="ADDRESS", help="for --mail: who the messages are from")
    parser.add_argument("--all", action="store_true", help="also what has not changed since the last return")
    parser.add_argument("--root", type=Path, help="the course's folder; found from here by default")


def run(args: argparse.Namespace) -> int:
    """Write what goes back. Returns 0, 1 when somebody's page cannot go back, 2 on bad use."""
    errors = Console(stderr=True)
    try:
        root = find_root(args.root)
        if args.sheet not in SHEETS:
            raise CourseError(f"there is no sheet {args.sheet!r}; the sheets are {', '.join(SHEETS)}.")
        way, place = next((name, path) for name in (*ZIPS, "folders", "mail") if (path := getattr(args, name)))
        pages = list(pages_of(root, args.sheet))
        if not pages:
            raise CourseError(f"there are no pages of {args.sheet} in feedback/: make them with `autograder feedback`.")
        before = returned(root).get(way, {})
        changed = [page for page in pages if args.all or _last(before, page).get("digest") != page.digest]
        names = collected(root)
        emails = by_email(read_people(args.people)[0]) if args.people else {}
        files, left_out = _files(way, changed, names, emails, args.sender)
        if files:
            _write(way, place, files)
            _note(root, way, [page for page in changed if page.student not in left_out])
    except (CourseError, OSError) as problem:
        complain("return", problem)
        return 2
    same = len(pages) - len(changed)
    went = len({page.student for page in changed} - set(left_out))
    said = f"{place}: pages for {counted(went, 'student')}" if files else "nothing has changed since the last return"
    say(f"{said}; {same} pages as they were returned before.")
    for student, why in left_out.items():
        say(f"left out: {student}: {why}", to=errors)
    return 1 if left_out else 0


def pages_of(root: Path, sheet: str) -> Iterator[Page]:
    """The feedback pages of a sheet."""
    for path in sorted((root / "feedback").glob(f"*/{sheet}/*.html")):
        if path.is_file() and not path.is_symlink():
            yield Page(path.parts[-3], sheet, path.stem, path.read_bytes())


def _last(before: dict[str, Any], page: Page) -> dict[str, Any]:
    found = before.get(page.student, {}).get(page.sheet, {}).get(page.exercise, {})
    return found if isinstance(found, dict) else {}


def _files(
    way: str, pages: Sequence[Page], names: dict[str, Any], emails: dict[str, str], sender: str
) -> tuple[dict[str, bytes], dict[str, str]]:
    """What is to be written, by name, and who is left out and why."""
    files: dict[str, bytes] = {}
    left_out: dict[str, str] = {}
    for student in dict.fromkeys(page.student for page in pages):
        mine = [page for page in pages if page.student == student]
        if way == "mail":
            if address := emails.get(student, student if "@" in student else ""):
                files[f"{student}.eml"] = _message(address, sender, mine)
            else:
                left_out[student] = "no e-mail address is known: give --people."
            continue
        for page in mine:
            known = names.get(student, {}).get(page.sheet, {})
            own: dict[str, Any] = known.get(page.exercise) or next(iter(known.values()), {})
            if way != "folders" and own.get("platform") != way:
                left_out[student] = f"this work was not collected from {way.capitalize()}, so it has no name there."
                continue
            files[_name(way, page, own.get("prefix", ""))] = page.data
    return files, left_out


def _name(way: str, page: Page, prefix: str) -> str:
    """What a platform has to find in a zip, to know whose it is; see :mod:`autograder.records.layouts`."""
    if way == "moodle":  # fullname_participant_plugintype_plugin, as its own zip has it
        return f"{prefix}_assignsubmission_file/{page.exercise}_feedback.html"
    if way == "canvas":  # ..._user_attachment_name
        return f"{prefix}_{page.exercise}-feedback.html"
    return f"{prefix if way == 'gradescope' else page.student}/{page.exercise}.html"


def _message(address: str, sender: str, pages: Sequence[Page]) -> bytes:
    message = EmailMessage()
    message["To"] = address
    if sender:
        message["From"] = sender
    message["Subject"] = f"Feedback: {SHEETS[pages[0].sheet]}"
    message["Date"] = format_datetime(datetime.now(UTC))
    message["X-Unsent"] = "1"  # mail programs open it as a draft
    message.set_content("Your feedback is attached: one page for each notebook. Save it and open it in a browser.\n")
    for page in pages:
        message.add_attachment(page.data, maintype="text", subtype="html", filename=f"{page.exercise}.html")
    return message.as_bytes()


def _write(way: str, place: Path, files: dict[str, bytes]) -> None:
    if way in ZIPS:
        with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        return
    for name, data in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _note(root: Path, way: str, pages: Sequence[Page]) -> None:
    all_ways = returned(root)
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    for page in pages:
        mine = all_ways.setdefault(way, {}).setdefault(page.student, {}).setdefault(page.sheet, {})
        mine[page.exercise] = {"digest": page.digest, "at": now}
    write(root / RETURNED, all_ways)
