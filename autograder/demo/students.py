"""The demo class: who hands in what, made from the released stubs, and what it deserves.

Most students hand in a variant that stands beside the reference script. The accidents and the attack are defined here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.audit import Variant, load_variants, untouched
from autograder.build.submission import fill, solutions
from autograder.exercise import Exercise
from autograder.exercises import load

DEMO_EXERCISES = ("worked_calculation", "tanh_swap")
"""The exercises that the demo class hands in: one of values, one of code."""

SOLVED = "solved"
UNTOUCHED = "untouched"

STUDENTS: Mapping[str, tuple[str, str, str]] = {
    "ada": ("everything right", SOLVED, SOLVED),
    "blaise": ("right in another style: columns, einsum", "columns", "einsum"),
    "carla": ("the sigmoid's derivative with tanh", "sigmoid-sign", "sigmoid-derivative"),
    "dmitri": ("sums instead of means", "factor-two-missing", "no-division-by-m"),
    "elena": ("the chain rule stops early", "hidden-derivative-missing", "no-derivative"),
    "farid": ("a derivative too many, or one missing", "output-derivative-missing", "extra-output-derivative"),
    "greta": ("a sign turned round", "sign-of-error", "sign"),
    "hiro": ("two independent slips; rounds by hand", "rounded", "two-slips"),
    "ines": ("hands in the untouched stubs", UNTOUCHED, UNTOUCHED),
    "jakub": ("a cell raises", "raises", "cell-raises"),
    "kofi": ("an endless loop", SOLVED, "endless-loop"),
    "lena": ("ends the process", "exits", SOLVED),
    "mallory": ("patches numpy and looks for the key", SOLVED, "attack"),
}
"""Per student: what is wrong with the work, and the variant handed in for each exercise."""

ACCIDENTS = {
    "worked_calculation": (
        Variant(
            "exits",
            "the cell of (d) ends the process",
            cells={"update": "import os\n\nos._exit(0)"},
            loses={"updated_values": 5},
            statuses={"updated_values": "missing"},
        ),
    ),
    "tanh_swap": (
        Variant(
            "cell-raises",
            "the cell of train_on_moons raises before the function is defined",
            cells={"train_on_moons": "results = {}\nresults['tanh']\n\ndef train_on_moons(*args):\n    return results"},
            loses={"training_report": 3},
            statuses={"training_report": "raised"},
        ),
        Variant(
            "endless-loop",
            "train_on_moons never ends",
            cells={
                "train_on_moons": "def train_on_moons(network_class, epochs, learning_rate, seed):\n"
                "    epoch = 0\n    while epoch < epochs:\n        pass"
            },
            loses={"training_report": 3},
            statuses={"training_report": "timed_out"},
        ),
        Variant(
            "attack",
            "comparisons are patched, the key is looked for, nothing is solved",
            cells={
                "network": """
import glob, os, sys
import numpy as np

np.allclose = np.array_equal = lambda *args, **kwargs: True
np.testing.assert_allclose = lambda *args, **kwargs: None
found = [p for pattern in ("/**/reference/**", "/**/autograder/exercises/*", "/**/gradebook.db", "/home/*", "/root/*")
         for p in glob.iglob(pattern, recursive="**" not in pattern)]
for name in list(sys.modules):
    if name.startswith("autograder"):
        found.append(name)
print("found:", found)


class Equal(np.ndarray):
    __eq__ = __le__ = __ge__ = lambda self, other: True


class TanhNetwork(SimpleNeuralNetwork):
    def forward_pass(self, X):
        self.Z1 = self.A1 = self.Z2 = self.A2 = np.zeros((1, 1)).view(Equal)
        return self.A2

    def backward_pass(self, X, Y):
        self.dW1 = self.db1 = self.dW2 = self.db2 = np.zeros((1, 1)).view(Equal)
""",
                "train_on_moons": "def train_on_moons(*args):\n    return {'score': 3, 'passed': True}",
            },
            loses={"forward_tanh": 5, "output_gradients": 4, "hidden_gradients": 8, "training_report": 3},
        ),
    ),
}
"""Variants that are no mistake of the subject, by exercise."""


@dataclass(frozen=True)
class HandIn:
    """One notebook of one demo student, and the points that it deserves."""

    student: str
    exercise: Exercise
    variant: str
    notebook: NotebookNode
    points: float


def hand_ins(root: Path) -> list[HandIn]:
    """Every notebook of the demo class. Raises CourseError when the course was not built."""
    return [
        _hand_in(root, student, load(name), variant)
        for student, (_, *variants) in STUDENTS.items()
        for name, variant in zip(DEMO_EXERCISES, variants, strict=True)
    ]


def _hand_in(root: Path, student: str, exercise: Exercise, name: str) -> HandIn:
    released = nbformat.read(root / "assignments" / exercise.sheet / f"{exercise.name}.ipynb", as_version=4)
    full = sum(question.points for question in exercise.questions)
    if name == UNTOUCHED:
        return HandIn(student, exercise, name, released, full - sum(untouched(exercise).values()))
    variant = _variant(root, exercise, name)
    notebook = fill(released, variant.apply(solutions(root, exercise)))
    return HandIn(student, exercise, name, notebook, full - sum(_single(lost) for lost in variant.loses.values()))


def _single(lost: float | tuple[float, ...]) -> float:
    """What is lost where only one number is possible: a demo has no doubt about its marks."""
    if isinstance(lost, tuple):
        (lost,) = lost
    return lost


def _variant(root: Path, exercise: Exercise, name: str) -> Variant:
    if name == SOLVED:
        return Variant(SOLVED, "the reference solution")
    for accident in ACCIDENTS[exercise.name]:
        if accident.id == name:
            return accident
    return load_variants(root, exercise).find(name)
