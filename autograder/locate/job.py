"""What runs to locate a mistake: jobs of their own, with challenges that are used for nothing else."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.exercise import Probe, Values
from autograder.sandbox import Ask, Job

POINTS = 3
"""Two points for the search, and one that proves what it has found."""

STREAM = 0x0F1A6E12
"""The challenges come from a stream of their own: none of those that give marks is among them."""

ANSWER_BYTES = 8 << 20


def points(probe: Probe, seed: int) -> list[Values]:
    """The challenges of this purpose, small shown examples left out where others can be drawn."""
    stream = np.random.default_rng([seed, zlib.crc32(probe.name.encode()), STREAM])
    found: list[Values] = []
    for _ in range(POINTS):
        drawn = probe.challenges(stream)
        found += [one.given for one in drawn if not one.shown] or [one.given for one in drawn]
        if len(found) >= POINTS:
            break
    return found[:POINTS]


def to_record(job: Job, probes: Sequence[Probe], seed: int, cells: Sequence[int]) -> Job:
    """The job that runs the course's solution and records what its expressions give."""
    asks = tuple(Ask(probe.name, probe.source, ({"points": points(probe, seed)},), task="record") for probe in probes)
    return _with(job, asks, cells)


def to_repair(job: Job, asked: Mapping[str, Mapping[str, Any]], probes: Sequence[Probe], cells: Sequence[int]) -> Job:
    """The job that looks for repairs of a student's code, at the points and with the exact values in ``asked``."""
    asks = tuple(Ask(probe.name, probe.source, (asked[probe.name],), task="repair") for probe in probes)
    return _with(job, asks, cells)


def _with(job: Job, asks: tuple[Ask, ...], cells: Sequence[int]) -> Job:
    limits = replace(job.limits, answer_bytes=ANSWER_BYTES)
    return replace(job, asks=asks, instrumented=tuple(cells), places={}, limits=limits)
