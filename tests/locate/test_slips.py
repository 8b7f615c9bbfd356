"""Small changes of the code: names and arrays, brackets and steps, letters and sizes, and two slips at once."""

import numpy as np
import pytest
import slips_kit
from slips_kit import POINTS, run

from autograder.sandbox.inside.repair.forms import Forms, other_letters

RIGHT = {
    "unpacked": """
def halves(X):
    return X[:1], X[1:], X.mean()

def unpacked(X):
    first, second, mean = halves(X)
    return first * mean + 2 * second
""",
    "both_sides": """
def both_sides(X):
    up = X.copy()
    down = X.copy()
    up[0] += 0.1
    down[0] -= 0.1
    return (up**2 - down**2) / 0.2
""",
    "remembered": """
def remembered(X):
    w, found = X.copy(), []
    for number in (1, 2, 3):
        found.append(w)
        w = w - 0.1 * number * w
    return found
""",
    "added": """
def added(X):
    found = [X.copy(), X**2]
    for one in found:
        one += X
    return found
""",
    "spread": """
def spread(X):
    return np.mean(np.sqrt(X**2 + 1))
""",
    "bent": """
def bent(X):
    h = np.tanh(X)
    return X * (1 - h**2)
""",
    "filled": """
def filled(X):
    found = np.zeros((2, 3))
    for i in range(2):
        for j in range(3):
            found[i, j] = X[i, j] ** 3
    return found
""",
    "used": """
def used(X):
    d = np.tanh(X)
    e = np.cosh(X)
    d[0] -= 1
    d /= 3
    return {"a": d @ X.T, "b": np.exp(e) @ X.T, "c": e.copy()}
""",
    "with_rate": """
def with_rate(X, rate=0.7):
    w = X - rate * np.cos(X)
    b = X.sum() - rate * np.sin(X)
    return w + b**2
""",
    "powers": """
def powers(X):
    n = 3
    return n * np.abs(X) ** (n - 1)
""",
    "grouped": """
def grouped(X):
    return (2 * X + X.mean()) / (X.max() - X.min())
""",
    "letters": """
def letters(X):
    return np.einsum("ij,ij->j", X, X)
""",
    "share": """
def share(X):
    return np.sum(X > 0.1, axis=1) / X.shape[1]
""",
    "doubled": """
def doubled(X):
    return 2 * np.tanh(X[0, 0]) / (X[0, 1] + 5)
""",
    "slope": """
def slope(X):
    e = np.exp(X[0, 0])
    return 4 * e / (e + 1) ** 2
""",
    "tenths": """
def tenths(X):
    lr = 0.1
    return X - lr * X**2
""",
    "entries": """
def entries(X):
    found = np.zeros_like(X)
    for i in np.ndindex(X.shape):
        moved = X.copy()
        moved[i] += 1
        found[i] = np.sum(moved**3)
    return found
""",
    "squares": """
class Net:
    def __init__(self, X):
        self.W1, self.b1, self.W2, self.b2 = X, np.exp(X), np.sin(X), np.cos(X)

def squares(X):
    net = Net(X)
    return sum(np.sum(np.tanh(one)) for one in [net.W1, net.W2])
""",
    "told": """
def told(X):
    before = X.sum()
    after = np.exp(X)
    after /= after.sum()
    return before
""",
    "seeded": """
def seeded(X):
    rng = np.random.default_rng(3)
    found = []
    for row in X:
        found.append(row + rng.normal())
    return found
""",
    "kept": """
class Net:
    strength = 0.0

    def penalty(self, X):
        return self.strength * X

    def train(self, X, strength):
        self.strength = strength
        return X + self.penalty(X)

def kept(X):
    return Net().train(X, 0.3)
""",
    "above": """
def above(X):
    total = 0.0
    for x in X.ravel():
        if 100 * x > 30:
            total += x
    return total
""",
    "shares": """
def shares(X):
    return X * (X - np.sum(X * X, axis=0, keepdims=True))
""",
    "below": """
class Base:
    def back(self, X):
        self.below, self.other = X, X

class Net(Base):
    def back(self, X):
        super().back(X)
        self.other = 3 * self.other
        self.below = 2 * self.below

def below(X):
    net = Net()
    net.back(X)
    return net
""",
    "signal": """
def signal(X):
    W = X[:, :2]
    found = np.zeros((2, 3))
    for j in range(2):
        for k in range(3):
            for i in range(2):
                found[j, k] += W[i, j] * X[i, k]
    return found
""",
    "velocity": """
def velocity(X):
    rate = X.std()
    v = np.sin(X)
    return X - rate * v, v
""",
    "corrected": """
def corrected(X):
    m = 0.9 * X
    larger = m / 0.1
    return X - larger, m
""",
    "product": """
def product(X):
    v, w = 5 * X.size, X.size
    return v * w
""",
    "ends": """
def ends(X):
    bounds = [X.max(), X.mean(), X.min()]
    return {"first": bounds[0], "last": bounds[-1]}
""",
    "moved": """
def moved(X):
    found = np.zeros_like(X)
    for i in np.ndindex(X.shape):
        X[i] += 0.5
        found[i] = np.sum(X**3)
        X[i] -= 0.5
    return found
""",
    "totals": """
def totals(X):
    found = np.zeros(2)
    np.add.at(found, [0, 1, 0], X[0])
    return found
""",
    "apart": """
def apart(X):
    return X / X.std() + 0.1 * X.mean()
""",
    "backs": """
def backs(X):
    steps = [np.sin, np.exp, np.tanh]
    for one in reversed(steps):
        X = one(X)
    return X
""",
    "squared": """
def squared(X):
    p, J = X[0], np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            J[i, j] = (p[i] if i == j else 0) - p[i] * p[j]
    return J
""",
    "fused": """
def along(X, axis):
    mean = np.mean(X, axis=axis, keepdims=True)
    return mean + np.mean(X * np.exp(X), axis=axis, keepdims=True)

def fused(X):
    return along(X, 0)
""",
    "second": """
class Pair:
    def __init__(self, X):
        self.first, self.second = X, X**2

def both_moved(pair):
    pair.first = 2 * pair.first
    pair.second = 7 * pair.second

def second(X):
    pair = Pair(X)
    both_moved(pair)
    return pair
""",
    "active": """
class Layer:
    def __init__(self, X):
        self.Z, self.A = 2 * X, np.tanh(X)

def active(X):
    layer = Layer(X)
    return np.std(layer.A, axis=0)
""",
    "stepped": """
def step(X, m):
    m = 0.9 * m + X
    return X - 0.1 * m, m

def stepped(X):
    m = np.zeros_like(X)
    for _ in range(3):
        X, m = step(X, m)
    return X
""",
}


