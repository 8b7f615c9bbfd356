"""What is said of a place."""

import numpy as np
import pytest

from autograder.locate.attach import Code, to_place
from autograder.locate.locate import Repair, Solution
from autograder.locate.quantities import ELEMENTARY, GRADIENT, Quantity
from autograder.locate.words import sentence
from autograder.sandbox import Cell, Job


def quantity(text, value=0.0):
    return Quantity(text, text, ELEMENTARY, (np.array(value),))


@pytest.mark.parametrize(
    ("code", "due", "given", "text"),
    [
        ("0.5", "1", "0.5", "1 is due here, not `0.5`."),
        ("2", "the learning rate", "", "The learning rate is due here, not `2`."),
        ("x", "1", "0.5", "`x` is 0.5. Here 1 is due."),
    ],
)
def test_a_number_is_not_said_to_be_itself(code, due, given, text):
    assert sentence("value", code, quantity(due), quantity(given) if given else None, []) == text


@pytest.mark.parametrize(
    ("code", "is_told"),
    [("[p, q]", False), ("(p, q)", False), ("p", False), ("[p, given]", True), ("[2 * p, q]", True), ("2 * p", True)],
)
def test_of_names_that_only_gather_what_is_worked_out_elsewhere_nothing_is_told(code, is_told):
    source = f"p = 3\nq = p\nfound = {code}"
    mine = Code(Job((Cell("mine", source),)), {0: "mine"})
    due = Quantity("asked found", "`found`", GRADIENT, (np.ones(2),))
    repair = Repair("asked", 0, 3, 3, 8, len("found = " + code), -1, "value", due, None, ("found",))
    solution = Solution({"exact": [{}]}, (due,))
    assert bool(to_place(repair, solution, mine)) == is_told
