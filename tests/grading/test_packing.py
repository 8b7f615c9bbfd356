"""What came back of a run, packed for the journal and for the way from a worker."""

import pickle
import zlib
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.grading.grade import Ran
from autograder.grading.packing import pack, unpack
from autograder.sandbox import Answer, CellResult, Outcome
from autograder.sandbox.inside import codec

TEXTS = st.text(max_size=8)
PLAIN = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | TEXTS
ANSWERS = st.builds(
    Answer, status=TEXTS, values=st.dictionaries(TEXTS, PLAIN, max_size=3), message=TEXTS, traceback=TEXTS,
    changed_inputs=st.lists(TEXTS, max_size=2).map(tuple), warnings=st.lists(TEXTS, max_size=2).map(tuple),
    earlier=st.dictionaries(TEXTS, st.builds(Answer, status=TEXTS, values=st.just({"a": 1})), max_size=2),
)  # fmt: skip
CELLS = st.builds(
    CellResult, id=TEXTS, status=TEXTS, outputs=st.lists(st.dictionaries(TEXTS, TEXTS, max_size=2), max_size=2),
    execution_count=st.none() | st.integers(1, 99), message=TEXTS, seconds=st.floats(0, 9),
)  # fmt: skip
OUTCOMES = st.builds(
    Outcome, cells=st.lists(CELLS, max_size=2).map(tuple), level=TEXTS, seconds=st.floats(0, 9),
    answers=st.dictionaries(TEXTS, st.lists(ANSWERS, max_size=2).map(tuple), max_size=2),
    peak_memory=st.integers(0, 1 << 40), reruns=st.integers(0, 9),
)  # fmt: skip


@pytest.mark.slow
@given(OUTCOMES, st.booleans())
def test_an_outcome_is_the_same_after_its_way_from_a_worker(outcome, whole):
    ran = Ran(outcome, whole)
    assert pickle.loads(pickle.dumps(ran)) == ran
    assert pickle.loads(pickle.dumps(ran)).packed == pack(outcome)  # so the journal packs nothing twice


def test_no_field_is_left_behind_but_times_that_nobody_reads():
    sample = Outcome((CellResult("a", "ok"),), {"q": (Answer("ok"),)}, "full", 1.0, 1, 0)
    limits = {"max_bytes": 9_999, "max_depth": 9, "max_text": 99, "max_items": 99}
    plain = codec.decode(zlib.decompress(pack(sample)), **limits)["outcome"]
    kept = {Outcome: plain, CellResult: plain["cells"][0], Answer: plain["answers"]["q"][0]}
    left = {kind.__name__: {one.name for one in fields(kind)} - set(found) for kind, found in kept.items()}
    assert left == {"Outcome": set(), "CellResult": {"cpu_seconds"}, "Answer": {"seconds", "cpu_seconds"}}


def test_a_worker_sends_a_page_of_figures_compressed():
    cell = CellResult(
        "a", "ok", [{"output_type": "stream", "name": "stdout", "text": "0.125 0.25\n" * 10_000}], 1, "", 1.0
    )
    assert len(pickle.dumps(Ran(Outcome((cell,), {}, "full", 1.0, 1, 0), True))) < 10_000


@pytest.mark.parametrize("data", [b"", b"nothing", pack(Outcome((), {}, "full", 1.0, 1, 0))[:-9]])
def test_damaged_bytes_are_told(data):
    with pytest.raises(ValueError, match="damaged"):
        unpack(data)