CASES = [
    ("unpacked", "first, second, mean =", "first, mean, second =", "first, mean, second = halves(X)", "in order"),
    (
        "both_sides",
        "    up = X.copy()\n    down = X.copy()\n",
        "    up = down = X.copy()\n",
        "up = down = X.copy()",
        "shared",
    ),
    ("both_sides", "    down = X.copy()\n", "    down = up\n", "up", "copy"),
    (
        "remembered",
        "        w = w - 0.1 * number * w\n",
        "        w -= 0.1 * number * w\n",
        "w -= 0.1 * number * w",
        "anew",
    ),
    ("added", "        one += X\n", "        one = one + X\n", "one = one + X", "assigned +="),
    ("spread", "np.mean(np.sqrt(X**2 + 1))", "np.sqrt(np.mean(X**2 + 1))", "np.sqrt(np.mean(X**2 + 1))", "nested"),
    ("spread", "np.mean(np.sqrt(X**2 + 1))", "(X**2 + 1).mean() ** 0.5", "(X**2 + 1).mean() ** 0.5", "nested"),
    ("powers", "** (n - 1)", "** n - 1", "n * np.abs(X) ** n - 1", "brackets"),
    ("grouped", "(2 * X + X.mean()) /", "2 * X + X.mean() /", "2 * X + X.mean() / (X.max() - X.min())", "brackets"),
    ("letters", "ij,ij->j", "ij,ij->i", 'np.einsum("ij,ij->i", X, X)', "letters ij,ij->j"),
    ("share", "X.shape[1]", "len(X)", "len(X)", "size X.shape[1]"),
    ("slope", "4 * e", "2 * e", "2", "number 4"),
    ("doubled", "2 * np", "np", "np.tanh(X[0, 0]) / (X[0, 1] + 5)", "factor 2"),
    ("tenths", "lr = 0.1", "lr = 0.01", "0.01", "number 0.1"),
    ("entries", "np.ndindex(X.shape)", "range(len(X))", "range(len(X))", "rows X"),
    (
        "squares",
        "[net.W1, net.W2]",
        "[net.W1, net.b1, net.W2, net.b2]",
        "[net.W1, net.b1, net.W2, net.b2]",
        "items net.b1, net.b2",
    ),
    ("told", "    return before\n", "", "def told(X):", "returns before"),
    (
        "seeded",
        "    rng = R\n    found = []\n    for row in X:\n".replace("R", "np.random.default_rng(3)"),
        "    found = []\n    for row in X:\n        rng = np.random.default_rng(3)\n",
        "rng = np.random.default_rng(3)",
        "out before",
    ),
    (
        "apart",
        "X / X.std() + 0.1 * X.mean()",
        "(X + 0.1 * X.mean()) / X.std()",
        "(X + 0.1 * X.mean()) / X.std()",
        "brackets",
    ),
    (
        "velocity",
        "np.sin(X)\n    return X - rate * v",
        "rate * np.sin(X)\n    return X - v",
        "rate * np.sin(X)",
        "moved",
    ),
    ("moved", "        X[i] -= 0.5\n", "", "X[i] += 0.5", "restored X[i]"),
    (
        "totals",
        "np.add.at(found, [0, 1, 0], X[0])",
        "found[[0, 1, 0]] += X[0]",
        "found[[0, 1, 0]] += X[0]",
        "one by one",
    ),
    ("backs", "reversed(steps)", "steps", "steps", "backwards"),
    (
        "squared",
        "(p[i] if i == j else 0) - p[i] * p[j]",
        "p[i] if i == j else -p[i] * p[j]",
        "p[i] if i == j else -p[i] * p[j]",
        "beside",
    ),
    ("second", "    pair.second = 7 * pair.second\n", "", "def both_moved(pair):", "omitted pair.second"),
    ("stepped", "X, m = step", "X, _ = step", "X, _ = step(X, m)", "carried m"),
    ("corrected", "larger = m", "m = larger = m", "m = larger = m / 0.1", "target m"),
    ("kept", "        self.strength = strength\n", "", "def train(self, X, strength):", "unkept strength"),
]


