"""Numbers of one's own, in every calculation by hand that has them: stated, true, told from those of others."""

import random
import re

import nbformat
import numpy as np
import pytest

from autograder.exercise import Reply
from autograder.exercises import all_exercises, load
from autograder.exercises import computational_graph as graph
from autograder.exercises import softmax_by_hand as softmax
from autograder.exercises import worked_calculation as calculation
from autograder.exercises.own_numbers import coincidences
from autograder.marking.by_hand import work_out_all
from autograder.personal import rewritten

PARTS = {
    "computational_graph": (graph.ALL, graph.start),
    "softmax_jacobian": (softmax.STEPS["three_units"], softmax.start),
    "worked_calculation": (calculation.ALL, calculation.start),
}
NAMES = sorted(PARTS)


def drawn(name, seed):
    return load(name).personal.draw(random.Random(seed).random)


def marked(name, given, values, others=()):
    personal = load(name).personal
    judge = personal.judging(lambda: [personal.sheet, *others])
    lines = [line for one in load(name).questions if one.judge is personal.judge for line in one.lines]
    return judge(lines, [Reply(given, values, shown=True)])


def test_these_are_all():
    assert sorted(one.name for one in all_exercises() if one.personal is not None) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_the_same_for_ever_and_hardly_those_of_another(name):
    told = [load(name).personal.in_words(drawn(name, seed)) for seed in range(100)]
    assert told == [load(name).personal.in_words(drawn(name, seed)) for seed in range(100)]
    assert len({*told}) > 80
    assert load(name).personal.in_words(load(name).personal.sheet) not in told


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(3))
def test_the_formulas_agree_with_the_exact_values_and_every_slip_shows(name, seed):
    steps, start = PARTS[name]
    given = drawn(name, seed)
    exact, found = load(name).personal.truth(given), work_out_all(steps, start(given))
    for step in steps:
        np.testing.assert_allclose(np.ravel(found[step.name]), exact[step.name].ravel(), rtol=1e-12, err_msg=step.name)
    assert not [told for told in coincidences(steps, start(given)) if "" in told[1] and "step-too-small" not in told[1]]


@pytest.mark.parametrize("name", NAMES)
def test_own_values_earn_everything_and_those_of_others_nothing(name):
    personal, mine, theirs = load(name).personal, drawn(name, 1), drawn(name, 2)
    right = personal.truth(mine)
    assert {verdict.share for verdict in marked(name, mine, right, [theirs]).values()} == {1}
    for other in (theirs, personal.sheet):
        copied = personal.truth(other)
        verdicts = marked(name, mine, copied, [theirs])
        apart = [line for line in verdicts if not np.allclose(copied[line], right[line], rtol=2e-3)]
        assert len(apart) > len(verdicts) / 2
        for line in apart:
            assert (verdicts[line].share, verdicts[line].mistakes) == (0, ("numbers-of-another",)), line
            assert personal.in_words(mine) in verdicts[line].hint


@pytest.mark.parametrize("name", NAMES)
def test_a_slip_in_own_numbers_is_no_copy(name):
    steps, start = PARTS[name]
    mine, theirs = drawn(name, 1), drawn(name, 2)
    slip = steps[0].slips[0]
    known = start(mine) | {steps[0].name: work_out_all([steps[0]], start(mine))[steps[0].name]}
    wrong = work_out_all([type(steps[0])(steps[0].name, 0, slip.formula)], known)
    values = work_out_all(steps[1:], wrong)
    verdicts = marked(name, mine, {step.name: values[step.name] for step in steps}, [theirs])
    assert [line for line, verdict in verdicts.items() if verdict.share < 1] == [steps[0].name]
    assert verdicts[steps[0].name].mistakes == (slip.id,)


def test_a_part_that_is_copied_alone_is_told():
    mine, theirs = drawn("computational_graph", 1), drawn("computational_graph", 2)
    values = graph.truth(mine) | {name: graph.truth(theirs)[name] for name in ("edges", "da")}
    verdicts = marked("computational_graph", mine, values, [theirs])
    assert {line for line, verdict in verdicts.items() if verdict.share < 1} == {"edges", "da"}
    assert verdicts["da"].mistakes == ("numbers-of-another",), "it does not follow from edges of another"


@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_states_the_students_numbers_and_no_others(root, name):
    personal, given = load(name).personal, drawn(name, 5)
    released = nbformat.read(root / "assignments" / load(name).sheet / f"{name}.ipynb", as_version=4)
    made = rewritten(released, exercise=name, given=given, student="ada")
    changed = {
        new.metadata.nbgrader.grade_id: new.source
        for old, new in zip(released.cells, made.cells, strict=True)
        if old.source != new.source
    }
    assert {*changed} <= {cell for cell, _ in personal.texts(given)} | {personal.below[0]}
    for cell, text in personal.texts(given):
        assert text in (changed.get(cell) or text)
    assert "drawn for `ada`" in changed[personal.below[0]]
    same = rewritten(released, exercise=name, given=personal.sheet, student="ada")
    for old, new in zip(released.cells, same.cells, strict=True):
        assert re.sub(r"\n\*\*The numbers below.*\n", "", new.source) == old.source
