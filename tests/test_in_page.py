"""What the pages ask of Python: the same tasks and the same engine, on what people type."""

import json
import re
import sys

import numpy as np
import pytest

from autograder import in_page
from autograder.cli import main
from autograder.site.make import example


@pytest.fixture(scope="module", autouse=True)
def toolkit(root):
    sys.path.insert(0, str(root / "reference" / "toolkit"))
    yield
    sys.path.remove(str(root / "reference" / "toolkit"))


def call(name, *values):
    return json.loads(in_page.call(name, json.dumps(values)))


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.5", 0.5), (" -3 ", -3.0), ("1/4", 0.25), ("2e-3", 2e-3), ("[1, -2/3]", [1.0, -2 / 3]), ("(1, 2)", [1.0, 2.0]),
     ("[[1, 2], [3, 2**3]]", [[1.0, 2.0], [3.0, 8.0]]), ("[]", [])],
)  # fmt: skip
def test_a_typed_value_is_a_number_or_lists_of_numbers(text, value):
    assert in_page.number_of(text) == value


@pytest.mark.parametrize(
    "text",
    ["", "[1,", "x", "'1'", "True", "1 if 1 else 2", "__import__('os')", "[1].append(2)", "2*[1]", "(-1)**0.5", "1j",
     "1/0", "9.0**9.0**9.0**9.0", "[" * 500, "lambda: 1", "{1: 2}", "1;2"],
)  # fmt: skip
def test_nothing_else_is_evaluated(text):
    with pytest.raises(ValueError, match=r"Not a number yet|not a finite number"):
        in_page.number_of(text)


def solved(kind, seed):
    import practice

    task = getattr(practice, kind)(seed)
    return {step.name: json.dumps(task._truth[step.name].tolist()) for step in task.steps}


