"""What the journal keeps of marks comes back as it was, and what is damaged is told."""

import json
import zlib

import pytest

from autograder.grading.journal import Entry, JournalProblem, packed
from autograder.marking import LineMark, Marks, QuestionMark, to_json

QUESTION = QuestionMark("q", "Q", 1.0, 2.0, "wrong", (), "m\nn", (LineMark("a", "A", 1.0, 2.0, "wrong"),), ())
MARKS = Marks("ada", "training", "tanh_swap", (QUESTION,), isolation="full", seed=3, notes=("n",))


def kept(record: bytes) -> Entry:
    return Entry("ada", "training", "tanh_swap", "stamp", "run", 3, "complete", record)


@pytest.mark.parametrize(
    "record", [packed(MARKS), zlib.compress(json.dumps(to_json(MARKS)).encode())], ids=["now", "before"]
)
def test_marks_come_back_as_they_were(record):
    assert kept(record).read_marks == MARKS


@pytest.mark.parametrize("questions", ["[1]", '["q"]', '{"q": 1}', "[{}]", "nothing", "[null]"])
def test_damaged_marks_are_told(questions):
    about = json.dumps(to_json(MARKS) | {"questions": []})
    with pytest.raises(JournalProblem, match="ada"):
        _ = kept(zlib.compress(f"{about}\n{questions}".encode())).read_marks
