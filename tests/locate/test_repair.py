"""Every kind of repair, on code of a few lines: where the search points, with what it says, and where it is silent."""

import ast
import re
from types import SimpleNamespace

import numpy as np
import pytest

from autograder.sandbox.inside.repair import done
from autograder.sandbox.inside.repair.candidates import Candidates, is_rounded
from autograder.sandbox.inside.repair.instrument import Instrument
from autograder.sandbox.inside.repair.runs import MOST_IN_ONE, same
from autograder.sandbox.inside.repair.search import Search
from autograder.sandbox.inside.stopwatch import OutOfTime

RIGHT = """
def forward(w, b, X):
    return w @ X + b

def slopes(w, b, X, y):
    error = (forward(w, b, X) - y) / X.shape[1]
    dw = error @ X.T
    db = error.sum(axis=1, keepdims=True)
    return dw, db

def train(w, b, X, y, steps):
    for step in range(steps):
        dw, db = slopes(w, b, X, y)
        w = w - 0.1 * dw
        b = b - 0.1 * db
    return w, b

def gates(X):
    count = 0
    for x in X.ravel():
        if x > 0:
            count += x
    return count

def way(X):
    places = [X]
    for number in (1, 2, 3):
        X = X - 0.5 * number
        places.append(X)
    return places
"""

COUNTED = """
def rises(X):
    number, values = 0, X.ravel().round()
    for here, after in zip(values, values[1:]):
        if after > here:
            number += 1
    return number / 11

def halved(X):
    made = [X]
    while len(made) <= 3:
        made.append(made[-1] / 2)
    return made[-1]

def corrected(X):
    return [X / (1 - 0.9 ** power) for power in (1, 2, 3)]

def agreeing(X):
    number = 0
    for x in X.ravel():
        label = 1 if x > 0.5 else 0
        if label == (x > 0):
            number += 1
    return number / X.size

def slope(X):
    return float(1 - X[0, 0] ** 2)

def averages(X):
    return [0.9 * old + 0.1 * new for old, new in ((X, X**2), (X**3, X**4))]
"""


def asked(student, given):
    w, b, X, y = (given[name] for name in ("w", "b", "X", "y"))
    found = dict(zip(("dw", "db"), student.slopes(w, b, X, y)))
    found["forward"] = student.forward(w, b, X)
    found["w_new"], found["b_new"] = student.train(w, b, X, y, 3)
    found["gates"] = student.gates(X)
    found["way"] = student.way(X)
    return found


def counted(student, given):
    return {name: getattr(student, name)(given["X"]) for name in re.findall(r"def (\w+)", COUNTED)}


def moved(student, given):
    return {"moved": student.moved(given["X"])}


def points():
    stream = np.random.default_rng(7)
    shapes = {"w": (2, 3), "b": (2, 1), "X": (3, 4), "y": (2, 4)}
    return [{name: stream.standard_normal(shape) for name, shape in shapes.items()} for _ in range(3)]


def run(source, task="repair", exact=None, table=(), question=asked, file="<cell 0>"):
    instrument = Instrument({0})
    instrument.cell = 0
    names = {"np": np}
    exec(compile(instrument.visit_Module(ast.parse(source)), file, "exec"), names)
    given = {"points": points(), "exact": exact, "table": [values for _, values in table], "rtol": 1e-7, "shown": 2}
    given["seconds"] = 60.0
    given["levels"] = [level for level, _ in table]
    given["wholes"], given["named"], given["rows"] = [0] * len(table), [True] * len(table), []
    given["formulas"] = [""] * len(table)
    given["in_calls"], given["handed"] = [], []
    before = {one: one.__code__ for one in names.values() if hasattr(one, "__code__")}
    found = done(task, instrument, names, lambda now, _: SimpleNamespace(**now), question, given)
    assert all(one.__code__ is code for one, code in before.items())  # what was changed is changed back
    return found


@pytest.fixture(scope="module")
def exact():
    return run(RIGHT, "record")["answers"]