@pytest.mark.slow
@pytest.mark.parametrize("kind", in_page.KINDS)
def test_every_task_can_be_shown_and_solved(kind):
    task = call("task", kind, 5)
    assert task["seed"] == 5
    names = [name for name, _ in task["wanted"]]
    typed = solved(kind, 5)
    assert list(typed) == names
    found = call("check", kind, 5, typed)
    assert sorted(found["right"]) == sorted(names)
    assert {status for _, status, _ in found["lines"]} == {"ok"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", in_page.KINDS)
def test_a_task_says_nothing_about_cells(kind):
    task = call("task", kind, 5)
    (_, _, wrong), *_ = call("check", kind, 5, {task["wanted"][0][0]: "[[9, 9], [9, 9], [9, 9]]"})["lines"]
    not_yet = call("check", kind, 5, {name: "123.4" for name, form in task["wanted"] if form == "one number"})["lines"]
    said = " ".join([task["intro"], wrong, *(says for _, _, says in not_yet)])
    assert "Not yet. Look at what goes in, and work it out once more, or ask for one step." in said
    assert not [word for word in ("task.", "reveal", "check(") if word in said]


def test_mistakes_are_named_and_what_follows_from_them_is_said():
    typed = solved("worked_calculation", 5)
    z1 = np.array(in_page.number_of(typed["z1"]))
    wrong = {"z1": typed["z1"], "a1": json.dumps(np.tanh(z1).tolist()), "z2": "[0.1,"}
    lines = {name: (status, says) for name, status, says in call("check", "worked_calculation", 5, wrong)["lines"]}
    assert lines["z1"] == ("ok", "Right.")
    assert lines["a1"][0] == "WRONG"
    assert lines["a1"][1].startswith("These are values of tanh.")
    assert lines["z2"][0] == "unclear"
    import practice

    task = practice.worked_calculation(5)
    z2 = practice.compute("W2 @ a1 + b2", {**task.given, "a1": np.tanh(z1)})
    lines = {n: s for n, _, s in call("check", "worked_calculation", 5, wrong | {"z2": str(z2.item())})["lines"]}
    assert lines["z2"] == "It follows rightly from your own a1, which is wrong. Mend that one first."


def test_a_check_remembers_nothing_of_the_one_before():
    typed = solved("worked_calculation", 6)
    assert call("check", "worked_calculation", 6, typed)["right"]
    assert call("check", "worked_calculation", 6, {})["right"] == []


def test_one_step_is_shown_and_no_more():
    (first,) = call("reveal", "worked_calculation", 5, [], [])
    assert first[0] == "z1"
    (second,) = call("reveal", "worked_calculation", 5, ["z1"], ["a1"])
    assert second[0] == "z2"
    assert call("shown", "worked_calculation", 5, ["z2", "z1"]) == [first, second]


def test_a_gradient_is_read_as_the_command_reads_it(tmp_path, capsys):
    point = example()
    options = {"hidden": "tanh", "output": "sigmoid", "loss": "bce", "layout": "columns", "reduction": "mean"}
    found = {one["name"]: one for one in call("read_gradient", options, [point])["parameters"]}
    np.savez(tmp_path / "point.npz", **point)
    arguments = [f"--{name}={value}" for name, value in options.items()]
    assert main(["explain", str(tmp_path / "point.npz"), *arguments, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["parameters"]
    assert {name: (one["verdict"], one["mistakes"]) for name, one in found.items()} == {
        name: (one["verdict"], one["mistakes"]) for name, one in told.items()
    }
    assert found["W1"]["mistakes"] == ["sigmoid-derivative-with-tanh"]
    assert told["W1"]["evidence"]["text"] in found["W1"]["said"]


def test_a_file_is_read_without_unpickling(tmp_path, monkeypatch):
    monkeypatch.setattr(in_page, "LOADED", tmp_path / "loaded.npz")
    options = {"hidden": "tanh", "output": "sigmoid", "loss": "bce"}
    np.savez(tmp_path / "good.npz", **example())
    found = call("read_gradient", options, [list((tmp_path / "good.npz").read_bytes())])
    assert found["points"] == 1
    np.savez(tmp_path / "bad.npz", X=np.array([print], dtype=object))
    with pytest.raises(ValueError, match="plain numeric arrays"):
        call("read_gradient", options, [list((tmp_path / "bad.npz").read_bytes())])


@pytest.mark.parametrize(
    ("point", "said"),
    [(3, "an object of arrays"), ({}, "an object of arrays"), ({"X": "a"}, "X is no array"),
     ({"X": [[1], [1, 2]]}, "X is no array")],
)  # fmt: skip
def test_what_is_no_point_is_said(point, said):
    with pytest.raises(ValueError, match=said):
        call("read_gradient", {"hidden": "tanh", "output": "sigmoid", "loss": "bce"}, [point])


CODE = """
import numpy as np

def gradients(X, Y, W1, b1, W2, b2):
    m = X.shape[1]
    A1 = np.tanh(W1 @ X + b1)
    A2 = 1 / (1 + np.exp(-(W2 @ A1 + b2)))
    dZ2 = (A2 - Y) / m
    dZ1 = (W2.T @ dZ2) * A1 * (1 - A1)
    return dZ1 @ X.T, dZ1.sum(axis=1, keepdims=True), dZ2 @ A1.T, dZ2.sum(axis=1, keepdims=True)
"""
NETWORK = {"hidden": "tanh", "output": "sigmoid", "loss": "bce", "layout": "columns"}
SLIPS = {
    "slope": (),
    "square": (("* A1 * (1 - A1)", "* (1 - A1)**2"),),
    "axis": (("* A1 * (1 - A1)", "* (1 - A1**2)"), ("dZ2 @ A1.T", "dZ2 @ (W1 @ X + b1).T")),
    "transpose": (("* A1 * (1 - A1)", "* (1 - A1**2)"), ("dZ1 @ X.T,", "2 * dZ1 @ X.T,")),
}


@pytest.mark.slow
@pytest.mark.parametrize("slip", SLIPS)
def test_the_line_is_the_one_that_the_command_finds_in_the_sandbox(slip, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(in_page, "CODE", tmp_path / "yours.py")
    source = CODE
    for before, after in SLIPS[slip]:
        assert before in source
        source = source.replace(before, after)
    found = {one["name"]: one for one in call("read_code", NETWORK, source, "")["parameters"]}
    options = [f"--{name}={value}" for name, value in NETWORK.items()]
    assert main(["explain", f"--code={tmp_path / 'yours.py'}", "--function=gradients", *options, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["parameters"]
    parts = ("line", "end_line", "code", "text")
    assert {name: one.get("place") for name, one in found.items()} == {
        name: {part: one["place"][part] for part in parts} if "place" in one else None for name, one in told.items()
    }
    assert {name: one["mistakes"] for name, one in found.items()} == {n: one["mistakes"] for n, one in told.items()}
    assert any("place" in one for one in found.values())


@pytest.mark.parametrize(
    ("source", "said"),
    [("x = (", "line 1:"), ("x = 1", "there is no function"), ("def f(X, Q): pass", "f takes Q"),
     ("def f(X): return 1 / 0", "your code raised ZeroDivisionError"),
     ("import nothing\ndef f(X): pass", "your code stopped: Module"),
     ("def f(X): return None", "has to return a dict")],
)  # fmt: skip
def test_what_is_wrong_with_code_is_said(source, said, tmp_path, monkeypatch):
    monkeypatch.setattr(in_page, "CODE", tmp_path / "yours.py")
    with pytest.raises(ValueError, match=said):
        call("read_code", NETWORK, source, "")


def test_the_page_asks_the_toolkit_for_nothing_private(root):
    source = (root / "autograder" / "in_page.py").read_text()
    assert "one.check(" in source
    assert re.findall(r"\b(?:one|practice)\._\w+", source) == []
