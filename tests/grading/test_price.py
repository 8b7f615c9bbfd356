"""The price of a class, isolation included, in what the same cells cost by themselves: twice as much fails.

Both are processor time of one run, taken in turns, so neither the machine nor what else it does is in the ratio. The
isolated processes of the notebooks end with their parent, and nobody is told what they computed; so each counts as it
was last seen.
"""

import importlib
import inspect
import os
import time

import pytest

from autograder.grading import batch
from autograder.grading.batch import grade_class
from autograder.grading.finding import find
from autograder.sandbox import shared_sandbox

pytestmark = pytest.mark.slow

NAME, STUDENTS, FLOORS = "worked_calculation", 24, 40
SLOWED = "update"
"""A cell of the student in it."""

LIMIT = 8
"""Of this many floors a notebook's marks may cost: 5.8 were measured on a quiet machine, 3.6 to 4.2 on a busy one."""


@pytest.fixture(scope="module")
def benchmarks(root):
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root / "benchmarks"))
        yield importlib.import_module


@pytest.fixture(scope="module")
def measured(benchmarks, root, tmp_path_factory):
    """measured(rounds, code): seconds of a notebook's marks in a class, and of the floor: the least of these rounds.

    The code is what each notebook computes besides, which the floor does not. Without ``floors`` there is none.
    """
    throughput = benchmarks("throughput")
    floor = throughput.floor(root, NAME, figures=False)
    ours = (root / "nbgrader_config.py").read_text()

    def a_class(students, code=""):
        folder = tmp_path_factory.mktemp("class") / "course"
        notebook = throughput.notebook_of(root, NAME)
        for cell in notebook.cells:
            if cell.metadata.get("nbgrader", {}).get("grade_id") == SLOWED:
                cell.source += f"\n{code}"
        return throughput.make_course(folder, root, NAME, students, ours, [notebook])

    def graded(folder):
        with throughput.opened(folder) as course:
            done = list(grade_class(course, find([folder / "submitted"]), feedback=False))
        assert not [one.problem for one in done if one.problem]

    shared_sandbox("auto")
    graded(a_class(4))  # what is imported and derived once
    floor()

    def cost(function):
        with benchmarks("computing").Watched(os.getpid()) as watched:
            function()
        return watched.seconds()

    def measured(rounds, code="", floors=FLOORS):
        ours, bare = [], []
        for _ in range(rounds):
            folder = a_class(STUDENTS, code)
            ours.append(cost(lambda folder=folder: graded(folder)) / STUDENTS)
            if floors:
                bare.append(cost(lambda: [floor() for _ in range(floors)]) / floors)
        return min(ours), min(bare, default=None)

    return measured


@pytest.fixture(scope="module")
def price(measured):
    return measured(3)


def test_marks_cost_few_floors(price):
    ours, bare = price
    assert ours < LIMIT * bare, f"{1000 * ours:.1f} ms for a notebook, {ours / bare:.2f} floors"


def burn(seconds):
    """Compute for so long, by this thread's own time."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


@pytest.mark.parametrize("inside", [False, True], ids=["grading program", "notebook's process"])
def test_twice_the_price_is_seen(price, measured, monkeypatch, inside):
    """What is measured grows with the price: each notebook is made to compute what it cost once more."""
    ours, _ = price
    if inside:
        slow, _ = measured(1, f"import time\n{inspect.getsource(burn)}\nburn({ours})", floors=0)
    else:
        mark = batch.give_marks
        monkeypatch.setattr(batch, "give_marks", lambda *args, **settings: (burn(ours), mark(*args, **settings))[1])
        slow, _ = measured(1, floors=0)
    assert slow > 1.5 * ours, f"{1000 * slow:.1f} ms for a notebook, {1000 * ours:.1f} ms before"
