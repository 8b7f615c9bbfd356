"""What platforms call the files that they give: whose a file is, when it came, and how to give something back.

Moodle: mod/assign/classes/downloader.php, `get_student_prefix`, `load_submissionplugin_filelist` (commit da545523), and
mod/assign/feedback/file/importziplib.php, `is_valid_filename_for_import` (commit 0203d8f2).
Canvas: lib/content_zipper.rb, `get_filename` and `add_upload_submission` (commit 05e9653c).
nbgrader: nbgrader/exchange/default/submit.py, `inbound` (0.9.6). Gradescope and Blackboard do not publish theirs; these
are as their exports look.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

import yaml

from autograder.records.people import Person, called, folded
from autograder.times import BadTime, read

MOODLE = re.compile(
    r"^(?P<prefix>(?P<name>[^_]+)_(?P<number>\d+))_assignsubmission_(?P<kind>file|onlinetext)(?:_(?P<rest>.*))?$"
)
CANVAS = re.compile(
    r"^(?P<prefix>(?P<name>\w+?)(?P<late>_LATE)?_(?P<number>\d+)_(?P<file>\d+))_(?P<rest>.+)$",
)
CANVAS_TEXT = re.compile(r"^(?P<prefix>(?P<name>[^\W_]+)(?P<late>_LATE)?_(?P<number>\d+))_(?P<rest>(text|link)\.html)$")
BLACKBOARD = re.compile(
    r"^(?P<prefix>.*_(?P<name>[^_]+)_attempt_(?P<at>\d{4}(?:-\d{2}){5}))(?:_(?P<rest>.+)|(?P<receipt>\.txt))$"
)
INBOUND = re.compile(r"^(?P<name>[^+]+)\+(?P<sheet>[^+]+)\+(?P<at>[^+]+)(?:\+[^+]*)?$")
GRADESCOPE = "submission_metadata.yml"


@dataclass(frozen=True)
class Origin:
    """Where a file of an archive comes from. ``who`` is as the platform says, ``prefix`` what it wants to see again."""

    platform: str
    who: tuple[str, ...]
    rest: str
    prefix: str = ""
    at: datetime | None = None
    late: bool = False
    attempt: int = 0
    problem: str = ""


def gradescope_metadata(text: str) -> Mapping[str, Any]:
    """What Gradescope says of every folder of its export; nothing where it is not as expected."""
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    return (
        {str(key): value for key, value in found.items() if isinstance(value, dict)} if isinstance(found, dict) else {}
    )


def origin(path: str, metadata: Mapping[str, Any], zone: tzinfo | None) -> Origin:
    """Where a file comes from, by its path in the archive."""
    parts = path.split("/")
    for at, part in enumerate(parts):
        below = "/".join(parts[at + 1 :])
        if part in metadata:
            return _gradescope(metadata[part], below, part)
        if found := MOODLE.match(part):
            rest = "/".join(one for one in (found["rest"], below) if one)
            return Origin("moodle", (found["name"], found["number"]), rest or part, found["prefix"])
        if found := INBOUND.match(part):
            return Origin("nbgrader", (found["name"],), below, part, *_time(found["at"], None))
        if found := BLACKBOARD.match(part):
            time, problem = _blackboard_time(found["at"], zone)
            rest = found["rest"] or "receipt.html"
            return Origin("blackboard", (found["name"],), "/".join([rest, *parts[at + 1 :]]), found["prefix"], time,
                          problem=problem)  # fmt: skip
        if found := CANVAS_TEXT.match(part) or CANVAS.match(part):
            rest = "/".join([found["rest"], *parts[at + 1 :]])
            number = re.search(r"-(\d{1,2})(?:\.\w+)*$", found["rest"])
            return Origin(
                "canvas", (found["number"], found["name"]), rest, found["prefix"], late=bool(found["late"]),
                attempt=int(number[1]) if number else 0,
            )  # fmt: skip
    return Origin("folder", tuple(parts[:-1]), "/".join(parts[1:]) or path, parts[0] if len(parts) > 1 else "")


def _gradescope(about: Mapping[str, Any], rest: str, prefix: str) -> Origin:
    submitters = about.get(":submitters") or []
    who = tuple(
        str(one.get(":email") or one.get(":sid") or one.get(":name")) for one in submitters if isinstance(one, dict)
    )
    said = about.get(":created_at")
    time = said if isinstance(said, datetime) and said.tzinfo else None
    if time is None and said is not None:
        time, _ = _time(str(said), None)
    return Origin("gradescope", who, rest, prefix, time)


def _time(text: str, zone: tzinfo | None) -> tuple[datetime | None, bool]:
    try:
        return (read(text) if zone is None else read(text, zone)), False
    except BadTime:
        return None, False


def _blackboard_time(text: str, zone: tzinfo | None) -> tuple[datetime | None, str]:
    if zone is None:
        return None, "its time has no zone: give --zone, as Europe/Berlin"
    year, month, day, *clock = text.split("-")
    return _time(f"{year}-{month}-{day} {':'.join(clock)}", zone)[0], ""


def persons(source: Origin, people: Sequence[Person]) -> tuple[list[Person], str]:
    """Who handed a file in, and why nobody is certain; one of the two is empty."""
    if source.platform == "gradescope":
        found = [called(people, one) for one in source.who]
        if found and all(len(one) == 1 for one in found):
            return [one[0] for one in found], ""
        return [], f"Gradescope says {', '.join(source.who) or 'nobody'}, which is not one row of the table"
    if source.platform == "canvas":
        number, name = source.who
        exact = [one for one in people if number in one.names]
        several = exact or [
            one for one in people if squashed(name) in {squashed(one.sortable), squashed(one.name)} - {""}
        ]
        return _one(several, f"{name} ({number})")
    if source.platform == "moodle":
        name, number = source.who  # its grading worksheet has the number, as "Participant 123456"
        exact = [one for one in people if any(known.endswith(f" {number}") for known in one.names)]
        return _one(exact or called(people, name), f"{name} ({number})")
    if source.platform == "folder":
        for folder in source.who:
            if several := called(people, folder) or _clone(people, folder):
                return _one(several, folder)
        return [], "no folder around it has the name of a student" if source.who else "it lies in no folder"
    return _one(called(people, source.who[0]), source.who[0])


def _one(found: Sequence[Person], name: str) -> tuple[list[Person], str]:
    if len(found) == 1:
        return list(found), ""
    if not found:
        return [], f"nobody in the table is called {name}"
    return [], f"{len(found)} in the table may be {name}: {', '.join(one.id for one in found)}"


def _clone(people: Sequence[Person], folder: str) -> list[Person]:
    """Whose a clone is: GitHub Classroom and Classroom 50 call it after the assignment and the login."""
    name = folded(folder)
    ends = [(len(login), one) for one in people for login in one.names if name.endswith(f"-{login}")]
    longest = max((size for size, _ in ends), default=0)
    return list({one.id: one for size, one in ends if size == longest}.values())


def squashed(text: str) -> str:
    """A name as Canvas writes it into a file's: lower case, letters and digits only.

    >>> squashed("O'Neil, Robert")
    'oneilrobert'
    """
    return re.sub(r"[\W_]", "", folded(text))
