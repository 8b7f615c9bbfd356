"""At which points the search looks."""

import pytest

from autograder.exercises import load
from autograder.locate.job import POINTS, points


@pytest.mark.parametrize(("exercise", "question", "count"), [("worked_calculation", 0, 1), ("optimisers", 0, POINTS)])
def test_what_is_asked_in_the_same_way_each_time_has_one_point(exercise, question, count):
    given, shown = points(load(exercise).questions[question].probe, seed=1)
    assert len(given) - (shown > 0) == count