def pointed(name, source, table=(), **options):
    return slips_kit.pointed(RIGHT[name], name, source, table=table, **options)


@pytest.mark.parametrize(
    ("name", "old", "new", "code", "kind"), CASES, ids=[f"{one[0]}: {one[3][:24]}" for one in CASES]
)
def test_a_slip_is_found_where_it_is(name, old, new, code, kind):
    assert RIGHT[name].count(old) == 1
    (found,) = pointed(name, RIGHT[name].replace(old, new))
    assert found[0] == code
    assert found[1].startswith(kind)


def test_of_two_slips_that_hide_each_other_both_are_found():
    wrong = RIGHT["signal"].replace("W[i, j]", "W[j, i]").replace("return found", "return found / 3")
    found = dict(pointed("signal", wrong))
    assert found == {"j, i": "in order", "found / 3": "without"}


def test_an_argument_that_is_read_nowhere_is_due_wherever_a_number_stands_for_it():
    wrong = RIGHT["fused"].replace("axis=axis", "axis=1")
    assert list(pointed("fused", wrong)) == [("1", "argument axis")] * 2


def test_a_number_that_stands_for_an_argument_in_several_places_is_mended_in_all():
    wrong = RIGHT["with_rate"].replace("rate *", "0.25 *")
    assert list(pointed("with_rate", wrong)) == [("0.25", "argument rate"), ("0.25", "argument rate")]


