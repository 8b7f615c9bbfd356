"""Questions: what comes back, under which status, in which words, and that none disturbs another."""

from __future__ import annotations

import numpy as np
import pytest

from autograder.sandbox import Ask, Sandbox
from autograder.sandbox.inside.codec import Unreadable

from .conftest import Run, ask, job


def answers(outcome, name="q"):
    return outcome.answers[name]


def test_a_function_is_asked_at_every_challenge(run: Run) -> None:
    question = ask("return {'y': student.f(given['x'])}", {"x": 3}, {"x": np.eye(2)})
    outcome = run("def f(x): return 2 * x", asks=(question,))
    first, second = answers(outcome)
    assert (first.status, first.values["y"]) == ("answered", 6)
    np.testing.assert_array_equal(second.values["y"], 2 * np.eye(2))


def test_what_a_probe_yields_is_read_at_once_and_counts_even_if_an_error_follows(run: Run) -> None:
    source = (
        "import numpy as np\nclass Net: pass\nnet = Net()\ndef first(): net.a = np.ones(2)\ndef second():\n"
        "    net.a[:] = 7; net.b = 1\n    raise ValueError('no')"
    )
    body = (
        "student.first(); yield {'a': student.net.a}\n"
        "    try: student.second()\n    finally: yield {'b': student.net.b}"
    )
    (answer,) = answers(run(source, asks=(ask(body),)))
    assert (answer.status, answer.message) == ("raised", "ValueError: no (`second`, line 7: `raise ValueError('no')`)")
    assert (answer.values["a"].tolist(), answer.values["b"]) == ([1.0, 1.0], 1)


def test_a_name_that_is_not_there_is_missing(run: Run) -> None:
    (answer,) = answers(run("x = 1", asks=(ask("return {'y': student.TanhNetwork()}"),)))
    assert answer.status == "missing"
    assert answer.message == (
        "`TanhNetwork` is not defined in your notebook: is its cell filled in, and does it run without error?"
    )


@pytest.mark.parametrize(
    ("cell", "error"),
    [
        ("class Net\n    pass", "SyntaxError: expected ':' (line 1)"),
        ("rate = lr * 2\nclass Net: pass", "NameError: name 'lr' is not defined (line 1: `rate = lr * 2`)"),
    ],
)
def test_what_a_stopped_cell_would_have_made_is_an_error_with_the_cells_own_words(run: Run, cell, error) -> None:
    """Finished work is not called missing."""
    (answer,) = answers(run("other = 1", cell, "Net()", asks=(ask("return {'y': student.Net()}"),)))
    assert answer.status == "raised"
    assert answer.message == f"`Net` is not there, because its cell stopped. {error}"


@pytest.mark.slow
def test_a_value_that_a_stopped_cell_would_have_made_has_its_error_too(run: Run) -> None:
    body = "return {name: getattr(student, name, None) for name in ('a', 'b')}"
    (answer,) = answers(run("a = 1\nc = a + d\nb = 2", asks=(ask(body),)))
    assert (answer.status, answer.values["a"], answer.values["b"]) == ("answered", 1, None)
    assert answer.message == (
        "`b` is not there, because its cell stopped. NameError: name 'd' is not defined (line 2: `c = a + d`)"
    )
    for other in (
        "a = 1\nb == 2",
        "a = 1\ndef check():\n    b = 2\n    return dict(b=2)\nprint({'b': 1}, end='')\n1 / 0",
        "print({'b': 1}, end='')\n) b",
    ):
        (answer,) = answers(run(other, asks=(ask(body),)))
        assert answer.message == "", f"{other} would not have made b"


def test_an_error_of_shapes_says_what_there_is(run: Run) -> None:
    source = "import numpy as np\nW, x = np.ones((3, 4)), np.ones((2, 6))\ndef f(): return W @ x"
    (answer,) = answers(run(source, asks=(ask("return {'y': student.f()}"),)))
    assert answer.message == (
        "ValueError: (3, 4) @ (2, 6): the inner sizes 4 and 2 must agree (`f`, line 3: `def f(): return W @ x`)"
    )


def test_an_untouched_stub_is_missing(run: Run) -> None:
    source = "class Net:\n    def backward_pass(self):\n        raise NotImplementedError('todo')"
    (answer,) = answers(run(source, asks=(ask("student.Net().backward_pass(); return {}"),)))
    assert answer.status == "missing"
    assert answer.message == (
        "`backward_pass` is not written yet: replace the line `raise NotImplementedError()` by your solution."
    )


def test_an_attribute_that_was_never_set_is_missing(run: Run) -> None:
    (answer,) = answers(run("class Net: pass", asks=(ask("return {'d': student.Net().dW1}"),)))
    assert (answer.status, answer.message) == ("missing", "`Net` has no `dW1`.")


