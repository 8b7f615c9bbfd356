"""Where a student has numbers of their own, what is due follows from these, and not from those of the sheet."""

from types import SimpleNamespace

import numpy as np
import pytest

from autograder.exercises import all_exercises, load
from autograder.locate.attach import _called
from autograder.locate.locate import solutions
from autograder.personal import OwnNumbers, _own_exercise, numbers_of
from autograder.sandbox import Job

NAMES = [one.name for one in all_exercises() if one.personal is not None]
CLASS = OwnNumbers(b"a secret for tests of places", frozenset({"ada", "bo"}), tuple(NAMES))


def sheet_answers(exercise, probe):
    """What the course's solution answers: it calculates with the numbers of the sheet."""
    personal = exercise.personal
    names = [line.name for one in exercise.questions if one.probe is probe for line in one.lines]
    truth = personal.truth(personal.sheet)
    return {name: truth[name].tolist() for name in names}


def by_hand(exercise):
    return {one.probe.name: one.probe for one in exercise.questions if one.judge is exercise.personal.judge}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_due_follows_from_the_students_numbers(name):
    sheet, ada = load(name), _own_exercise(CLASS, name, "ada")
    numbers, recorded = (
        numbers_of(CLASS, name, "ada"),
        {"values": [np.array(0.123)], "whole": "", "size": 1, "formula": ""},
    )
    for called, probe in by_hand(sheet).items():
        own = next(one.probe for one in ada.questions if one.probe.name == called)
        answers = {"answers": [sheet_answers(sheet, probe)], "quantities": [recorded], "rows": []}
        answers |= {"in_calls": [], "handed": []}
        outcome = SimpleNamespace(answers={called: [SimpleNamespace(status="answered", values=answers)]})
        for exercise, asked, given in ((sheet, probe, sheet.personal.sheet), (ada, own, numbers)):
            found = solutions(exercise, 1, Job(cells=()), [], lambda job, outcome=outcome: outcome, [asked])[called]
            exact = found.asked["exact"][0]
            for line, value in sheet.personal.truth(given).items():
                if line in exact:
                    np.testing.assert_allclose(np.ravel(exact[line]), value.ravel(), err_msg=line)
            # what the solution's expressions gave are quantities of the sheet alone
            assert any(one.values[0] == pytest.approx(0.123) for one in found.table if one.values[0].ndim == 0) == (
                exercise is sheet
            )


@pytest.mark.parametrize("name", NAMES)
def test_equal_code_of_students_with_other_numbers_is_searched_again(name):
    exercises = [load(name), *(_own_exercise(CLASS, name, student) for student in ("ada", "bo"))]
    assert len({_called(one, [q.probe for q in one.questions]) for one in exercises}) == 3
    for one in exercises:
        others = [q.probe for q in one.questions if q.probe.name not in by_hand(load(name))]
        assert _called(one, others) == name