GUARD = "    if X.ndim == 2:\n        raise ValueError('no')\n"


@pytest.mark.parametrize(
    ("source", "codes"),
    [
        (f"def bent(X):\n{GUARD}    return X", ["raise ValueError('no')"]),
        (f"def checked(X):\n{GUARD}\ndef bent(X):\n    checked(X)\n    return X", []),
    ],
)
def test_an_error_that_is_raised_where_an_answer_is_due_has_its_place(source, codes):
    assert [code for code, kind in pointed("bent", source, read=["bent"]) if kind == "raised"] == codes


def test_another_attribute_of_the_same_object_is_named():
    wrong = RIGHT["active"].replace("np.std(layer.A", "np.std(layer.Z")
    table = [(0.5, np.tanh), (0.5, lambda X: 2 * X)]
    assert list(pointed("active", wrong, trusted=["Layer"], table=table)) == [("layer.Z", "name layer.A")]


def test_the_one_expression_that_gives_what_is_asked_is_at_fault_whatever_is_due():
    exact = run(RIGHT["spread"], "spread", "record")["answers"]
    (found,) = run("def spread(X):\n    return np.arctan(X).max() ** 3", "spread", exact=exact, read=["spread"])[
        "found"
    ]
    assert (found["line"], found["col"], found["end_col"], found["kind"]) == (2, 11, 34, "value")


def test_what_answers_its_own_question_is_not_at_fault():
    wrong = RIGHT["unpacked"].replace("X[:1], X[1:], X.mean()", "X[1:], X[:1], X.mean()")
    assert dict(pointed("unpacked", wrong)) == {"first, second, mean = halves(X)": "in order"}
    assert dict(pointed("unpacked", wrong, trusted=["unpacked"])) == {"X[1:], X[:1], X.mean()": "in order"}


def test_a_list_that_lacks_one_of_its_kind_has_a_place():
    right = RIGHT["squares"].replace("[net.W1, net.W2]", "[net.W1, net.b1, net.W2, net.b2]")
    RIGHT["all_squares"] = right.replace("def squares", "def all_squares")
    wrong = RIGHT["all_squares"].replace("net.W1, net.b1, net.W2, net.b2]", "net.W1, net.W2, net.b2]")
    assert list(pointed("all_squares", wrong)) == [("[net.W1, net.W2, net.b2]", "lacking net.b1")]


def test_a_number_is_looked_at_where_another_one_beside_it_changes_nothing():
    """No number that was drawn for it moved the condition."""
    wrong = RIGHT["above"].replace("> 30", "> 0")
    assert list(pointed("above", wrong, table=[(0.01, lambda X: np.array(30.0))])) == [("0", "value")]


def test_a_large_number_that_is_asked_for_is_no_count_that_runs_long():
    wrong = RIGHT["product"].replace("v * w", "v + w")
    assert list(pointed("product", wrong, table=[(2.0, lambda X: np.array(180.0))])) == [("v + w", "operator *")]


def test_an_order_is_at_fault_and_not_each_index_that_relies_on_it():
    wrong = RIGHT["ends"].replace("X.max(), X.mean(), X.min()", "X.min(), X.mean(), X.max()")
    found = list(pointed("ends", wrong, table=[(0.02, lambda X: np.array(0.0))]))
    assert found == [("[X.min(), X.mean(), X.max()]", "backwards")]


def test_a_sum_along_the_other_axis_is_known_where_it_was_made_to_lie_there():
    wrong = RIGHT["shares"].replace("np.sum(X * X, axis=0, keepdims=True)", "np.einsum('ij,ij->i', X, X)[:, None]")
    table = [(0.0, lambda X: X), (1.0, lambda X: np.sum(X * X, axis=0, keepdims=True))]
    assert list(pointed("shares", wrong, table=table)) == [("np.einsum('ij,ij->i', X, X)[:, None]", "axis")]