def test_an_error_names_the_students_line(run: Run) -> None:
    source = "def helper(x):\n    return x / 0\ndef f(x):\n    return helper(x)"
    (answer,) = answers(run(source, asks=(ask("return {'y': student.f(1)}"),)))
    assert answer.status == "raised"
    assert answer.message == "ZeroDivisionError: division by zero (`helper`, line 2: `return x / 0`)"
    assert "probe" not in answer.traceback
    assert "line 4, in f" in answer.traceback


def test_a_bad_probe_is_our_fault(run: Run) -> None:
    asks = (ask("return {'y': npp.ones(2)}"), Ask("broken", "def probe(:", ({},)), Ask("two", "x = 1", ({},)))
    outcome = run("x = 1", asks=asks)
    assert {answer.status for got in outcome.answers.values() for answer in got} == {"grader_error"}


@pytest.mark.parametrize(
    ("events", "status"), [("('exec',)", "raised"), ("('compile',)", "answered"), ("('exec', 'compile')", "raised")]
)
def test_python_put_out_of_order_is_not_our_fault(run: Run, events: str, status: str) -> None:
    source = f"""
import sys
def refuse(event, arguments):
    if event in {events}:
        raise RuntimeError("refused")
def f(x):
    return x
sys.addaudithook(refuse)
"""
    asks = (ask("return {'y': student.f(given['x'])}", {"x": 3}), Ask("broken", "def probe(:", ({},)))
    outcome = run(source, asks=asks)
    (answer,) = answers(outcome)
    assert answer.status == status
    if status == "raised":
        assert "your notebook has changed how Python itself runs code (RuntimeError: refused)" in answer.message
    assert answers(outcome, "broken")[0].status == "grader_error"  # it was at fault before the notebook ran


def test_a_challenge_that_is_no_data_is_our_fault(run: Run) -> None:
    (answer,) = answers(run("x = 1", asks=(ask("return {}", {"x": object()}),)))
    assert answer.status == "grader_error"


def test_an_input_changed_in_place_is_named(run: Run) -> None:
    source = "def f(x, y):\n    x += 1\n    return x + y"
    challenge = {"x": np.zeros(2), "y": np.array([np.nan, 1.0])}
    question = ask("return {'z': student.f(given['x'], given['y'])}", challenge, challenge)
    first, second = answers(run(source, asks=(question,)))
    assert first.changed_inputs == second.changed_inputs == ("x",)
    np.testing.assert_array_equal(second.values["z"], first.values["z"])


def test_scalars_arrive_as_they_were(run: Run) -> None:
    body = "return {'k': [type(given[n]).__name__ for n in ('i', 'f', 's', 'a')]}"
    challenge = {"i": 3, "f": 0.5, "s": np.float32(2), "a": np.array(1.0)}
    (answer,) = answers(run("x = 1", asks=(ask(body, challenge),)))
    assert answer.values["k"] == ["int", "float", "float32", "ndarray"]


def test_numpy_scalars_come_back_as_arrays(run: Run) -> None:
    (answer,) = answers(run("import numpy as np", asks=(ask("return {'x': student.np.float32(0.5)}"),)))
    assert isinstance(answer.values["x"], np.ndarray)
    assert (answer.values["x"].dtype, answer.values["x"].shape) == (np.dtype("float32"), ())


def test_rebinding_in_one_question_does_not_reach_the_next(run: Run) -> None:
    source = "n = 0\ndef bump():\n    global n\n    n += 1\n    return n"
    body = "student.extra = 1; return {'n': student.bump(), 'seen': hasattr(student, 'left')}"
    outcome = run(source, asks=(ask(body, {}, {}), ask(f"student.left = 1; {body}", name="other")))
    assert [answer.values["n"] for answer in answers(outcome)] == [1, 1]


def test_global_settings_are_put_back(run: Run) -> None:
    source = (
        "import numpy as np, os, warnings, builtins\n"
        "np.seterr(all='raise'); os.chdir('/')\nwarnings.simplefilter('error')\n"
        "np.set_printoptions(precision=1); builtins.sum = None\ndef f(x): return np.exp(x)"
    )
    body = "import os; return {'y': student.f(given['x']), 'cwd': os.getcwd(), 'sum': sum([1, 2])}"
    (answer,) = answers(run(source, asks=(ask(body, {"x": np.array([1e4])}),)))
    assert answer.status == "answered", answer.message
    assert answer.warnings == ("RuntimeWarning: overflow encountered in exp",)
    assert answer.values["cwd"] == "/scratch/notebook"


