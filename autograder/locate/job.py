"""What runs to locate a mistake: jobs of their own, with challenges that are used for nothing else."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.exercise import Probe, Values
from autograder.sandbox import Ask, Job, Limits

POINTS = 3
"""Two points for the search, and one that proves what it has found."""

STREAM = 0x0F1A6E12
"""The challenges come from a stream of their own: none of those that give marks is among them."""

ANSWER_BYTES = 8 << 20

SHARE = 0.7
"""So much of the computing time of a question may a search take before it ends with what it has found."""

CPU_SECONDS = 10.0
"""A search may take as long, where its question may not: on a machine with much to do it is its runs that end it."""

WALL_SECONDS = 60.0
"""A search is bounded by its runs; on a busy machine they take longer, and what is found must be the same."""


Beside = Mapping[str, Sequence[str]]
"""What a search is told of the answers beside their values: see :func:`to_repair`."""

Draw = Callable[[Probe, int], tuple[list[Values], int]]
"""What draws the points of a search, and says which of them is the small shown example, or -1."""


def points(probe: Probe, seed: int) -> tuple[list[Values], int]:
    """The challenges of this purpose, and which of them is the small shown example, or -1.

    The example is the last one, where others can be drawn, and one only if it is the same for everybody. What is asked
    in the same way each time has one point: the same runs once more would prove nothing.
    """
    stream = np.random.default_rng([seed, zlib.crc32(probe.name.encode()), STREAM])
    found: list[Values] = []
    examples: list[Values] = []
    for _ in range(POINTS):
        drawn = probe.challenges(stream)
        examples += [one.given for one in drawn if one.shown][:1]
        found += [one.given for one in drawn if not one.shown]
        if len(found) >= POINTS:
            break
    other = [one.given for one in probe.challenges(np.random.default_rng(seed)) if one.shown][:1]
    fixed = bool(examples) and _same(examples[:1], other)
    if not found:
        differ = any(not _same(one, examples[0]) for one in examples)
        return examples[: POINTS if differ else 1], 0 if fixed else -1
    return (found[:POINTS] + examples[:1], min(len(found), POINTS)) if fixed else (found[:POINTS], -1)


def further(probe: Probe, seed: int) -> tuple[list[Values], int]:
    """Points like those challenges that :func:`points` does not use: on a kink, or where more is asked; else others.

    What they give beside the others, as a flag that asks for more, the usual points get, too. Else they stand beside
    a usual one, at which what is right has to stay so. Where all are used, others of the same kind are drawn, for a
    slip may show at some of them alone; none where they are always the same.
    """
    stream = np.random.default_rng([seed, zlib.crc32(probe.name.encode()), STREAM])
    drawn = [[one.given for one in probe.challenges(stream) if not one.shown] for _ in range(POINTS)]
    rest = [one[POINTS:] for one in drawn]
    if not rest[0]:  # other points of the same kind, where they differ
        again = np.random.default_rng([seed, zlib.crc32(probe.name.encode()), STREAM, 1])
        other = [one.given for _ in range(POINTS) for one in probe.challenges(again) if not one.shown][:POINTS]
        return ([], -1) if not other or _same(other, drawn[0][:POINTS]) else (other, -1)
    more = {name: value for one in rest[0] for name, value in one.items() if name not in drawn[0][0]}
    if more:
        return [{**one, **more} for one in drawn[0][:POINTS]], -1
    return [*rest[0][:2], drawn[0][0], rest[1][0]][:POINTS], -1


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(np.array_equal(one, other))


def to_record(job: Job, probes: Sequence[Probe], seed: int, cells: Sequence[int], draw: Draw = points) -> Job:
    """The job that runs the course's solution and records what its expressions give."""
    asks = tuple(Ask(probe.name, probe.source, ({"points": draw(probe, seed)[0]},), task="record") for probe in probes)
    return _with(job, asks, cells)


def to_repair(
    job: Job, asked: Mapping[str, Mapping[str, Any]], probes: Sequence[Probe], cells: Sequence[int],
    beside: Mapping[str, Beside],
) -> Job:  # fmt: skip
    """The job that looks for repairs of a student's code, at the points and with the exact values in ``asked``.

    ``beside`` has, by probe, the ``trusted`` names of what is right by a question of its own, and the ``choices`` that
    have to be those of the solution.
    """
    seconds = SHARE * _limits(job).question_cpu_seconds
    told = {probe.name: {**asked[probe.name], "seconds": seconds, **beside.get(probe.name, {})} for probe in probes}
    asks = tuple(Ask(probe.name, probe.source, (told[probe.name],), task="repair") for probe in probes)
    return _with(job, asks, cells)


def _with(job: Job, asks: tuple[Ask, ...], cells: Sequence[int]) -> Job:
    return replace(job, asks=asks, instrumented=tuple(cells), places={}, limits=_limits(job))


def _limits(job: Job) -> Limits:
    cpu = max(job.limits.question_cpu_seconds, CPU_SECONDS)
    wall = max(job.limits.question_wall_seconds, WALL_SECONDS)
    return replace(job.limits, answer_bytes=ANSWER_BYTES, question_cpu_seconds=cpu, question_wall_seconds=wall)
