"""What holds for every exercise of the course."""

import ast
import builtins
import copy

import numpy as np
import pytest

from autograder.audit.variants import load_variants
from autograder.build.submission import solutions
from autograder.exercise import SHEETS
from autograder.exercises import NAMES, all_exercises, load
from autograder.in_kernel import _Student
from autograder.marking import challenges

EXERCISES = all_exercises()


@pytest.mark.parametrize("exercise", EXERCISES, ids=NAMES)
def test_the_name_is_the_same_word_everywhere(exercise, root):
    assert load(exercise.name) is exercise
    assert exercise.sheet in SHEETS
    for path in (
        f"reference/{exercise.sheet}/{exercise.name}.py",
        f"reference/{exercise.sheet}/{exercise.name}_variants.py",
        f"source/{exercise.sheet}/{exercise.name}.ipynb",
        f"assignments/{exercise.sheet}/{exercise.name}.ipynb",
        f"autograder/exercises/{exercise.name}.py",
        f"tests/exercises/test_{exercise.name}.py",
    ):
        assert (root / path).is_file(), path


@pytest.mark.parametrize("exercise", EXERCISES, ids=NAMES)
def test_every_part_is_marked_and_everything_marked_is_a_part(exercise):
    marked = {part.id for part in (*exercise.questions, *exercise.written)}
    assert {name for names in exercise.parts.values() for name in names} == marked


@pytest.mark.parametrize("exercise", EXERCISES, ids=NAMES)
def test_every_line_has_points_and_a_name_of_its_own(exercise):
    for question in exercise.questions:
        names = [line.name for line in question.lines]
        assert len(set(names)) == len(names) > 0
        assert all(line.points > 0 for line in question.lines)


@pytest.mark.parametrize("exercise", EXERCISES, ids=NAMES)
def test_probes_stand_alone(exercise):
    """A probe is sent as text: whatever it names must be its own, a builtin or np."""
    for probe in exercise.probes:
        tree = ast.parse(probe.source)
        (function,) = tree.body
        assert [argument.arg for argument in function.args.args] == ["student", "given"]
        names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
        own = {node.id for node in names if isinstance(node.ctx, ast.Store)} | {"student", "given"}
        own |= {argument.arg for argument in ast.walk(function) if isinstance(argument, ast.arg)}
        own |= {f.name for f in ast.walk(function) if isinstance(f, ast.FunctionDef)}
        own |= {
            (alias.asname or alias.name).split(".")[0]
            for node in ast.walk(function)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        own |= {node.name for node in ast.walk(function) if isinstance(node, ast.ExceptHandler) and node.name}
        free = {node.id for node in names if isinstance(node.ctx, ast.Load)} - own - set(dir(builtins)) - {"np"}
        assert not free, f"{exercise.name}.{probe.name} uses {free}"


@pytest.mark.slow
@pytest.mark.parametrize("exercise", EXERCISES, ids=NAMES)
def test_challenges_are_drawn_from_the_seed_alone(exercise):
    from autograder.marking.mark import _draw

    for probe in exercise.probes:
        one, two, three = _draw(probe, 1), _draw(probe, 1), _draw(probe, 2)
        assert [plain(c.given) for c in one] == [plain(c.given) for c in two]
        if any(not challenge.shown for challenge in one):
            assert [plain(c.given) for c in one] != [plain(c.given) for c in three]
            assert len(one) >= 3, f"{exercise.name}.{probe.name} is asked at fewer than three challenges"
        assert challenges(exercise, 1)[probe.name]


def plain(given):
    """As text: there NaN equals NaN."""
    if isinstance(given, dict):
        return {name: plain(value) for name, value in given.items()}
    if isinstance(given, list) and any(isinstance(one, dict) for one in given):
        return [plain(one) for one in given]
    return repr(given if isinstance(given, list) else np.asarray(given).tolist())


class Noting(dict):
    """What is given, and which of it has been read."""

    def __init__(self, given):
        super().__init__(given)
        self.read = set()

    def __getitem__(self, name):
        self.read.add(name)
        return super().__getitem__(name)

    def get(self, name, default=None):
        self.read |= {name} & self.keys()
        return super().get(name, default)


LONG = {"hidden_size", "reaction_rates", "sin_regression", "ising_phases"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in LONG else name for name in NAMES]
)
@pytest.mark.slow
def test_everything_that_is_sent_is_read_by_its_probe(name, solved, root):
    """What only the judge needs is kept: else a challenge could hold its own answer."""
    exercise = load(name)
    student = _Student(solved(name, **load_variants(root, exercise).around(solutions(root, exercise))))
    for probe in load(name).probes:
        sent, read = set(), set()
        for challenge in challenges(load(name), 1)[probe.name]:
            given = Noting(copy.deepcopy(dict(challenge.given)))
            found = probe.ask(student, given)
            for _ in () if isinstance(found, dict) else found:
                pass
            sent, read = sent | given.keys(), read | given.read
        assert read == sent, f"{probe.name} never reads {sent - read}"
