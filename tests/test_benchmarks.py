"""The pages that benchmarks write: the command runs, and what stands there is what it wrote."""

import re
import shutil
import subprocess
import sys

import pytest


def sections(page):
    return dict(re.findall(r"<!-- (\w+): begin -->\n(.*?)\n<!-- \1: end -->", page, re.DOTALL))


def test_the_page_on_speed_says_of_every_target_whether_its_own_figure_meets_it(root):
    rows = re.findall(r"^\| (.*) \| (.*) \| (.*) \|$", sections((root / "docs/speed.md").read_text())["targets"], re.M)
    assert len(rows[1:]) == 6
    for target, measured, met in rows[1:]:
        limit = float(re.search(r"(\d+(?:\.\d+)?) (?:×|s\b)", target)[1])
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
    small = ["--class", "2", "--stock", "2", "--rounds", "1", "--sizes", "2", "4"]
    done = subprocess.run([sys.executable, *command, *small], cwd=root, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    before, after = sections((root / "docs" / "speed.md").read_text()), sections(page.read_text())
    assert before.keys() == after.keys()
    assert all(before[name] != after[name] for name in before)
    assert "| 4 |" in after["growth"]
    assert (tmp_path / "pictures" / "growth.png").stat().st_size > 5000
