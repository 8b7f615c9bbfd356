"""What is said of a place."""

import numpy as np
import pytest

from autograder.locate.quantities import ELEMENTARY, Quantity
from autograder.locate.words import sentence


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
