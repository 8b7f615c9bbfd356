"""The times of handing in: counted against the deadline, and never guessed."""

import doctest
from datetime import datetime, timedelta

from page_kit import Page, marks

from autograder.views import hand_ins as times
from autograder.views.hand_ins import HandIn, sheet_times
from autograder.views.report import class_report

DUE = datetime(2026, 11, 1, 23, 59)


def class_of(*hours, due=DUE):
    """Students who handed in so many hours before the deadline; None where nobody noted it."""
    return [
        HandIn(f"student{number}", "training", None if ahead is None else DUE - timedelta(hours=ahead), due)
        for number, ahead in enumerate(hours)
    ]


def test_late_and_last_minute_work_is_counted():
    (found,) = sheet_times(class_of(50, 30, 24, 1, -2))
    assert (found.handed_in, found.unknown, found.last_day, found.late) == (5, 0, 2, 1)
    assert found.ahead == timedelta(hours=24)


def test_exactly_at_the_deadline_is_not_late():
    (found,) = sheet_times(class_of(0))
    assert (found.late, found.last_day) == (0, 1)


def test_what_nobody_noted_is_said_and_not_guessed():
    (found,) = sheet_times(class_of(None, 3))
    assert (found.handed_in, found.unknown, found.last_day) == (2, 1, 1)
    (without,) = sheet_times(class_of(3, 4, due=None))
    assert (without.late, without.last_day, without.ahead) == (None, None, None)


def test_sheets_keep_their_order():
    hand_ins = [HandIn("a", "by_hand", None, None), HandIn("a", "training", None, None)]
    assert [one.sheet for one in sheet_times(hand_ins)] == ["by_hand", "training"]


def test_the_report_shows_them_without_names():
    words = Page(class_report([marks()], names=False, hand_ins=class_of(50, 1, -2))).words
    assert "When it was handed in" in words
    assert "training 2026-11-01 23:59 3 1 1 1 hour before" in words
    assert "student0" not in words
    assert "When it was handed in" not in Page(class_report([marks()])).words


def test_times_in_words():
    assert doctest.testmod(times).failed == 0
