"""What a process that waits for a job has copied beforehand."""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
import time

import pytest

from autograder.sandbox import Sandbox
from autograder.sandbox.inside import pages

from .conftest import job

PAGES = 512
SIZE = PAGES * resource.getpagesize()


@pytest.fixture
def memory() -> mmap.mmap:
    """Private memory, every page written."""
    with mmap.mmap(-1, SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as region:
        region.write(b"x" * SIZE)
        yield region


def faults_in_a_fork(before: pages.Ranges, region: mmap.mmap) -> int:
    """Page faults of a forked process that writes to the first half of the memory, after copying what is named."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        pages.copy_now(before)
        began = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        region[: SIZE // 2] = b"y" * (SIZE // 2)
        os.write(writing, str(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - began).encode())
        os._exit(0)
    os.close(writing)
    with open(reading) as stream:
        count = int(stream.read())
    os.wait()
    return count


def half_written(region: mmap.mmap) -> None:
    region[: SIZE // 2] = b"z" * (SIZE // 2)


def test_a_rehearsal_tells_which_pages_are_written(memory: mmap.mmap) -> None:
    first = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    shared = [
        max(0, min(first + SIZE, address + size) - max(first, address))
        for address, size in pages.written_by(lambda: half_written(memory))
    ]
    assert sum(shared) == SIZE // 2


def test_pages_that_were_copied_cost_no_fault(memory: mmap.mmap) -> None:
    ranges = pages.written_by(lambda: half_written(memory))
    assert faults_in_a_fork((), memory) >= PAGES // 2
    assert faults_in_a_fork(ranges, memory) < PAGES // 8


def test_what_is_copied_stays_what_it_was(memory: mmap.mmap) -> None:
    ranges = pages.written_by(lambda: half_written(memory))
    pages.copy_now(ranges)
    assert memory[:] == b"x" * SIZE


def test_places_that_are_no_memory_are_passed_over() -> None:
    pages.copy_now(((0, 4096),))


def test_a_rehearsal_that_fails_tells_nothing() -> None:
    assert pages.written_by(lambda: 1 / 0) == ()


COUNT = "import resource\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)"
FIGURE = "import matplotlib.pyplot as plt\nplt.plot([1, 2, 4])\nplt.show()"


@pytest.mark.slow
def test_a_job_that_draws_finds_its_pages_copied_after_another_one() -> None:
    def faults() -> int:
        cells = box.run(job(COUNT, FIGURE, COUNT)).cells
        return int(cells[2].outputs[0]["text"]) - int(cells[0].outputs[0]["text"])

    with Sandbox() as box:
        first, deadline = faults(), time.monotonic() + 600
        while (later := faults()) > first / 2 and time.monotonic() < deadline:
            time.sleep(0.5)  # the rehearsal comes when no job has been there for a while
        assert later < first / 2