def test_what_is_unknown_has_its_place_where_it_got_its_value():
    """The value of a name, not its use, and what a function returns, not the call of it."""
    table = [(0.0, lambda X: X), (0.01, np.tanh)]
    wrong = RIGHT["bent"].replace("h = np.tanh(X)", "h = np.sinh(X) / 2")
    assert list(pointed("bent", wrong, table=table, named=True)) == [("np.sinh(X) / 2", "value")]
    wrong = "def curve(z):\n    return np.sinh(z) / 2 + 0.1\n" + RIGHT["bent"].replace("np.tanh(X)", "curve(X)")
    assert list(pointed("bent", wrong, table=table, named=True)) == [("np.sinh(z) / 2 + 0.1", "value")]


@pytest.mark.parametrize(
    ("same", "wrong", "here"),
    [
        (("", ""), ("    d /= 3\n", ""), ["d"]),  # what it got at first is right, and so is what was changed in it
        (("d @ X.T", "d"), ("    d /= 3\n", ""), []),  # what has changed it may be what is wrong
        (("", ""), ("    d[0] -= 1\n    d /= 3\n", ""), []),  # where it got its value another one mends it
        (("", ""), ("np.exp(e) @ X.T", "e @ X.T"), ["e"]),  # in its place something else is right with it
    ],
)
def test_a_name_that_holds_what_it_should_is_wrong_where_it_is_used(same, wrong, here):
    def moved(X):
        made = np.tanh(X)
        made[0] -= 1
        return made

    table = [(0.0, lambda X: X), (0.3, np.tanh), (0.3, moved), (0.3, lambda X: moved(X) / 3), (0.3, np.cosh)]
    table += [(0.3, lambda X: np.exp(np.cosh(X)))]
    right = RIGHT["used"].replace(*same)
    source = right.replace(*wrong)
    exact = run(right, "used", "record")["answers"]
    found = run(source, "used", exact=exact, table=table, read=["used"])["found"]
    lines = source.split("\n")
    assert [lines[one["line"] - 1][one["col"] : one["end_col"]] for one in found if one.get("here")] == here


def test_an_array_that_is_filled_is_not_at_fault_for_not_being_the_answer():
    wrong = RIGHT["filled"].replace("for i in range(2)", "for i in (0,)")
    table = [(2.0, lambda X: X**3)]
    assert not [code for code, _ in pointed("filled", wrong, table=table) if "zeros" in code]


def test_what_the_class_above_gives_has_its_place_where_that_is_called():
    wrong = RIGHT["below"].replace("        self.below = 2 * self.below\n", "")
    assert list(pointed("below", wrong, trusted=["Base"])) == [("super().back(X)", "inherited below")]


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_is_not_pointed_at(name):
    exact = run(RIGHT[name], name, "record")["answers"]
    found = run(RIGHT[name], name, exact=exact)
    assert found["found"] == []
    assert found["runs"] <= 4 * len(POINTS)  # as it is, recorded, and with a look at what it changes


def test_the_letters_of_what_comes_out_are_tried_and_those_of_an_operand():
    assert other_letters("ij,jk->ik")[:1] == ["ij,jk->ij"]
    assert "ji,jk->ik" in other_letters("ij,jk->ik")
    assert other_letters("...i->...") == []


def test_no_function_is_put_around_something_that_would_come_back_to_it():
    """Such a run has no end, and what it gives may grow at every depth: once until nothing was left of the memory."""
    forms = Forms.__new__(Forms)
    forms.names = {}
    exec(
        "def a(x): return b(x)\ndef b(x): return [a(y) for y in x]\ndef c(x): return x\ndef d(x, y): return c",
        forms.names,
    )
    assert {name: calls & {*"abcd"} for name, calls in forms._takes_one.items()} == {
        "a": {"a", "b"}, "b": {"a", "b"}, "c": {"c"},
    }  # fmt: skip