def table():
    """1/m, and a number that says nothing."""
    return [(0.01, [np.array(0.25)] * 3), (0.02, [np.array(0.0)] * 3)]


def pointed(source, exact, question=asked):
    lines = source.split("\n")
    for one in run(source, exact=exact, table=table(), question=question)["found"]:
        line = lines[one["line"] - 1]
        yield line[one["col"] : one["end_col"] if one["end_col"] >= 0 else None].strip(), one["kind"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "code", "kind"),
    [
        ("w @ X + b", "w @ X - b", "w @ X - b", "operator +"),
        ("error @ X.T", "error @ X.T / X.shape[1]", "error @ X.T / X.shape[1]", "without"),
        ("axis=1, keepdims=True", "axis=0, keepdims=True", "error.sum(axis=0, keepdims=True)", "axis"),
        ("error.sum(", "error.mean(", "error.mean(axis=1, keepdims=True)", "function sum"),
        ("x > 0", "x >= 1", "1", "value"),
        ("x > 0", "x < 0", "x < 0", "comparison >"),
        ("count += x", "count = x", "count = x", "assigned +="),
        ("b - 0.1 * db", "b + 0.1 * db", "b + 0.1 * db", "operator -"),
        ("range(steps)", "range(steps - 1)", "1", "value"),
        (
            "        b = b - 0.1 * db\n    return w, b",
            "        b = b - 0.1 * db\n        return w, b",
            "return w, b",
            "out of",
        ),
        (
            "    for step in range(steps):\n        dw, db = slopes(w, b, X, y)\n",
            "    dw, db = slopes(w, b, X, y)\n    for step in range(steps):\n",
            "dw, db = slopes(w, b, X, y)",
            "into",
        ),
        ("w = w - 0.1 * dw\n", "w = w - 0.1 * dw\n        dw = dw * 2\n        w = w * 1.5\n", "w * 1.5", "without"),
        ("        b = b - 0.1 * db\n", "        b = b - 0.1 * dw[:, :1]\n", "dw", "argument db"),
        ("return places", "return None", "def way(X):", "returns places"),
        ("return w @ X + b", "return 1 - (w @ X + b)", "1 - (w @ X + b)", "without"),
    ],
    ids=lambda value: value.strip()[:30] if isinstance(value, str) else None,
)
def test_one_change_is_found_where_it_is(old, new, code, kind, exact):
    assert RIGHT.count(old) == 1
    found = list(pointed(RIGHT.replace(old, new), exact))
    assert found[0] == (code, kind)


@pytest.mark.parametrize(
    ("new", "code", "kind"),
    [("X @ w + b", "X @ w", "exchanged"), ("w.T @ X + b", "w.T @ X", "transposed part"),
     ("np.dott(w, X) + b", "np.dott(w, X)", "value"), ("dott(w, X) + b", "dott(w, X)", "value")],
)  # fmt: skip
def test_an_error_that_the_question_catches_has_a_place(new, code, kind):
    """It is where the error came from, and the whole call where what is called is not there."""

    def caught(student, given):
        for name, X in (("forward", given["X"]), ("doubled", 2 * given["X"])):
            try:
                value = student.forward(given["w"], given["b"], X)
            except Exception as error:
                value = error
            yield {name: value}

    exact = run(RIGHT, "record", question=caught)["answers"]
    products = [1.0, [given["w"] @ given["X"] for given in points()]]
    source = RIGHT.replace("w @ X + b", new)
    found = run(source, exact=exact, table=[products], question=caught, file="as a shell calls it")["found"][0]
    assert found["mends"] == ["forward"]
    assert source.split("\n")[found["line"] - 1][found["col"] : found["end_col"]] == code
    assert found["kind"] == kind


