"""When work was handed in, sheet by sheet. How long somebody worked cannot be told from a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

DAY = timedelta(days=1)


@dataclass(frozen=True)
class HandIn:
    """One sheet of one student: when it was handed in and when it was due, in UTC; None where nobody noted it."""

    student: str
    sheet: str
    at: datetime | None
    due: datetime | None


@dataclass(frozen=True)
class SheetTimes:
    """One sheet over a class.

    ``unknown`` counts hand-ins without a time. ``late`` and ``last_day`` count those after the deadline and in the 24
    hours before it; ``ahead`` is the median time before the deadline, negative when most were late. Without a deadline
    these three are None.
    """

    sheet: str
    due: datetime | None
    handed_in: int
    unknown: int
    late: int | None
    last_day: int | None
    ahead: timedelta | None


def sheet_times(hand_ins: Sequence[HandIn]) -> list[SheetTimes]:
    """One summary per sheet, in the order in which the sheets come."""
    found = []
    for sheet in dict.fromkeys(one.sheet for one in hand_ins):
        mine = [one for one in hand_ins if one.sheet == sheet]
        known = [(one.at, one.due) for one in mine if one.at is not None]
        due = mine[0].due
        ahead = sorted(due - at for at, due in known if due is not None)
        late = last_day = middle = None
        if ahead:
            late = sum(time < timedelta() for time in ahead)
            last_day = sum(timedelta() <= time <= DAY for time in ahead)
            middle = (ahead[(len(ahead) - 1) // 2] + ahead[len(ahead) // 2]) / 2
        found.append(SheetTimes(sheet, due, len(mine), len(mine) - len(known), late, last_day, middle))
    return found


def in_words(time: timedelta) -> str:
    """A time before a deadline for people, in the largest unit that fits.

    >>> in_words(timedelta(hours=30)), in_words(timedelta(minutes=-90)), in_words(timedelta(seconds=40))
    ('1.2 days before', '1.5 hours after', '1 minute before')
    """
    side = "before" if time >= timedelta() else "after"
    size = abs(time)
    units = ((size / DAY, "day"), (size / timedelta(hours=1), "hour"))
    minutes = (max(1, round(size / timedelta(minutes=1))), "minute")
    count, unit = next((one for one in units if one[0] >= 1), minutes)
    shown = f"{count:.1f}".removesuffix(".0")
    return f"{shown} {unit}{'' if shown == '1' else 's'} {side}"
