"""What is known to be right beside a wrong answer: what the other questions are about, where these have all points."""

from types import SimpleNamespace

import pytest

from autograder.exercise import Probe
from autograder.locate.beside import right_beside

CELL = """
def split(X):
    return X

def study(X):
    return split(X)

class Net:
    pass

class Own(Net):
    pass
"""


def asks_both(student, given):
    return {"study": student.study(given["X"]), "own": student.split(given["X"])}


def asks_split(student, given):
    return {"split": student.split(given["X"])}


def asks_net(student, given):
    student.split = len
    return {"net": student.Net().loss}


def asks_study_of_net(student, given):
    return {"study": student.study(student.Net())}


def asks_own(student, given):
    return {"own": student.Own().loss, "net": student.Net().loss}


@pytest.mark.parametrize(
    ("wrong", "full", "names"),
    [
        (asks_both, [asks_split, asks_net], ["Net", "split"]),  # the probe reads study, too, which is left
        (asks_split, [asks_both], []),  # nothing would be left
        (asks_study_of_net, [asks_net], []),  # of a class only some methods may have been asked for
        (asks_own, [asks_net], ["Net"]),  # but the class that is made of it is what is asked
    ],
)
def test_what_has_all_points_elsewhere_is_right_where_something_is_left(wrong, full, names):
    probes = {one.__name__: Probe(one, lambda rng: ()) for one in (wrong, *full)}
    exercise = SimpleNamespace(question=lambda id: SimpleNamespace(probe=probes[id]))
    marks = [
        SimpleNamespace(id=id, lines=[SimpleNamespace(points=0.0 if id == wrong.__name__ else 1.0, max_points=1.0)])
        for id in probes
    ]
    assert right_beside(exercise, marks, probes[wrong.__name__], [CELL]) == names
