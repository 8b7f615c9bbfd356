"""A miniature course: two sheets, three notebooks, a guide, a toolkit and a data file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from autograder.build import Problem, build, check
from autograder.exercise import Exercise, Line, Probe, Question, Written

DOUBLING = '''\
# ---
# jupyter:
#   kernelspec:
#     display_name: Some other kernel
#     name: other
# ---

# %% [markdown] text="title"
# Twice as much.

# %% given="setup"
import numpy as np

# %% student="double"
def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    factor = np.ones(3).sum() - 1
    return factor * x
    ### END SOLUTION


# %% selfcheck="double"
# Do you get 4?
double(2)

# %% question="twice"
# double(x) {line}, which is twice x.

# %% question="zero"
# double(0).

# %% [markdown] written="why"
# ## Say why
#
# Why does this work?
#
# === BEGIN MARK SCHEME ===
# One point for saying that addition doubles.
# === END MARK SCHEME ===
'''

ADDING = """\
# %% [markdown] text="title"
# More.

# %% student="total"
total = 12.625 + 3

# %% question="sum"
# the value of total.

# %% [markdown] written="words"
# ## In words
"""

GUIDE = """\
# %% [markdown] text="title"
# # How to begin

# %% open="try"
2 + 2
"""


def exercise(name: str, sheet: str, points: dict[str, float], written: dict[str, float]) -> Exercise:
    """An exercise with one line per question and nothing that could mark it."""
    probe = Probe(len, lambda rng: ())
    questions = tuple(Question(key, key, (Line("line", value),), probe, lambda *_: {}) for key, value in points.items())
    parts = {key: (key,) for key in (*points, *written)}
    persons = tuple(Written(key, key, value) for key, value in written.items())
    return Exercise(name, sheet, name.capitalize(), 10, 1, questions, parts, persons)


@dataclass
class Course:
    """The miniature course on disk, with what tests do to it."""

    root: Path
    exercises: tuple[Exercise, ...]

    doubling = "reference/foundations/doubling.py"
    adding = "reference/by_hand/adding.py"

    def edit(self, path: str, old: str, new: str) -> None:
        text = (self.root / path).read_text()
        assert old in text
        (self.root / path).write_text(text.replace(old, new, 1))

    def line(self, path: str, part: str) -> int:
        return next(n for n, line in enumerate((self.root / path).read_text().split("\n"), start=1) if part in line)

    def build(self) -> list[str]:
        return [path.as_posix() for path in build(self.root, exercises=self.exercises)]

    def check(self) -> list[Problem]:
        return check(self.root, exercises=self.exercises)

    def files(self, *folders: str) -> dict[str, bytes]:
        paths = (path for folder in folders for path in (self.root / folder).rglob("*") if path.is_file())
        return {path.relative_to(self.root).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture
def course(tmp_path: Path) -> Course:
    texts = {
        Course.doubling: DOUBLING,
        Course.adding: ADDING,
        "reference/foundations/doubling_variants.py": "WRONG = 'return x'\n",
        "reference/by_hand/data/numbers.csv": "1,2\n",
        "reference/guide/beginning.py": GUIDE,
        "reference/toolkit/backprop.py": "def plot():\n    pass\n",
        "reference/toolkit/selfcheck.py": "def check(network):\n    return network is not None\n",
        "reference/toolkit/simple_network.py": "def forward(X):\n    return 2 * X + 1\n",
    }
    for name, text in texts.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    exercises = (
        exercise("doubling", "foundations", {"twice": 3, "zero": 1}, {"why": 2}),
        exercise("adding", "by_hand", {"sum": 1}, {"words": 4}),
    )
    return Course(tmp_path, exercises)