def test_an_error_behind_right_answers_has_a_place():
    """Whatever is changed before it, the code stops there: that says nothing of what may be at fault."""
    right = "def both(kept, w, X):\n    kept['twice'] = 2 * X\n    kept['forward'] = w @ X"

    def stopping(student, given):
        kept, failed = {}, None
        try:
            student.both(kept, given["w"], given["X"])
        except Exception as error:
            failed = error
        yield {name: kept.get(name) for name in ("twice", "forward")}
        if failed is not None:
            raise failed

    exact = run(right, "record", question=stopping)["answers"]
    found = run(right.replace("w @ X", "X @ w"), exact=exact, question=stopping)["found"]
    assert [(one["kind"], one["mends"], one["line"], one["col"]) for one in found] == [
        ("exchanged", ["forward"], 3, 22)
    ]


@pytest.mark.slow
def test_a_condition_for_one_side_is_too_much_where_that_is_always_due(exact):
    wrong = RIGHT.replace("X - 0.5 * number", "X - 0.5 * number if number == 1 else X")
    assert list(pointed(wrong, exact)) == [("X - 0.5 * number if number == 1 else X", "without")]


def test_numbers_that_are_typed_are_right_to_the_figures_that_they_have():
    typed, due = (np.array([0.79, 0.881]),), (np.array([0.7914, 0.8809]),)
    assert not is_rounded("[0.79, 0.881]", typed, due)  # two figures
    assert is_rounded("[0.791, 0.881]", (np.array([0.791, 0.881]),), due)
    assert not is_rounded("[0.792, 0.881]", (np.array([0.792, 0.881]),), due)
    assert not is_rounded("a[0.791]", typed, typed)


def test_what_is_right_is_not_pointed_at(exact):
    assert list(pointed(RIGHT, exact)) == []
    other = RIGHT.replace("w = w - 0.1 * dw", "w = w - dw / 10").replace("w @ X + b", "b + np.dot(w, X)")
    assert list(pointed(other, exact)) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "code", "kind"),
    [
        ("after > here", "after >= here", "after >= here", "comparison >"),
        ("len(made) <= 3", "len(made) < 3", "len(made) < 3", "comparison <="),
        ("0.9 ** power", "0.9 ** (power + 1)", "1", "value"),
        ("1 - X[0, 0] ** 2", "1 + X[0, 0] ** 2", "1 + X[0, 0] ** 2", "operator -"),
        ("label == (x > 0)", "label != (x > 0)", "label != (x > 0)", "comparison =="),
    ],
)
def test_what_fits_a_number_by_chance_is_not_said_of_the_code(old, new, code, kind):
    """``number *= 1`` at one pass, another length, ``power * 1`` and ``x < 0.5`` would mend as much."""
    exact = run(COUNTED, "record", question=counted)["answers"]
    assert COUNTED.count(old) == 1
    assert list(pointed(COUNTED.replace(old, new), exact, counted)) == [(code, kind)]


@pytest.mark.parametrize("made", ["X**2 + X", "np.repeat(X, 3400, axis=1)"])
def test_a_transpose_that_is_too_much_is_not_made_up_for_where_all_is_right(made):
    """Also of an array of 40,800 entries."""
    right = f"\ndef moved(X):\n    made = {made}\n    return made\n"
    exact = run(right, "record", question=moved)["answers"]
    assert list(pointed(right.replace("return made", "return made.T"), exact, moved)) == [("made.T", "transpose")]


@pytest.mark.parametrize(("pairs", "code"), [("enumerate(X.ravel())", "x, n"), ("{2: X, 3: X**2}.items()", "x, n")])
def test_a_number_and_what_it_numbers_are_exchanged(pairs, code):
    right = f"\ndef moved(X):\n    return np.array([x / (n + 2) for n, x in {pairs}])\n"
    exact = run(right, "record", question=moved)["answers"]
    assert list(pointed(right.replace("n, x in", "x, n in"), exact, moved)) == [(code, "in order")]


@pytest.mark.slow
def test_of_pairs_that_are_read_in_one_way_no_single_one_is_turned():
    exact = run(COUNTED, "record", question=counted)["answers"]
    wrong = COUNTED.replace("0.9 * old + 0.1 * new", "0.1 * old + 0.9 * new")
    assert all(kind != "in order" for _, kind in pointed(wrong, exact, counted))


