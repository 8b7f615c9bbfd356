"""The same slip made in two questions of a notebook is charged in the first."""

from itertools import combinations

import nbformat
import pytest

from autograder.audit.graders import in_process
from autograder.audit.variants import Variant, load_variants
from autograder.build.submission import fill, solutions
from autograder.exercises import NAMES, load
from autograder.mistakes import NOT_DONE, SYMPTOMS


def repeated(variants):
    """Pairs of single slips that are told the same mistake in different questions, as one notebook each."""
    told = {}
    for variant in variants.wrong:
        if variant.slip and len(variant.loses) == len(variant.named) == 1:
            (names,) = variant.named.values()
            told.setdefault(names, []).append(variant)
    for names, slips in told.items():
        for one, other in combinations(slips, 2):
            questions = {next(iter(slip.loses)).split(".")[0] for slip in (one, other)}
            if len(questions) == 2 and not {*names} & (NOT_DONE | SYMPTOMS):
                edits = {
                    cell: [*one.edits.get(cell, ()), *other.edits.get(cell, ())] for cell in (*one.edits, *other.edits)
                }
                yield Variant(f"{one.id} and {other.id}", "", edits=edits)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_same_slip_in_two_questions_costs_once(root, name):
    exercise = load(name)
    released, solved = (
        nbformat.read(root / "assignments" / exercise.sheet / f"{name}.ipynb", as_version=4),
        solutions(root, exercise),
    )
    grade = in_process(root)
    for variant in repeated(load_variants(root, exercise)):
        try:
            sources = variant.apply(solved)
        except ValueError:
            continue  # both change the same place
        marks = grade(fill(released, sources), exercise)
        lost = [f"{mark.id}.{line.name}" for mark in marks for line in mark.lines if line.points < line.max_points]
        assert len({line.split(".")[0] for line in lost}) == 1, (variant.id, lost)
