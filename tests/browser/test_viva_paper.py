"""The sheets of an oral check on paper: five questions on one page of A4, their answers on the next."""

import re

import browser
import numpy as np
import pytest

from autograder.views.viva import Asked, Sheet, page

pytestmark = pytest.mark.heavy

LINES = tuple(
    (number, "        " + "self.dW1 = dZ1 @ X.T / m  # " + "x" * 40, number == 12) for number in range(10, 15)
)
LONG = (
    "What does line 12 of your cell 4 compute, and in which shape, when the sizes are "
    + ", ".join(["`W1` 4 × 3"] * 8)
    + "?"
)


def test_five_long_questions_are_one_page_and_their_answers_another(driver, tmp_path, artefacts):
    code = Asked(
        "line", 2, "tanh_swap", LONG, "The gradient of the data term for W1, in the shape 4 × 3. " * 3, code=LINES
    )
    numbers = Asked(
        "unit", 1, "l2_regularization", LONG, "Unit 2 is nearly saturated. " * 8,
        own="Their own code: `dW1` doubles. " * 4,
        tables=tuple((name, np.full((3, 4), -0.12345)) for name in ("W1", "b1", "dW1")),
    )  # fmt: skip
    path = tmp_path / "viva.html"
    path.write_text(page(Sheet("a long name of a student", "training", 7, 2, (code, numbers, code, numbers, code))))
    driver.get(path.as_uri())
    browser.picture(driver, artefacts / "viva.png")
    browser.printed(driver, artefacts / "viva.pdf")
    assert len(re.findall(rb"/Type\s*/Page\b", (artefacts / "viva.pdf").read_bytes())) == 2
