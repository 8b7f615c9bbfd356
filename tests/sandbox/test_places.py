"""What is answered with plain values as they were where a question stands, and what was there before an error."""

from __future__ import annotations

import numpy as np
import pytest

from autograder.sandbox import Answer, Ask, Outcome
from autograder.sandbox.inside import places

from .conftest import Run, ask


def one(outcome: Outcome) -> Answer:
    ((answer,),) = outcome.answers.values()
    return answer


def read(*names: str, cells: tuple[str, ...] = ("a",)) -> Ask:
    return ask(f"return {{name: getattr(student, name, None) for name in {names!r}}}", cells=cells)


def test_a_value_that_a_later_cell_changes_is_answered_as_it_was_too(run: Run) -> None:
    sources = "loss, kept = 1.5, 2", "loss = 99.0"
    answer = one(run(*sources, asks=(read("loss", "kept"),), places={"a": 1}))
    assert answer.values == {"loss": 99.0, "kept": 2}
    assert answer.earlier["a"].values == {"loss": 1.5, "kept": 2}


def test_every_graded_cell_sees_its_own_time(run: Run) -> None:
    sources = "z = 1", "loss = 2", "z = 3", "loss = 4"
    answer = one(run(*sources, asks=(read("z", "loss", cells=("a", "b")),), places={"a": 1, "b": 2, "other": 1}))
    assert answer.values == {"z": 3, "loss": 4}
    assert answer.earlier["a"].values == {"z": 1, "loss": 4}, "what was not there yet is taken from the end"
    assert answer.earlier["b"].values == {"z": 1, "loss": 2}


@pytest.mark.parametrize(
    "change",
    ["x *= 10", "row[0] = 9", "row += [2]", "nested['a'][0] = 9", "nested.clear()", "del x", "x = print", "x = x[:1]"],
)
def test_what_is_changed_in_place_or_taken_away_is_remembered(run: Run, change: str) -> None:
    before = "import numpy as np\nx, row, nested = np.array([1.0, 2.0]), [1], {'a': [1, np.zeros(2)]}"
    answer = one(run(before, change, asks=(read("x", "row", "nested"),), places={"a": 1}))
    then = answer.earlier["a"].values
    np.testing.assert_array_equal(then["x"], [1.0, 2.0])
    assert then["row"] == [1]
    assert then["nested"]["a"][0] == 1


@pytest.mark.parametrize(
    "sources",
    [
        ("x = 1", "y = 2"),
        ("x = 1", "x = 1"),
        ("y = 2", "x = 1"),
        ("x = ...", "x = 1"),
        ("x = None", "x = 1"),
        ("def x(): return 1", "def x(): return 2"),
        ("class x: pass", "x = 1"),
        ("import numpy as np\nx = np.zeros(10**6)", "x = 1"),
    ],
)
def test_nothing_is_asked_twice_for_what_is_equal_open_or_no_plain_value(run: Run, sources: tuple[str, ...]) -> None:
    assert one(run(*sources, asks=(read("x"),), places={"a": 1})).earlier == {}


def test_a_function_sees_the_notebook_as_it_is_in_the_end(run: Run) -> None:
    sources = "n = 1\ndef f(): return n", "n = 2"
    answer = one(run(*sources, asks=(ask("return {'f': student.f()}", cells=("a",)),), places={"a": 1}))
    assert (answer.values, answer.earlier) == ({"f": 2}, {})


def test_where_the_last_values_make_an_error_the_earlier_ones_are_answered(run: Run) -> None:
    question = ask("return {'x': student.x[0]}", cells=("a",))
    answer = one(run("x = [1]", "x = 5", asks=(question,), places={"a": 1}))
    assert answer.status == "raised"
    assert (answer.earlier["a"].status, answer.earlier["a"].values) == ("answered", {"x": 1})


def test_a_cell_that_is_left_out_changes_no_place(run: Run) -> None:
    """After a crash the notebook is run again without the cell that made it."""
    sources = "x = 1", "import os\nos._exit(0)", "x = 2"
    outcome = run(*sources, asks=(read("x"),), places={"a": 1})
    assert outcome.reruns == 1
    assert (one(outcome).values, one(outcome).earlier["a"].values) == ({"x": 2}, {"x": 1})


HOSTILE = """
class Meta(type):
    def __getattr__(cls, name):
        while True: pass
class Slow(metaclass=Meta): pass
x, slow = 1, Slow()
"""


@pytest.mark.slow
def test_looking_at_values_ends(run: Run) -> None:
    answer = one(run(HOSTILE, "x = 2", asks=(read("x"),), places={"a": 1}))
    assert (answer.status, answer.values) == ("answered", {"x": 2})


def test_a_copy_has_its_limits() -> None:
    deep: list = []
    for _ in range(10):
        deep = [deep]
    loop: list = []
    loop.append(loop)
    names = {"deep": deep, "loop": loop, "long": [0] * 2000, "_hidden": 1, "array": np.zeros(10**5), "kept": [print, 1]}
    assert places.remembered(names) == {"kept": [print, 1]}


# What was there before an error ---------------------------------------------------------------------------------------

PARTS = """
def probe(student, given):
    net = student.Net()
    yield {"a": net.a}
    try:
        net.go(given["n"])
    finally:
        yield {"b": net.b, "c": getattr(net, "c", None)}
    yield {"d": 4}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("1 / 0", "raised"),
        ("raise NotImplementedError", "missing"),
        ("raise SystemExit", "raised"),
        ("while True: pass", "timed_out"),
        ("bytearray(1 << 40)", "out_of_memory"),
        ("print('x' * 10**7)", "output_limit"),
    ],
)
def test_what_a_probe_has_yielded_counts_whatever_is_raised_afterwards(run: Run, error: str, status: str) -> None:
    source = f"""
class Net:
    a = [1]
    b = None
    def go(self, n):
        self.a[0] = 99
        self.b = 2
        if n:
            {error}
        self.c = 3
"""
    whole, cut = run(source, asks=(Ask("q", PARTS, ({"n": 0}, {"n": 1})),), question_cpu_seconds=1.0).answers["q"]
    assert (whole.status, whole.values) == ("answered", {"a": [1], "b": 2, "c": 3, "d": 4})
    assert (cut.status, cut.values["b"], cut.values["c"]) == (status, 2, None)
    assert "d" not in cut.values
    assert cut.message


def test_a_probe_that_yields_no_dict_is_our_fault(run: Run) -> None:
    assert one(run("x = 1", asks=(Ask("q", "def probe(s, g):\n    yield 1", ({},)),))).status == "grader_error"
