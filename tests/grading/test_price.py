"""The price of a class in the grading program, in what the same cells cost by themselves: twice as much fails.

Both are processor time of one run, taken in turns, so neither the machine nor what else it does is in the ratio. What
the isolated processes of the notebooks compute is not in it: their parent ends with them, and nobody is told.
"""

import contextlib
import importlib
import time

import psutil
import pytest

from autograder.grading import batch
from autograder.grading.batch import grade_class
from autograder.grading.finding import find
from autograder.sandbox import shared_sandbox

pytestmark = pytest.mark.slow

NAME, STUDENTS, FLOORS = "worked_calculation", 24, 40
LIMIT = 2.7
"""Of this many floors a notebook's marks may cost: 1.45 to 2.0 were measured, so twice the price is beyond it."""


def spent():
    """Seconds of computing by this process, by those that it started, and by what these have waited for."""
    total, here = 0.0, psutil.Process()
    for process in (here, *here.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def cost(function):
    began = spent()
    function()
    return spent() - began


@pytest.fixture(scope="module")
def throughput(root):
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root / "benchmarks"))
        yield importlib.import_module("throughput")


@pytest.fixture(scope="module")
def measured(throughput, root, tmp_path_factory):
    """measured(rounds): seconds of a notebook's marks in a class, and of the floor: the least of these rounds."""
    floor = throughput.floor(root, NAME, figures=False)
    ours = (root / "nbgrader_config.py").read_text()

    def a_class(students):
        folder = tmp_path_factory.mktemp("class") / "course"
        return throughput.make_course(folder, root, NAME, students, ours)

    def graded(folder):
        with throughput.opened(folder) as course:
            done = list(grade_class(course, find([folder / "submitted"]), feedback=False))
        assert not [one.problem for one in done if one.problem]

    shared_sandbox("auto")
    graded(a_class(4))  # what is imported and derived once
    floor()

    def measured(rounds):
        ours, bare = [], []
        for _ in range(rounds):
            folder = a_class(STUDENTS)
            ours.append(cost(lambda folder=folder: graded(folder)) / STUDENTS)
            bare.append(cost(lambda: [floor() for _ in range(FLOORS)]) / FLOORS)
        return min(ours), min(bare)

    return measured


@pytest.fixture(scope="module")
def price(measured):
    return measured(3)


def test_marks_cost_few_floors(price):
    ours, bare = price
    assert ours < LIMIT * bare, f"{1000 * ours:.1f} ms for a notebook, {ours / bare:.2f} floors"


def test_twice_the_price_is_seen(price, measured, monkeypatch):
    """What is measured grows with the price: each notebook is made to compute what it cost once more."""
    ours, before = price
    mark = batch.give_marks

    def slowed(*args, **settings):
        end = time.thread_time() + ours
        while time.thread_time() < end:
            pass
        return mark(*args, **settings)

    monkeypatch.setattr(batch, "give_marks", slowed)
    slow, bare = measured(2)
    assert slow / bare > 1.5 * ours / before, f"{slow / bare:.2f} floors, {ours / before:.2f} before"
