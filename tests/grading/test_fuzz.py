"""Bounded fuzzing of what the trusted side reads: notebooks and frames. ``--hypothesis-seed`` repeats a run.

Examples that once failed, and some that are known to be awkward, are kept beside as ``@example``.
"""

from __future__ import annotations

import contextlib
import json
import time
import tracemalloc

import msgpack
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from autograder.course import source_notebook
from autograder.exercises import load
from autograder.grading.notebook import BadNotebook, parse_notebook, plan
from autograder.sandbox.inside import codec
from autograder.sandbox.inside.codec import BadValue, decode, encode
from autograder.sandbox.model import Ask, Cell, Job
from autograder.sandbox.progress import Progress

NAME = "worked_calculation"
RUNS = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 99) | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
IDS = st.sampled_from(["forward", "forward_values", "loss", "title", "network", "", "x"])
LABEL = JSON | st.fixed_dictionaries(
    {}, optional={"grade_id": IDS | JSON, "grade": JSON, "solution": JSON, "locked": JSON, "points": JSON,
                  "schema_version": JSON, "task": JSON, "checksum": JSON},
)  # fmt: skip
METADATA = JSON | st.fixed_dictionaries({}, optional={"nbgrader": LABEL, "tags": JSON})
CELL = JSON | st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["code", "markdown", "raw"]) | JSON, "source": st.text(max_size=20) | JSON},
    optional={"metadata": METADATA, "outputs": JSON, "id": JSON, "execution_count": JSON, "attachments": JSON},
)
NOTEBOOK = st.fixed_dictionaries(
    {"nbformat": st.sampled_from([4, 3, 2, 5, 0]) | JSON, "cells": st.lists(CELL, max_size=5) | JSON},
    optional={"nbformat_minor": st.integers(0, 9) | JSON, "metadata": JSON, "worksheets": JSON},
)


@pytest.fixture(scope="module")
def source(root):
    return source_notebook(root, load(NAME))


@pytest.mark.slow
@RUNS
@example({"nbformat": 4, "nbformat_minor": 5, "metadata": None, "cells": [{"cell_type": "code", "source": ""}]})
@example({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
    {"cell_type": "raw", "source": "x", "metadata": {"nbgrader": {"grade_id": "forward"}}}]})  # fmt: skip
@example({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
    {"cell_type": "code", "source": "", "metadata": {"nbgrader": {"grade_id": "loss", "checksum": [1]}}}]})  # fmt: skip
@given(NOTEBOOK)
def test_a_notebook_is_planned_or_refused_in_words(source, content):
    with contextlib.suppress(BadNotebook):
        planned = plan(parse_notebook(json.dumps(content).encode(), "any.ipynb"), source, full=True)
        assert all(isinstance(cell.source, str) for cell in planned.cells)


