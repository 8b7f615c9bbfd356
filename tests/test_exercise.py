"""Probes as text, and what of a challenge is sent."""

import gc
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from autograder.exercise import Challenge, Probe, parsed


def scaled(student, given, *, factor, names):
    """A probe with settings."""
    return {name: factor * student.f(given[name]) for name in names}


class Student:
    @staticmethod
    def f(x):
        return x + 1


def test_settings_are_written_into_the_text_as_defaults():
    probe = Probe(scaled, lambda rng: [], {"factor": 3, "names": ("a", "b")}, "tripled")
    assert probe.name == "tripled"
    names = {"np": np}
    exec(probe.source, names)
    given = {"a": 1, "b": 2.5}
    assert names["scaled"](Student, given) == probe.ask(Student, given) == {"a": 6, "b": 10.5}


def test_a_function_without_settings_is_sent_as_it_stands():
    def plain(student, given):  # with its comments
        return {}

    probe = Probe(plain, lambda rng: [])
    assert probe.name == "plain"
    assert probe.source.startswith("def plain(student, given):  # with its comments\n    return {}")


@pytest.mark.parametrize("settings", [{}, {"factor": 1}, {"factor": 1, "names": (), "other": 2}])
def test_settings_that_do_not_fit_the_function_are_refused(settings):
    with pytest.raises(TypeError, match="takes the settings"):
        _ = Probe(scaled, lambda rng: [], settings).source


def test_the_judge_knows_what_is_kept_and_what_is_sent():
    challenge = Challenge({"X": 1}, kept={"k": 2})
    assert (challenge.given, challenge.known) == ({"X": 1}, {"X": 1, "k": 2})
    assert challenge.keeping("X") == Challenge({}, kept={"X": 1, "k": 2})


@pytest.mark.slow
def test_threads_may_parse_at_the_same_time(root):
    """The collector of garbage lets the other thread on, in the middle of a tree."""
    text, before = (root / "reference/toolkit/selfcheck.py").read_text(), gc.get_threshold()

    def give_way(*_):
        time.sleep(0)

    gc.callbacks.append(give_way)
    gc.set_threshold(20)
    try:
        with ThreadPoolExecutor(2) as pool:
            assert len(list(pool.map(parsed, [text] * 8))) == 8
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(give_way)