def test_random_numbers_repeat_from_run_to_run_but_not_between_challenges(run: Run) -> None:
    asks = (ask("import random; return {'r': [random.random(), float(np.random.rand())]}", {}, {}),)
    first, second = (run("x = 1", asks=asks) for _ in range(2))
    assert [a.values for a in answers(first)] == [a.values for a in answers(second)]
    assert answers(first)[0].values != answers(first)[1].values


UNREADABLE = [
    ("np.array([[1, 2], [3]], dtype=object)", "it is a list of rows of different length, not an array of numbers"),
    ("student.Net()", "it is a Net, not a number or an array of numbers"),
    ("student.Net", "it is a type, not a number or an array of numbers"),
    ("student.f", "it is a function (was it not called?), not a number or an array of numbers"),
    ("(x for x in [1])", "it is a generator, not a number or an array of numbers"),
    ("{1, 2}", "it is a set, not a number or an array of numbers"),
    ("{1: 2}", "it has a key that is not a short text"),
    ("np.array(['a'])", "it has the dtype <U1, not an ordinary number type such as float64"),
    ("10 ** 30", "it is a whole number of more than 64 bits"),
    ("ValueError('it must be a list')", "it must be a list"),
    ("student.sly", "it is a Sly, not a number or an array of numbers"),
]


@pytest.mark.parametrize(("expression", "words"), UNREADABLE)
def test_what_is_no_data_costs_only_itself_and_says_what_it_is(run: Run, expression: str, words: str) -> None:
    source = """
class Net: pass
def f(): pass
class Sly:
    def __array__(self, *_, **__): raise SystemError("no")
sly = Sly()
"""
    (answer,) = answers(run(source, asks=(ask(f"return {{'a': 1, 'v': {expression}, 'z': [2, {expression}]}}"),)))
    assert (answer.status, answer.values["a"], answer.values["z"][0]) == ("answered", 1, 2)
    assert isinstance(answer.values["v"], Unreadable)
    assert answer.values["v"] == words


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("[0] * 10**6", "it holds more than 20000 values"),
        ("np.zeros((1000, 1000))", "it is far larger than anything that is asked for: an array of shape (1000, 1000)"),
    ],
)
def test_what_is_too_large_costs_only_itself(run: Run, expression: str, words: str) -> None:
    (answer,) = answers(run("x = 1", asks=(ask(f"return {{'a': 1, 'v': {expression}, 'z': 2}}"),)))
    assert (answer.status, answer.values) == ("answered", {"a": 1, "v": words, "z": 2})
    assert isinstance(answer.values["v"], Unreadable)


def test_part_of_a_list_that_is_no_data_is_named(run: Run) -> None:
    question = ask("return {'v': [1, [2, len]], 'l': student.loop}")
    (answer,) = answers(run("loop = [1]\nloop.append(loop)", asks=(question,)))
    first, (second, odd) = answer.values["v"]
    assert (first, second) == (1, 2)
    assert odd == "its entry [1][1] is a function (was it not called?), not a number or an array of numbers"
    assert "nested deeper than" in str(answer.values["l"])


def test_the_places_that_a_student_left_open_are_none(run: Run) -> None:
    (answer,) = answers(run("x = ...", asks=(ask("return {'x': student.x, 'y': [1, student.x]}"),)))
    assert answer.values == {"x": None, "y": [1, None]}


@pytest.mark.slow
def test_what_can_become_an_array_is_one(run: Run) -> None:
    source = "import sympy as s\nM = s.Matrix([[1, 2], [3, s.Rational(1, 2)]])\nx = s.Matrix([s.Symbol('x')])"
    (answer,) = answers(run(source, asks=(ask("return {'M': student.M, 'x': student.x, 'one': 1}"),)))
    np.testing.assert_array_equal(answer.values["M"], [[1, 2], [3, 0.5]])
    assert isinstance(answer.values["x"], Unreadable)
    assert answer.values["one"] == 1


def test_answers_that_are_too_large_together_lose_the_largest(run: Run) -> None:
    body = "return {'large': np.zeros(10**5), 'small': np.ones(3), 'long': [0] * 15_000, 'longer': [0] * 16_000}"
    (answer,) = answers(run("x = 1", asks=(ask(body),)))
    assert answer.status == "answered"
    np.testing.assert_array_equal(answer.values["small"], np.ones(3))
    assert len(answer.values["long"]) == 15_000
    assert answer.values["longer"] == "it is far larger than anything that is asked for: 16001 values"


def test_a_loop_costs_only_its_challenge(run: Run) -> None:
    source = "def f(n):\n    while n: pass\n    return 1"
    question = ask("return {'y': student.f(given['n'])}", {"n": 0}, {"n": 1}, {"n": 0})
    outcome = run(source, asks=(question,), question_cpu_seconds=0.5)
    assert [answer.status for answer in answers(outcome)] == ["answered", "timed_out", "answered"]
    assert "line 2: `while n: pass`" in answers(outcome)[1].message
    assert outcome.reruns == 0


