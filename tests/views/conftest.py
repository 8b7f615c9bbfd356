"""Records with every trap that an export must survive, and the comparison with golden files.

`UPDATE_GOLDEN=1 python -m pytest tests/views` writes the golden files anew: read the difference before committing it.
"""

import os
from pathlib import Path

import pytest

from autograder.marking import LineMark, Marks, Place, QuestionMark, Span

GOLDEN = Path(__file__).with_name("golden")

HOSTILE = 'NameError: <script>|`x`|\n::error::gone\x00\x1b[31m @team, 50% "done"; =1+1 ]]> \u00e9\u4e2d'


CODE = 'self.A1 * (1 -\n    "<b>|@team %0A::error::")'
PLACE = Place(
    "network", 12, 13, 8, 27, CODE, "sigmoid'(Z1)", 2, "tanh'(Z1)",
    "`self.A1 * …` is the derivative of the sigmoid at Z1. Here the derivative of tanh is due.", [[0.25]], [[1.0]],
)  # fmt: skip
SOUND = Span("network", 11, 11, 8, 14, "A2 - Y", "dZ2")


def question(name, points, most, status, message="", place=None, **more):
    numbers = {"expected": [[1.0, 2.0]], "got": [[1.0, "nan"]]}
    lines = (LineMark("a", "a, the first", points, most, status, message=message, place=place, **numbers),)
    return QuestionMark(name, f"Question {name}", points, most, status, message=message, lines=lines, **more)


@pytest.fixture(scope="session")
def records():
    """A right one, a wrong one with hostile text, one of which a question needs a person, and an unreadable one."""
    return [
        Marks(
            "ada",
            "training",
            "tanh_swap",
            (
                question("forward_tanh", 5.0, 5.0, "correct"),
                question("output_gradients", 4.0, 4.0, "correct"),
                question("hidden_gradients", 8.0, 8.0, "correct"),
                question("training_report", 3.0, 3.0, "correct"),
            ),
            isolation="full",
            seed=7,
            written_points=2.5,
            digest="d",
            seconds=0.25,
        ),
        Marks(
            'O\'Neil, "Bo"',
            "training",
            "tanh_swap",
            (
                question(
                    "forward_tanh", 2.5, 5.0, "wrong", "a: It is the sign.", PLACE, mistakes=("sign",), sound=(SOUND,)
                ),
                question("output_gradients", 0.0, 4.0, "raised", HOSTILE),
                question("hidden_gradients", 0.0, 8.0, "missing", "Not | there.", remarks=("You compute in float32.",)),
                question("training_report", 0.0, 3.0, "timed_out", "Too slow."),
            ),
            isolation="reduced",
            seed=7,
            notes=("A deleted cell was put back.",),
            seconds=1.5,
        ),
        Marks(
            "=cmd()",
            "training",
            "tanh_swap",
            (
                question("forward_tanh", 5.0, 5.0, "correct"),
                question("output_gradients", 0.0, 4.0, "grader_error", "The grader failed. A person will look at it."),
            ),
            isolation="full",
            seed=7,
            seconds=0.5,
        ),
        Marks("zoe@example.org", "by_hand", "worked_calculation", (), seed=7, error="x.ipynb is not valid JSON."),
    ]


@pytest.fixture
def golden():
    """golden(name, text): compare with the file, which is written only when asked for."""

    def compare(name, text):
        path = GOLDEN / name
        if os.environ.get("UPDATE_GOLDEN"):
            path.write_bytes(text.encode())
        assert text == path.read_bytes().decode(), f"{name} has changed: see tests/views/conftest.py"

    return compare
