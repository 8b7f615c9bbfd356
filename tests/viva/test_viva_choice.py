"""Which questions a student gets: as hard as was wanted, of different kinds, the same for the same seed."""

import numpy as np
import pytest

from autograder.views.viva import Asked
from autograder.viva.changes import scaled
from autograder.viva.points import single, stream, twice
from autograder.viva.questions import choose

MANY = [
    Asked(kind, level, exercise, f"{kind} {level} {exercise}", "key", check={"line": name})
    for exercise in ("tanh_swap", "sgd")
    for kind, level, name in (
        ("unit", 1, None), ("example", 1, None), ("twice", 2, None), ("nudge", 1, None), ("nudge", 3, None),
        ("line", 2, 5), ("line", 2, 6), ("line", 1, 7), ("slip", 2, "dW1"), ("slip", 3, "dW1"),
    )
]  # fmt: skip


def chosen(level, count=4, who="ada"):
    return choose(MANY, count=count, level=level, rng=stream(3, who))


@pytest.mark.parametrize(
    ("level", "kinds"), [(1, {"unit", "example", "nudge", "line"}), (2, {"twice", "line", "slip"})]
)
def test_they_are_as_hard_as_was_wanted_and_of_different_kinds(level, kinds):
    found = chosen(level, count=len(kinds))
    assert {one.level for one in found} == {level}
    assert {one.kind for one in found} == kinds
    assert len({one.exercise for one in found}) == 2


def test_nothing_is_asked_twice_and_the_same_seed_asks_the_same():
    for who in ("ada", "bo", "cy"):
        found = chosen(3, count=5, who=who)
        assert found == chosen(3, count=5, who=who)
        assert len({(one.kind, one.exercise, one.check["line"]) for one in found}) == 5
    assert len({tuple(one.text for one in chosen(2, who=f"s{number}")) for number in range(8)}) > 5


def test_of_little_work_there_are_few_questions():
    assert choose(MANY[:1], count=4, level=3, rng=stream(1, "x")) == MANY[:1]
    assert choose([], count=4, level=3, rng=stream(1, "x")) == []


def test_a_point_is_changed_where_it_should_be_and_nowhere_else():
    given = {"X": np.eye(2), "Y": np.ones((1, 2)), "W1": np.eye(2)}
    assert twice(given)["X"].shape == (2, 4)
    assert twice(given)["W1"] is given["W1"]
    assert single(given, 1)["X"].tolist() == [[0.0], [1.0]]


@pytest.mark.parametrize(
    ("factor", "words"), [(1.0, "stays as it is"), (2.0, "doubles"), (0.5, "halves"), (3.0, "is multiplied by 3")]
)
def test_a_factor_is_said_in_words(factor, words):
    before = np.array([[1.0, -2.0], [0.25, 0.0]])
    assert scaled(before, factor * before) == words
    assert scaled(before, before + 1) == "becomes 2, -1; 1.25, 1"