@pytest.mark.slow
def test_in_a_list_that_is_too_short_no_entry_is_right(exact):
    """Without the line that goes on, the first entry of the list would be the start that is missing."""
    found = list(pointed(RIGHT.replace("places = [X]", "places = []"), exact))
    assert all(not code.startswith("X = ") for code, _ in found), found


@pytest.mark.slow
@pytest.mark.parametrize(
    "hostile",
    [
        "    global seen\n    seen = globals().get('seen', 0) + 1\n    while seen > 2: pass\n",
        "    global seen\n    seen = globals().get('seen', 0) + 1\n    X = X * seen\n",
        "    X = X + np.random.default_rng().normal()\n",
    ],
    ids=["an endless loop at a later run", "a state that differs", "chance"],
)
def test_what_answers_otherwise_is_not_searched(hostile, exact):
    source = RIGHT.replace("    return w @ X + b", f"{hostile}    return w @ X - b")
    found = run(source, exact=exact, table=table())
    assert found["runs"] <= found["most"] + 10
    if "seen" not in hostile:
        assert found["found"] == []


def test_what_is_infinite_is_the_same_only_where_it_is():
    inf = np.array([0.0, np.inf])
    assert same(inf, inf.copy())
    assert not same(np.array([-np.inf, np.inf]), inf)
    assert not same(np.array([1.0, np.inf]), inf)


@pytest.mark.parametrize(
    ("code", "gathers"),
    [
        ("[node.grad for node in nodes]", True),
        ("[np.asarray(found.get(id(node), np.array(0.0))) for node in nodes]", True),
        ("[np.exp(node) for node in nodes]", False),
        ("[2 * node for node in nodes]", False),
    ],
)
def test_a_list_that_only_gathers_what_was_kept_is_known(code, gathers):
    instrument = Instrument({0})
    instrument.cell = 0
    instrument.visit_Module(ast.parse(f"kept = {code}"))
    node = next(one for one in instrument.nodes if one.kind == "ListComp")
    assert Candidates(instrument.nodes, [], [], [], [])._only_gathers(node) == gathers


@pytest.mark.slow
@pytest.mark.parametrize("task", ["record", "repair"])
def test_a_run_of_very_many_calls_is_broken_off_and_not_searched(task, exact):
    """By a count, not by a clock."""
    made = []

    def long(student, given):
        made.append(0)
        for _ in range(200_000):
            made[-1] += 1
            student.forward(given["w"], given["b"], given["X"])
        return asked(student, given)

    found = run(RIGHT.replace("w @ X + b", "w @ X - b"), task, exact=exact, table=table(), question=long)
    assert found == ({"answers": []} if task == "record" else {"found": [], "runs": 1, "most": 0})
    assert len(made) == 1
    assert made[0] < MOST_IN_ONE


@pytest.mark.slow
def test_no_change_is_tried_that_makes_a_count_much_larger():
    """A training in what the question brings along passes no hook: nothing else would end it."""
    made = []

    def trained(student, given):
        def train(epochs):
            made.append(epochs)
            return given["X"][0, 0] * epochs

        return {"moved": student.moved(train, 100, 3000)}

    right = "def moved(train, epochs, seed):\n    return train(epochs + 1) + 0.3\n"
    exact = run(right, "record", question=trained)["answers"]
    run(right.replace("0.3", "0.7"), exact=exact, table=table(), question=trained)
    assert len(set(made)) > 5
    assert max(made) <= 404


@pytest.mark.slow
def test_what_was_found_before_the_time_is_up_comes_back(exact, monkeypatch):
    before = Search._step

    def step(self, right):
        if self.steps:
            raise OutOfTime(1.0)
        return before(self, right)

    source = RIGHT.replace("w @ X + b", "w @ X - b").replace("count += x", "count = x")
    every = run(source, exact=exact, table=table())["found"]
    monkeypatch.setattr(Search, "_step", step)
    found = run(source, exact=exact, table=table())["found"]
    assert 0 < len(found) < len(every)
    assert found == every[: len(found)]
