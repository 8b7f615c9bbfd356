"""No reply of plain values makes a judge fail: whatever a notebook answers is marked, and never left to a person."""

from __future__ import annotations

import sys
import traceback
import zlib
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from autograder.audit.graders import answers_here
from autograder.course import source_notebook
from autograder.exercise import Reply
from autograder.exercises import NAMES, load
from autograder.marking import challenges
from autograder.sandbox import Limits
from autograder.sandbox.inside.codec import Unreadable, encode_answer, readable

ROOT = Path(__file__).resolve().parents[2]

ODD = (
    None, True, 0, -1, 2**63, 10**19, 0.5, 1e308, float("nan"), float("-inf"), "", "text", "1.5",
    [], {}, [[]], [None], ["a", "b"], [1, [2, 3]], [[1, 2], [3]], [[[1.0]]], [0.5, "a"], [{}], [1e308, 1e308],
    [True, None], {"a": 1}, {"name": [1, {"b": None}]}, {"a": Unreadable("it is a set")},
    Unreadable("it is a set"), [Unreadable("its entry [0] is a set")],
    np.array([]), np.zeros((0, 3)), np.zeros((3, 0)), np.zeros((1, 1, 1, 1)), np.array(2), np.array(2.5),
    np.array(True), np.arange(7), np.arange(7.0)[:, None], np.array([True, False]), np.array([1e30, -5.0]),
    np.array([10**6, -3]), np.full((2, 3), np.nan), np.array([np.inf]), np.array([1 + 2j]), np.array([1 + 0j]),
    np.zeros(1000, np.int8),
    np.float16([1.5]), np.float32([[1.5]]), np.array([2**64 - 1], np.uint64), np.array([-(2**63)]),
)  # fmt: skip
"""Plain values that hardly anything asks for."""


def changed(value: object, rng: np.random.Generator) -> object:
    """A right value with one thing wrong: its length, its axes, its type, or one of its entries."""
    if isinstance(value, dict):
        if not value:
            return None
        name = list(value)[rng.integers(len(value))]
        return {**value, name: changed(value[name], rng)}
    if isinstance(value, list) and value and rng.random() < 0.5:
        place = int(rng.integers(len(value)))
        return [*value[:place], changed(value[place], rng), *value[place + 1 :]]
    if isinstance(value, np.ndarray) and value.size:
        ways = [
            lambda a: a[:-1] if a.ndim else a[None],
            lambda a: a.ravel()[:0],
            lambda a: np.concatenate([a.ravel(), a.ravel()]),
            np.ravel,
            np.transpose,
            lambda a: a[None],
            lambda a: a.astype(int),
            lambda a: a.astype(bool),
            lambda a: a.astype(np.float16),
            lambda a: a.tolist(),
            lambda a: a.astype(complex) * 1j,
            lambda a: a * np.nan,
            lambda a: 1e300 * a,
            lambda a: -a if a.dtype != bool else a,
            lambda a: a * 0,
        ]
        with np.errstate(all="ignore"):
            return ways[rng.integers(len(ways))](value)
    return ODD[rng.integers(len(ODD))]


@cache
def right(name: str) -> dict[str, tuple[Reply, ...]]:
    """What the solved notebook answers."""
    exercise = load(name)
    answers = answers_here(source_notebook(ROOT, exercise), exercise, ROOT, 1)
    for module in ("backprop", "selfcheck", "simple_network"):  # another sheet has its own
        sys.modules.pop(module, None)
    return {
        probe: tuple(Reply(at.known, a.values, at.shown) for at, a in zip(challenges(load(name), 1)[probe], found))
        for probe, found in answers.items()
    }


def fails(name: str, tries: int, seed: int) -> dict[str, str]:
    """What judges raised, by question, with the values that made them."""
    found: dict[str, str] = {}
    for question in load(name).questions:
        rng = np.random.default_rng([seed, zlib.crc32(f"{name} {question.id}".encode())])
        replies = right(name)[question.probe.name]
        names = sorted({key for reply in replies for key in reply.values})
        for _ in range(tries):
            wrong = {key for key in names if rng.random() < rng.choice([0.1, 0.5, 1.0])} or {names[0]}
            everywhere, gone, same = rng.random() < 0.5, rng.random() < 0.2, rng.random() < 0.5
            odd = {key: ODD[rng.integers(len(ODD))] for key in wrong}
            asked = []
            for number, reply in enumerate(replies):
                values = dict(reply.values)
                for key in wrong if everywhere or not number else ():
                    if gone:
                        values.pop(key, None)
                    elif same:
                        values[key] = odd[key]
                    else:
                        values[key] = changed(values.get(key), rng)
                asked.append(Reply(reply.given, values, reply.shown))
            try:
                verdicts = question.judge(question.lines, tuple(asked))
                assert set(verdicts) >= {line.name for line in question.lines}
                assert all(0 <= verdict.share <= 1 for verdict in verdicts.values())
            except Exception as error:
                where = traceback.extract_tb(error.__traceback__)[-1]
                place = f"{question.id}, {Path(where.filename).name}:{where.lineno} `{where.line}`"
                odd = {name: asked[0].values.get(name) for name in sorted(wrong)}
                found.setdefault(f"{place}: {type(error).__name__}: {error}", f"{odd!r:.300}")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("tries", [3, pytest.param(80, marks=pytest.mark.long)])
def test_no_plain_values_make_a_judge_fail(name: str, tries: int) -> None:
    assert fails(name, tries, tries) == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_an_answer_has_twice_the_room_that_the_solved_notebook_needs(name: str) -> None:
    limit = replace(Limits(), **load(name).limits).answer_bytes
    for replies in right(name).values():
        for reply in replies:
            assert 2 * len(encode_answer(readable(dict(reply.values)), max_bytes=1 << 26)) <= limit


def test_an_index_that_is_an_empty_array_is_no_error_of_the_grader(root: Path) -> None:
    """Who writes 800 for `n_train` leaves nothing to test on."""
    (question,) = (one for one in load("ising_phases").questions if one.id == "test_accuracy")
    replies = right("ising_phases")[question.probe.name]
    none = {"tested": np.array([]), "accuracy": np.nan}
    nothing = [Reply(one.given, {**one.values, **none}, one.shown) for one in replies]
    verdicts = question.judge(question.lines, nothing)
    assert (verdicts["trained"].share, verdicts["accuracy"].share) == (1, 0)


def test_a_part_that_is_one_number_is_no_error_of_the_grader() -> None:
    (question,) = (one for one in load("ising_phases").questions if one.id == "random_split")
    replies = right("ising_phases")[question.probe.name]
    for part in ("X_train", "X_test", "Y_train", "Y_test"):
        nothing = [Reply(one.given, {**one.values, part: 10**19}, one.shown) for one in replies]
        assert question.judge(question.lines, nothing)["pairs"].share == 0
