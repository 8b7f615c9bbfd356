"""Shared by the tests of the diagnosis: the benchmark's specs, challenges and tallies."""

import importlib.util
import sys
from pathlib import Path

_PATH = Path(__file__).parents[2] / "benchmarks" / "diagnosis.py"
_SPEC = importlib.util.spec_from_file_location("benchmarks_diagnosis", _PATH)
bench = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = bench  # dataclasses look their module up
_SPEC.loader.exec_module(bench)


def points_of(spec, outputs=1, choices=None, seed=1):
    """Three points answered by code with ``choices`` done wrong."""
    from autograder.diagnosis import Point, mutate

    return [Point(i, mutate(spec, Point(i), choices or {})) for i in bench.challenges(spec, outputs, seed)]
