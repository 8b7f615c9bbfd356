"""Facts in words and numbers: what counts as the same, what earns half, and that they are so."""

import numpy as np
import pytest

from autograder.exercise import Line, Reply
from autograder.exercises import fit_picture, load
from autograder.exercises.stated import Fact, stated

PAIR = {"pair": Fact(1, "a pair", lambda: (0.0, 0.25), "Look."), "word": Fact(1, "a word", lambda: "a - y", "Look.")}


def judged(name, value, facts=PAIR):
    question = stated("some", "Some facts", facts)
    return question.judge([Line(name, 1)], [Reply({}, {name: value}, True)])[name]


@pytest.mark.parametrize(
    ("name", "value", "share"),
    [
        ("pair", [0, 0.25], 1),
        ("pair", np.array([0, 0.25]), 1),
        ("pair", (0.0, 0.2502), 1),
        ("pair", [0, 0.3], 0.5),
        ("pair", [1e-9, 0.3], 0),
        ("pair", [0, 0], 0),  # the same in every place is no knowledge
        ("pair", [0.25, 0], 0),
        ("pair", [0], 0),
        ("pair", "0, 0.25", 0),
        ("pair", 0.25, 0),
        ("pair", [[0, 0.25]], 0),
        ("pair", [float("nan"), None], 0),
        ("word", "A-y", 1),
        ("word", " a - y ", 1),
        ("word", "y - a", 0),
        ("word", 7, 0),
        ("word", ["a - y"], 0),
    ],
)
def test_what_counts_as_the_same(name, value, share):
    verdict = judged(name, value)
    assert verdict.share == share
    assert (verdict.status == "correct") == (share == 1)
    assert verdict.message or share == 1
    assert verdict.expected is None  # a fact is the same for everybody: it is not told


def test_what_is_not_there_is_missing():
    assert judged("pair", None).status == "missing"


FACTS = {
    "linear_models": {"in_common": {"feeds_last_unit": "A1", "who_adds": ["all", "all", "y s < 1", "all"]}},
    "simple_network": {"loss_at_the_start": {"start_loss": 0.693}},
    "vanishing_gradients": {"which_does_not_help": {"odd_one_out": "Gradient Clipping"}},
    "exploding_gradients": {"what_they_change": {"against_vanishing": "level weights"}},
    "sgd": {"table_numbers": {"steps": [100, 14_000], "batch_noise": [0, 0.00054]}},
    "custom_activation": {"other_slopes": {"relu_slopes": [0, 1], "sigmoid_slopes": [0, 0.25, 0]}},
    "ising_phases": {"group_of_lattices": {"failing_group": "cold, mostly down"}},
}


@pytest.mark.parametrize("name", FACTS)
def test_the_facts_of_the_course(name):
    for id, values in FACTS[name].items():
        question = load(name).question(id)
        for line, value in values.items():
            verdict = question.judge([Line(line, 1)], [Reply({}, {line: value}, True)])[line]
            assert verdict.status == "correct", (line, verdict.message)


def test_people_give_what_needs_words():
    """About a seventh of the points: every why, and nothing that a machine can mark."""
    from autograder.exercises import NAMES

    exercises = [load(name) for name in NAMES]
    ours = [one for one in exercises if one.sheet in ("foundations", "by_hand", "training", "design")]
    people = sum(part.points for one in ours for part in one.written)
    assert sum(one.points for one in ours) == 400
    assert 55 <= people <= 65


# The picture of the sine --------------------------------------------------------------------------------------------

GIVEN = {"low": np.array(-1.0), "high": np.array(0.8), "steep": np.array(1.5)}


def drawn(draw):
    class Student:
        draw_fit = staticmethod(draw)

    found = fit_picture.picture(Student, GIVEN)
    return fit_picture.by_picture([Line("curves", 1), Line("beyond", 1)], [Reply(GIVEN, found, True)])


def both(ax, network, *, end=12, points=300, labels=("sine", "network"), axes=True, scatter=False, shift=0.0):
    x = np.linspace(-np.pi, np.pi, 100)
    wide = np.linspace(-end, end, points)
    ax.plot(x, np.sin(x + shift), label=labels[0])
    put = ax.scatter if scatter else ax.plot
    put(wide, network.forward_pass(wide[None])[0], label=labels[1])
    if axes:
        ax.set(xlabel="x", ylabel="y")


@pytest.mark.parametrize(
    ("how", "curves", "beyond"),
    [
        ({}, 1, 1),
        ({"scatter": True}, 1, 1),
        ({"end": 30, "points": 900}, 1, 1),
        ({"end": 5}, 1, 0),
        ({"points": 9}, 0, 0),  # a few points are no curve
        ({"labels": (None, None)}, 0.5, 1),
        ({"axes": False}, 0.5, 1),
        ({"shift": 0.1}, 0, 1),
    ],
)
def test_a_picture_is_judged_by_its_lines(how, curves, beyond):
    found = drawn(lambda ax, network: both(ax, network, **how))
    assert (found["curves"].share, found["beyond"].share) == (curves, beyond)


def test_an_empty_picture_earns_nothing():
    assert not any(verdict.share for verdict in drawn(lambda ax, network: None).values())
