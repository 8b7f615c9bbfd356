"""What a text forbids costs something: where it says that arguments stay as they are, a variant changes one."""

import re

import pytest

from autograder.audit.variants import load_variants
from autograder.exercises import all_exercises, load

PROMISES = (
    r"must stay as (it|they)",
    r"passed in stay as they",
    r"itself stays as it",
    r"`x` stays as it",
    r"leaves `X` and `Y` as",
    r"leave those that you get alone",
    r"do not change the arrays",
)


def promises(root, exercise):
    script = (root / "reference" / exercise.sheet / f"{exercise.name}.py").read_text()
    prose = " ".join(line.removeprefix("#").strip() for line in script.splitlines() if line.startswith("#"))
    return {promise for promise in PROMISES if re.search(promise, prose)}


def charged(root, exercise):
    """The questions in which a wrong variant is told that it changes an argument."""
    named = [item for variant in load_variants(root, exercise).wrong for item in variant.named.items()]
    return {line.split(".")[0] for line, mistakes in named if "argument-changed-in-place" in mistakes}


def test_every_way_to_promise_it_is_some_texts_own(root):
    assert set().union(*(promises(root, one) for one in all_exercises())) == {*PROMISES}


@pytest.mark.parametrize("exercise", all_exercises(), ids=lambda one: one.name)
def test_an_argument_that_is_changed_costs_where_the_text_forbids_it_and_only_there(root, exercise):
    assert bool(charged(root, exercise)) == bool(promises(root, exercise))


@pytest.mark.parametrize("name", ["normalisation", "optimisers"])
def test_a_text_that_promises_it_for_all_that_follows_is_held_everywhere(root, name):
    exercise = load(name)
    assert charged(root, exercise) == {one.id for one in exercise.questions} - {"descend_path"}
