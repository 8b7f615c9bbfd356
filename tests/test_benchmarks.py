"""The pages that benchmarks write: the command runs, and what stands there is what it wrote."""

import importlib
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.sandbox.inside.codec import gather


def sections(page):
    return dict(re.findall(r"<!-- (\w+): begin -->\n(.*?)\n<!-- \1: end -->", page, re.DOTALL))


def test_the_page_on_speed_says_of_every_target_whether_its_own_figure_meets_it(root):
    rows = re.findall(r"^\| (.*) \| (.*) \| (.*) \|$", sections((root / "docs/speed.md").read_text())["targets"], re.M)
    assert len(rows[1:]) >= 6
    for target, measured, met in rows[1:]:
        limit = float(re.search(r"(\d+(?:\.\d+)?) (?:×|m?s\b|MB)", target)[1])
        figure = float(re.search(r"[\d.]+", measured)[0])
        reached = figure >= limit if "at least" in target else figure <= limit
        assert met == ("yes" if reached else "**no**"), target


def test_the_readme_has_the_same_targets(root):
    pages = [sections((root / name).read_text())["targets"] for name in ("README.md", "docs/speed.md")]
    assert pages[0] == pages[1]


@pytest.mark.long
def test_the_benchmark_of_speed_writes_its_page(root, tmp_path):
    page = tmp_path / "speed.md"
    shutil.copy(root / "docs" / "speed.md", page)
    (tmp_path / "pictures").mkdir()
    command = ["benchmarks/throughput.py", "--docs", str(page), "--exercise", "worked_calculation"]
    small = ["--class", "2", "--stock", "2", "--rounds", "1", "--sizes", "2", "4", "--pages", "2"]
    done = subprocess.run([sys.executable, *command, *small], cwd=root, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    before, after = sections((root / "docs" / "speed.md").read_text()), sections(page.read_text())
    assert before.keys() == after.keys()
    assert {name for name in before if before[name] == after[name]} == {"start", "machines", "simulated"}  # of others
    assert "| 4 |" in after["growth"]
    assert (tmp_path / "pictures" / "growth.png").stat().st_size > 5000


@pytest.mark.slow
def test_the_floor_asks_each_question_of_what_the_notebook_left(root, monkeypatch):
    """A question of `sin_regression` puts another class there; the next ones are to train a network all the same."""
    monkeypatch.syspath_prepend(str(root / "benchmarks"))
    throughput = importlib.import_module("throughput")
    answered = []

    def noting(values, into):
        answered.append(into)
        gather(values, into)

    monkeypatch.setattr(throughput, "gather", noting)
    throughput.floor(root, "sin_regression", figures=False)()
    fits = [values["fit"] for values in answered if "fit" in values]
    assert len(fits) == 3
    assert all(np.mean((fit - np.sin(np.linspace(-np.pi, np.pi, 100))) ** 2) < 0.03 for fit in fits)


# Many machines --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def machines(root):
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root / "benchmarks"))
        yield importlib.import_module("machines")


def test_one_worker_takes_all_notebooks_one_after_the_other(machines):
    seconds, _ = machines.simulated([2.0] * 10, 1, machines.Costs(0.0, 0.0), way=0.0)
    assert seconds == pytest.approx(20.0)


def test_two_workers_are_done_in_half_the_time_when_nothing_else_costs(machines):
    seconds, share = machines.simulated([2.0] * 10, 2, machines.Costs(0.0, 0.0), way=0.0)
    assert (seconds, share) == (pytest.approx(10.0), 0.0)


def test_the_coordinator_is_the_limit_of_many_workers(machines):
    seconds, share = machines.simulated([1.0] * 1000, 500, machines.Costs(0.01, 0.0), way=0.0)
    assert seconds == pytest.approx(1.0 + 1000 * 0.01, rel=0.01)
    assert share > 0.9


@pytest.mark.slow
@given(
    st.lists(st.floats(0.0, 5.0), min_size=1, max_size=60), st.integers(1, 9), st.floats(0.0, 0.5), st.floats(0.0, 0.5)
)
def test_nothing_is_done_faster_than_its_slowest_part_allows(machines, times, workers, here, there):
    seconds, share = machines.simulated(times, workers, machines.Costs(here, there), way=0.0)
    least = max(sum(times) / workers, max(times), len(times) * here, len(times) * there)
    assert seconds >= least * (1 - 1e-9)
    assert seconds <= sum(times) + len(times) * (here + there) + 1e-9
    assert 0.0 <= share <= 1.0 + 1e-9
