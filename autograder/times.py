"""Times as people and platforms write them, read strictly: what could mean two things is refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil import parser

ZONES = {
    "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 60, "CET": 60, "CEST": 120, "EET": 120, "EEST": 180, "MSK": 180,
    "EST": -300, "EDT": -240, "CDT": -300, "MST": -420, "MDT": -360, "PDT": -420, "AKDT": -480, "HST": -600,
    "JST": 540, "KST": 540, "AEST": 600, "AEDT": 660, "NZST": 720, "NZDT": 780,
}  # fmt: skip
"""Short names of zones that mean one thing, in minutes before or after UTC. IST, BST, CST, PST and AST are several."""

MONTHS = re.compile(r"\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b", re.IGNORECASE)
WEEKDAY = re.compile(r"^(mon|tues?|wed(nes)?|thu(rs)?|fri|sat(ur)?|sun)(day)?,?\s+", re.IGNORECASE)
_TIME = re.compile(
    r"^(?P<date>\d{4}-\d{2}-\d{2})"
    r"(?:(?:[T ]|,\s*|\s+at\s+)\s*(?P<hour>\d{1,2})[:.](?P<minute>\d{2})"
    r"(?:[:.](?P<second>\d{2})(?:[.,](?P<part>\d{1,9}))?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?(?![A-Za-z]))?)?"
    r"\s*(?P<zone>[A-Za-z][\w/+-]*|[+-]\d{1,2}(?::?\d{2})?)?$"
)
WRITE = "write it as 2026-11-01 23:59 +01:00, with the zone that you mean"


class BadTime(ValueError):
    """A text that is no time, or could be several. The message says why and how to write it."""


def read(text: str, zone: tzinfo = UTC) -> datetime:
    """The time in a text; one without a zone is taken in ``zone``, which :func:`shown` then says. Raises BadTime.

    >>> shown(read("2026-11-01 11:59 PM")), shown(read("2026-11-01 23:59:00 +0530"))
    ('2026-11-01 23:59 UTC', '2026-11-01 23:59 UTC+05:30')
    """
    given = " ".join(text.split())
    try:
        found = _TIME.match(_with_numbers(given))
    except (ValueError, OverflowError):
        found = None
    if found is None:
        why = "it could be read in two ways" if re.match(r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}", given) else "it is no time"
        raise BadTime(f"{given[:60]!r} is not taken for a time, since {why}: {WRITE}.")
    hour, half = int(found["hour"] or 0), (found["half"] or "").lower().replace(".", "")
    if half:
        if not 1 <= hour <= 12:
            raise BadTime(f"{given[:60]!r} has an hour that does not go with {found['half']}: {WRITE}.")
        hour = hour % 12 + (12 if half == "pm" else 0)
    try:
        day = datetime.fromisoformat(found["date"])
        part = int((found["part"] or "0")[:6].ljust(6, "0"))
        minute, second = int(found["minute"] or 0), int(found["second"] or 0)
        local = day.replace(hour=hour, minute=minute, second=second, microsecond=part)
        time = local.replace(tzinfo=_zone(found["zone"], given) if found["zone"] else zone)
        time.astimezone(UTC)
    except (ValueError, OverflowError) as problem:
        raise problem if isinstance(problem, BadTime) else BadTime(f"{given[:60]!r} is no time: {WRITE}.") from None
    if time.astimezone(UTC).astimezone(time.tzinfo).replace(tzinfo=None) != local:
        raise BadTime(f"{given[:60]!r} does not exist: clocks are put forward in that night. Write another hour.")
    return time


def _with_numbers(text: str) -> str:
    """A date with the name of its month as one with numbers; the rest stays as it is."""
    text = WEEKDAY.sub("", text)
    if not MONTHS.search(text):
        return text
    date, rest = text, ""
    if clock := re.search(r",?\s*(\bat\s+)?\d{1,2}[:.]\d{2}", text):
        date, rest = text[: clock.start()], text[clock.start() :].lstrip(", ")
        rest = re.sub(r"^at\s+", "", rest)
    if not re.search(r"\d{4}", date) or not re.fullmatch(r"[\w ,.-]+", date):
        return text
    day = parser.parse(date, default=datetime(1, 1, 1))
    return f"{day:%Y-%m-%d} {rest}".strip()


def _zone(name: str, given: str) -> tzinfo:
    if name[0] in "+-":
        digits = name[1:].replace(":", "")
        hours, minutes = int(digits[:2]), int(digits[2:] or 0)
        if hours > 14 or minutes > 59:
            raise BadTime(f"{given[:60]!r} has a zone that does not exist: {WRITE}.")
        return timezone((-1 if name[0] == "-" else 1) * timedelta(hours=hours, minutes=minutes))
    if offset := re.fullmatch(r"(?:UTC|GMT)([+-]\d{1,2}(?::?\d{2})?)", name.upper()):
        return _zone(offset[1], given)
    if name.upper() in ZONES:
        return UTC if ZONES[name.upper()] == 0 else timezone(timedelta(minutes=ZONES[name.upper()]), name.upper())
    try:
        if "/" in name:
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise BadTime(f"{given[:60]!r} has a zone ({name}) that means several things or nothing: {WRITE}.")


def shown(time: datetime) -> str:
    """A time with its zone, for people."""
    return f"{time:%Y-%m-%d %H:%M} {time.tzname() or 'UTC'}"


def utc(text: str) -> datetime:
    """The same in UTC and without a zone, as nbgrader keeps times. Raises BadTime."""
    return read(text).astimezone(UTC).replace(tzinfo=None)
