"""Times are read as they are meant, or refused."""

from datetime import UTC, datetime

import pytest

from autograder.times import BadTime, read, utc

MEANT = {
    "2026-11-01 23:59": "2026-11-01 23:59",
    "2026-11-01 11:59 PM": "2026-11-01 23:59",
    "2026-11-01 12:30 am": "2026-11-01 00:30",
    "2026-11-01T23:59:58Z": "2026-11-01 23:59:58",
    "2026-11-01 23:59:58.123456 UTC": "2026-11-01 23:59:58",
    "2026-11-01 23:59 CEST": "2026-11-01 21:59",
    "2026-11-01 23:59 PDT": "2026-11-02 06:59",
    "2026-11-01 23:59 +05:30": "2026-11-01 18:29",
    "2026-11-01 23:59:00 +0530": "2026-11-01 18:29",
    "2026-11-01 23:59 UTC-5": "2026-11-02 04:59",
    "2026-11-01 23:59 Europe/Berlin": "2026-11-01 22:59",
    "Sunday, 1 November 2026, 11:59 PM": "2026-11-01 23:59",
    "Nov 1, 2026 at 11:59 pm": "2026-11-01 23:59",
    "2026-11-01": "2026-11-01 00:00",
}


@pytest.mark.parametrize("text", MEANT)
def test_a_time_is_read_as_it_is_meant(text):
    assert utc(text).replace(microsecond=0).isoformat(" ").removesuffix(":00") == MEANT[text]
    assert read(text).tzinfo is not None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("01.11.2026", "two ways"), ("11/01/2026 23:59", "two ways"), ("1.11.26 10:00", "two ways"),
        ("2026-11-01 23:59 IST", "several things"), ("2026-11-01 23:59 BST", "several"),
        ("2026-11-01 23:59 CST", "several"),
        ("2026-11-01 13:59 PM", "does not go"), ("2026-02-30", "no time"), ("2026-11-01 25:00", "no time"),
        ("2026-11-01 23:59 +19:00", "does not exist"), ("2026-03-29 02:30 Europe/Berlin", "does not exist"),
        ("2026-11-01 23:59 ../../etc/passwd", "no time"), ("2026-11-01 23:59 Nowhere/Land", "several"),
        ("tomorrow", "no time"), ("", "no time"), ("1780000000", "no time"), ("0001-01-01 00:00 +14:00", "no time"),
    ],
)  # fmt: skip
def test_what_could_be_two_times_or_none_is_refused_with_advice(text, why):
    with pytest.raises(BadTime, match=why):
        read(text)


def test_nbgraders_deadlines_and_stamps_are_read_so():
    from nbgrader import coursedir, utils

    from autograder.bridge.handed_in import see_every_change

    see_every_change()
    for place in (utils, coursedir):
        assert place.parse_utc("2026-11-01 23:59 CEST") == datetime(2026, 11, 1, 21, 59)
        assert place.parse_utc(datetime(2026, 11, 1, tzinfo=UTC)) == datetime(2026, 11, 1)
        assert place.parse_utc(None) is None
        with pytest.raises(ValueError, match="two ways"):
            place.parse_utc("01.11.2026")


def test_a_zone_that_begins_like_a_half_of_the_day_is_a_zone():
    assert read("2015-02-02 14:58:23 America/Los_Angeles") == read("2015-02-02 14:58:23 -0800")
