"""What is instrumented gives the same values: for every reference and every right variant, at every challenge."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from autograder.audit.variants import load_variants
from autograder.build.submission import fill, solutions
from autograder.course import source_notebook
from autograder.exercises import load
from autograder.grading.grade import code_of, grade_notebook, prepare
from autograder.sandbox import shared_sandbox

pytestmark = pytest.mark.slow  # each runs whole notebooks, several times

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def sandbox():
    return shared_sandbox("auto")


def filled(name, variant=None):
    exercise = load(name)
    source, solved = source_notebook(ROOT, exercise), solutions(ROOT, exercise)
    return exercise, fill(source, variant.apply(solved) if variant else solved)


def wrong(name, variant_id):
    return filled(name, load_variants(ROOT, load(name)).find(variant_id))


@pytest.mark.parametrize("name", ["linear_models", "worked_calculation"])
def test_instrumented_cells_answer_as_plain_ones(name, sandbox):
    exercise, notebook = filled(name)
    job = prepare(notebook, exercise, root=ROOT, seed=5).marks.job
    code = code_of(prepare(notebook, exercise, root=ROOT, seed=5), notebook, ROOT)
    plain, hooked = sandbox.run(job), sandbox.run(replace(job, instrumented=tuple(code.own)))
    assert [one.message for one in hooked.cells] == [one.message for one in plain.cells]
    for ask, answers in plain.answers.items():
        for one, other in zip(answers, hooked.answers[ask], strict=True):
            assert one.values.keys() == other.values.keys()
            for key in one.values:
                np.testing.assert_equal(other.values[key], one.values[key])


@pytest.mark.parametrize(
    ("variant", "line", "code", "due"),
    [
        ("tanh-derivative", "hidden_gradients.dW1", "1 - self.A1**2", "sigmoid'(Z1)"),
        ("derivative-at-z", "hidden_gradients.dW1", "self.Z1 * (1 - self.Z1)", "sigmoid'(Z1)"),
        ("dW2-for-W2", "hidden_gradients.dW1", "self.dW2", "W2"),
        ("no-division-by-m", "output_gradients.dW2", "self.A2 - Y", "1/m"),
        ("biases-forgotten", "update_step.b1_new", "def update_parameters(self, learning_rate):", None),
    ],
)
def test_a_mistake_is_found_and_no_mark_changes(variant, line, code, due, sandbox):
    exercise, notebook = wrong("simple_network", variant)
    without = grade_notebook(notebook, exercise, sandbox, root=ROOT, seed=2).marks
    found = grade_notebook(notebook, exercise, sandbox, root=ROOT, seed=2, places=True).marks
    question, name = line.split(".")
    place = next(one.place for one in found.question(question).lines if one.name == name)
    assert (place.cell, place.code, place.due) == ("network", code, due)
    for one, other in zip(found.questions, without.questions, strict=True):
        marks = [(a.points, a.status, a.mistakes) for a in one.lines]
        assert marks == [(b.points, b.status, b.mistakes) for b in other.lines]


def test_a_right_solution_has_no_place(sandbox):
    for variant in load_variants(ROOT, load("simple_network")).right:
        exercise, notebook = filled("simple_network", variant)
        marks = grade_notebook(notebook, exercise, sandbox, root=ROOT, seed=2, places=True).marks
        assert all(line.place is None for question in marks.questions for line in question.lines)


HOSTILE = {
    "an endless loop": "while True:\n            pass",
    "other answers at every run": "dZ1 = dZ1 * np.random.default_rng().normal()",
    "numpy is patched": "np.asarray = None",
    "its own end": "import os; os._exit(0)",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_code_loses_a_place_and_nothing_else(what, sandbox):
    exercise, notebook = wrong("simple_network", "tanh-derivative")
    exercise = replace(exercise, limits={**exercise.limits, "question_cpu_seconds": 1.0, "question_wall_seconds": 60.0})
    for cell in notebook.cells:
        if "dZ1 = " in cell.source:
            cell.source = cell.source.replace("        self.dW1 = ", f"        {HOSTILE[what]}\n        self.dW1 = ")
    without = grade_notebook(notebook, exercise, sandbox, root=ROOT, seed=2).marks
    found = grade_notebook(notebook, exercise, sandbox, root=ROOT, seed=2, places=True).marks
    assert found.points == without.points
    hidden = found.question("hidden_gradients")
    assert all(line.place is None for line in hidden.lines)