def test_a_crash_costs_only_its_challenge(run: Run) -> None:
    source = "import os\ndef f(n):\n    if n: os._exit(0)\n    return 1"
    asks = (ask("return {'y': student.f(given['n'])}", {"n": 0}, {"n": 1}, {"n": 0}), ask("return {'z': 1}", name="z"))
    outcome = run(source, asks=asks)
    assert [answer.status for answer in answers(outcome)] == ["answered", "crashed", "answered"]
    assert answers(outcome, "z")[0].status == "answered"
    assert outcome.reruns == 1


@pytest.mark.slow
def test_running_out_of_memory_costs_only_its_challenge(run: Run) -> None:
    source = "import numpy as np\nkept = []\ndef f(n):\n    while n: kept.append(np.ones(10**6))\n    return 1"
    outcome = run(source, asks=(ask("return {'y': student.f(given['n'])}", {"n": 1}, {"n": 0}),))
    assert [answer.status for answer in answers(outcome)] == ["out_of_memory", "answered"]


HUNGRY = "import numpy as np\ndef f(n):\n    x = np.ones(n << 17)\n    return x[0]\nf(160)"
"""`f(n)` takes n megabytes for a moment, and a cell has done so too."""


def test_a_question_has_a_memory_limit_of_its_own(run: Run) -> None:
    hungry = ask("return {'y': student.f(given['n'])}", {"n": 160}, {"n": 10}, {"n": 160})
    asks = (hungry, ask("return {'y': student.f(20)}", name="later"))
    outcome = run(HUNGRY, asks=asks, question_memory_bytes=32 << 20)
    assert outcome.cells[0].status == "ok", "the limit of a question is none of the cells'"
    assert [answer.status for answer in answers(outcome)] == ["out_of_memory", "answered", "out_of_memory"]
    assert answers(outcome, "later")[0].status == "answered"
    message = answers(outcome)[0].message
    assert "more memory than the 32 MB that one question may take" in message
    assert "a list that grows in a loop" in message
    assert outcome.reruns == 0


def test_what_cells_keep_does_not_count_against_a_question(run: Run) -> None:
    source = HUNGRY + "\nkept = np.ones(150 << 17)"
    outcome = run(source, asks=(ask("return {'y': student.f(24)}"),), question_memory_bytes=32 << 20)
    assert answers(outcome)[0].status == "answered"


def test_where_the_notebook_has_less_left_its_own_limit_is_named(run: Run) -> None:
    (answer,) = answers(run(HUNGRY, asks=(ask("return {'y': student.f(400)}"),), question_memory_bytes=1 << 30))
    assert answer.status == "out_of_memory"
    assert "more memory than the 256 MB that the notebook may have" in answer.message


def test_prints_in_a_question_are_swallowed_up_to_the_limit(run: Run) -> None:
    source = "def f(n):\n    for _ in range(n): print('x' * 1000)\n    return n"
    outcome = run(source, asks=(ask("return {'y': student.f(given['n'])}", {"n": 3}, {"n": 10**9}),))
    assert [answer.status for answer in answers(outcome)] == ["answered", "output_limit"]


def test_exit_in_a_question_is_only_raised(run: Run) -> None:
    (answer,) = answers(run("def f(): raise SystemExit(0)", asks=(ask("return {'y': student.f()}"),)))
    assert answer.status == "raised"


def test_questions_of_one_job_have_different_names() -> None:
    with pytest.raises(ValueError, match="same id"):
        job("x = 1", asks=(ask("return {}"), ask("return {}")))


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", ""])
def test_a_file_name_that_leads_out_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="file name"):
        job("x = 1", files={name: b""})


@pytest.mark.slow
def test_without_walls_an_honest_notebook_gives_the_same(sandbox: Sandbox, unprotected: Sandbox) -> None:
    honest = job(
        "import numpy as np, helper\nprint(helper.ANSWER, open('d.txt').read())\nW = np.random.randn(3, 2)\n'x'",
        "def f(x): return x @ W",
        "1 / 0",
        asks=(ask("return {'y': student.f(given['x'])}", {"x": np.eye(3)}), ask("return {'y': student.g}", name="g")),
        files={"d.txt": b"data"},
    )
    with_walls, without = sandbox.run(honest), unprotected.run(honest)
    assert [cell.outputs for cell in with_walls.cells] == [cell.outputs for cell in without.cells]
    np.testing.assert_array_equal(answers(with_walls)[0].values["y"], answers(without)[0].values["y"])
    assert answers(with_walls, "g")[0].message == answers(without, "g")[0].message
    assert (with_walls.level, without.level) == ("full", "none")