@RUNS
@example(b'{"nbformat":4,"cells":[],"nbformat_minor":' + b"9" * 5000 + b"}")
@example(b"\xff\xfe")
@example(b"[" * 100_000)
@given(st.binary(max_size=300))
def test_bytes_are_refused_in_words(data):
    with contextlib.suppress(BadNotebook):
        parse_notebook(data, "any.ipynb")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20)
    | st.binary(max_size=20) | st.sampled_from([np.zeros((2, 3)), np.float32(1), np.array([True])]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def read(data: bytes) -> None:
    """Decode believing nothing: quickly, in bounded memory, with BadValue as the only failure."""
    began = time.process_time()
    tracemalloc.start()
    try:
        with contextlib.suppress(BadValue):
            codec.values_of(data, max_bytes=1 << 20)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40 << 20
    assert time.process_time() - began < 60


@pytest.mark.slow
@RUNS
@example(b"\xdd\xff\xff\xff\xff")
@example(b"\xdf\xff\xff\xff\xff" + b"\x00" * 99)
@example(b"\xc9\xff\xff\xff\xff\x01")
@example(b"\x91" * 1_000_000)
@example(b"\xdc\x0a\x00" + (b"\xdc\x01\x80" + b"\x80" * 384) * 2560)
@example(msgpack.packb(msgpack.ExtType(1, b"\x0b\x02" + b"\x7f" * 16)))
@given(st.binary(max_size=400))
def test_any_bytes_are_a_value_or_bad(data):
    read(data)


@pytest.mark.slow
@RUNS
@given(VALUES, st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_damaged_value_is_a_value_or_bad(value, damage):
    try:
        data = bytearray(encode({"v": value}, max_bytes=1 << 20))
    except BadValue:
        return
    for place, byte in damage:
        data[place % len(data)] = byte
    read(bytes(data))


FRAME = st.fixed_dictionaries(
    {"kind": st.sampled_from(["ready", "cell_started", "cell_done", "ask_started", "answer"]) | JSON},
    optional={"index": st.integers(0, 2) | JSON, "ask": st.integers(0, 1) | JSON, "challenge": st.integers(0, 1) | JSON,
              "status": st.sampled_from(["ok", "answered", "raised", "correct"]) | JSON, "outputs": JSON,
              "values": st.binary(max_size=20) | JSON, "message": JSON, "seconds": st.floats() | JSON,
              "cpu_seconds": st.floats() | JSON,
              "updates": JSON, "traceback": JSON, "warnings": JSON, "changed_inputs": JSON, "score": JSON},
)  # fmt: skip


@pytest.mark.slow
@RUNS
@given(st.lists(FRAME, max_size=8))
def test_frames_in_any_order_are_taken_or_refused(frames):
    job = Job((Cell("a", "x = 1"),), (Ask("q", "def probe(student, given): return {}", ({"x": 1},)),))
    progress = Progress(job, folder="/x", level="full")
    progress.payload()
    for frame in [{"kind": "ready"}, *frames]:
        try:
            progress.on_frame(decode(msgpack.packb(frame), max_bytes=1 << 20))
        except BadValue:
            continue
    assert set(progress.cells) <= {0}
    assert set(progress.answers) <= {(0, 0)}


def cells(*texts: str, metadata: str = "{}") -> str:
    return f'{{"nbformat": 4, "nbformat_minor": 5, "metadata": {metadata}, "cells": [{", ".join(texts)}]}}'


CODE = '{"cell_type": "code", "id": "a", "source": "", "execution_count": null, "metadata": %s, "outputs": [%s]}'
BOMBS = {
    "a million lists in the metadata": (cells(metadata='{"x": [' + ",".join(["[]"] * 1_000_001) + "]}"), "values"),
    "strings as many": (cells(metadata='{"x": [' + ",".join(['""'] * 1_000_001) + "]}"), "clear its outputs"),
    "twenty thousand cells": (cells(*[CODE % ("{}", "")] * 20_000), "at most 2000 are graded"),
    "as many that are none": (cells(*["{}"] * 100_000), "at most 2000 are graded"),
    "wrong outputs": (cells(CODE % ("{}", ",".join(['{"output_type": "x"}'] * 100_000))), ""),
    "wrong tags": (cells(CODE % ('{"tags": [' + ",".join(["1"] * 100_000) + "]}", "")), ""),  # they are left out
    "sheets of version 3": (
        '{"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": ['
        + ",".join(['{"cells": []}'] * 50_000)
        + "]}",
        "besides its outputs",
    ),
    "a text that does not end": ('{"nbformat": 4, "x": "' + "\\\\" * 10**6 + "a" * 10**6 + ",[" * 10**6, "values"),
    "punctuation in a text": (cells(CODE % ('{"x": "' + ",[" * 10**6 + '"}', "")), ""),
    "the same name twice": ('{"cells": [1], "nbformat": 3,' + cells()[1:], ""),
    "four hundred levels": (cells(CODE % ('{"x":' * 400 + "1" + "}" * 400, "")), ""),
    "fifty thousand levels": (cells(metadata='{"x":' * 50_000 + "1" + "}" * 50_000), "JSON"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("text", "said"), BOMBS.values(), ids=BOMBS)
def test_a_notebook_that_is_much_in_few_bytes_is_read_or_refused_at_once(source, text, said):
    began = time.process_time()
    tracemalloc.start()
    try:
        plan(parse_notebook(text.encode(), "any.ipynb"), source, full=True)
        refused = ""
    except BadNotebook as bad:
        refused = str(bad)
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert said in refused
    assert bool(said) == bool(refused)
    assert peak < 64 << 20
    assert time.process_time() - began < 60
