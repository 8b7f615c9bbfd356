"""At which points the search looks."""

import pytest

from autograder.exercises import load
from autograder.locate.job import POINTS, _same, further, points


@pytest.mark.parametrize(("exercise", "question", "count"), [("worked_calculation", 0, 1), ("optimisers", 0, POINTS)])
def test_what_is_asked_in_the_same_way_each_time_has_one_point(exercise, question, count):
    given, shown = points(load(exercise).questions[question].probe, seed=1)
    assert len(given) - (shown > 0) == count


@pytest.mark.parametrize("exercise", ["simple_network", "two_hidden_layers"])
def test_what_only_some_challenges_ask_for_is_asked_at_the_usual_points(exercise):
    probe = next(one.probe for one in load(exercise).questions if one.probe.name == "gradients")
    asked, _ = further(probe, seed=1)
    assert len(asked) == POINTS
    assert all("again" in one for one in asked)


def test_where_all_challenges_are_used_others_are_drawn():
    """With one length of step, a slope may be as exact as the solution's at some points alone."""
    probe = next(one.probe for one in load("gradient_check").questions if one.probe.name == "numerical_gradient")
    usual, other = points(probe, seed=1)[0], further(probe, seed=1)[0]
    assert len(other) == POINTS
    assert not any(_same(one, another) for one in usual for another in other)


def test_what_is_always_the_same_is_not_asked_again():
    assert further(load("worked_calculation").questions[0].probe, seed=1) == ([], -1)
