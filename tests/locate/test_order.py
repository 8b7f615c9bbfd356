"""What stands in another order, counts from elsewhere, or stands beside a loop; and what fits by chance."""

import numpy as np
import pytest
import slips_kit

RIGHT = {
    "whole": """
def whole(X):
    counts = np.round(10 * X).astype(int)
    moved = counts.astype(float)
    moved[0] = moved[0] + 0.25
    return moved**2
""",
    "blended": """
def blend(old, new, keep):
    return keep * old + (1 - keep) * new

def blended(X):
    return blend(X, X**2, 0.3)
""",
    "chosen": """
def chosen(X):
    return np.arctan2(np.tanh(X), X**2 + 1)
""",
    "triple": """
def triple(X):
    return X + 1, X**2, np.tanh(X), np.sin(X)
""",
    "turn": """
def turn(X):
    return np.cos(np.pi * X)
""",
    "counting": """
def counting(X):
    return [row * (number + 0.5) for number, row in enumerate(X, start=1)]
""",
    "waves": """
def waves(X):
    n = len(X) + 2
    return sum(np.cos(k * X) for k in range(1, n + 1))
""",
    "gathered": """
def gathered(X):
    found = []
    for row in X:
        found.append(0.5 * (row + row**2))
    return np.reshape(found, X.shape)
""",
    "grown": """
class Two:
    def first(self, X):
        self.other = X + 1

    def second(self, X):
        self.grown = X**2

def grown(X):
    two = Two()
    two.first(X)
    two.second(X)
    return two
""",
    "bent": """
POWER = 3

def bent(X):
    return np.tanh(X) ** POWER
""",
    "around": """
def around(X):
    near = np.tanh(X)
    far = np.sin(near @ X.T)
    return far @ X + near
""",
    "arriving": """
def arrive(node, x, arrived=None):
    arrived = {} if arrived is None else arrived
    arrived[node] = arrived.get(node, 0) + x
    return arrived[node]

def arriving(X):
    node = object()
    return arrive(node, X) * arrive(node, X**2)
""",
    "stepped": """
class Line:
    rate = 0.5

    def keep(self, rate):
        self.rate = rate

    def step(self, X):
        return self.rate * X

def stepped(X):
    line = Line()
    line.keep(0.3)
    return line.step(X)
""",
    "loaded": """
def load(X):
    return X[:1], X[1:], np.sin(X[:1]), np.sin(X[1:])

def loaded(X):
    a, b, c, d = load(X)
    return a + 2 * b + 3 * c**2 + 4 * d**3
""",
    "totals": """
def totals(X):
    found = []
    for row in X:
        total = np.zeros(2)
        total[0] += row.sum()
        total[1] += row.max()
        found.append(total.sum())
    return found
""",
    "summed": """
def summed(X):
    total = np.zeros(3)
    for row in X:
        bent = np.tanh(row)
        total = total + bent
    return total
""",
    "agreeing": """
def agreeing(X):
    return np.mean((X < 0) == (X < 1))
""",
    "rounded": """
def rounded(X):
    return int(np.ceil(X.sum() ** 2 + 1))
""",
    "clipped": """
def clip(x):
    norm = np.sqrt(np.sum(x**2))
    if norm > 2:
        return 2 * x / norm
    return x

def clipped(X):
    return {"above": clip(10 * X), "below": clip(1.7 * X / np.sqrt(np.sum(X**2)))}
""",
    "largest": """
def largest(X):
    grid = np.linspace(0, 2, 5)
    return grid[np.argmax(-np.abs(grid - 1.5))]
""",
    "pairs": """
def pairs(X):
    return [[X[0].sum(), X[1].sum()], [X[0].max(), X[1].max()]]
""",
    "steps": """
def steps(X):
    return int(np.ceil(np.log(1e-6) / np.log(0.25)))
""",
    "found": """
def found(X):
    grid, top = np.linspace(0, 2, 5), np.full(5, 1.5)
    best = np.argmax(1.5 - (grid - 1.5) ** 2)
    return {"at": grid[best], "largest": top[best]}
""",
}

CASES = [
    ("whole", "counts.astype(float)", "counts.copy()", "counts.copy()", "float"),
    (
        "blended",
        "keep * old + (1 - keep) * new",
        "(1 - keep) * old + keep * new",
        "(1 - keep) * old + keep * new",
        "exchanged factors",
    ),
    ("chosen", "np.tanh(X), X**2 + 1", "X**2 + 1, np.tanh(X)", "np.arctan2(X**2 + 1, np.tanh(X))", "in order"),
    ("triple", "X + 1, X**2, np.tanh(X)", "np.tanh(X), X**2, X + 1", "np.tanh(X), X**2, X + 1, np.sin(X)", "in order"),
    ("turn", "np.pi", "180", "180", "number np.pi"),
    ("counting", "X, start=1", "X", "enumerate(X)", "keyword start=1"),
    ("waves", "range(1, n + 1)", "range(n)", "range(n)", "size range(1, n + 1)"),
    ("gathered", "0.5 * (row + row**2)", "row + row**2", "row + row**2", "factor 0.5"),
    ("bent", "POWER = 3", "POWER = 2", "2", "number 3"),
    ("around", "far @ X + near", "far @ X", "far @ X", "term near"),
    (
        "arriving",
        "arrived=None):\n    arrived = {} if arrived is None else arrived\n",
        "arrived={}):\n",
        "{}",
        "default",
    ),
    ("stepped", "self.rate = rate", "self.speed = rate", "self.speed", "name self.rate"),
    ("loaded", "a, b, c, d = load(X)", "c, d, a, b = load(X)", "c, d, a, b = load(X)", "in order"),
    (
        "totals",
        "    found = []\n    for row in X:\n        total = np.zeros(2)\n",
        "    total = np.zeros(2)\n    found = []\n    for row in X:\n",
        "total = np.zeros(2)",
        "into",
    ),
    (
        "summed",
        "    total = np.zeros(3)\n    for row in X:\n        bent = np.tanh(row)\n",
        "    for row in X:\n        bent = np.tanh(row)\n        total = np.zeros(3)\n",
        "total = np.zeros(3)",
        "out before",
    ),
    ("rounded", "int(np.ceil(X.sum() ** 2 + 1))", "int(X.sum() ** 2 + 1)", "int(X.sum() ** 2 + 1)", "function ceil"),
    (
        "pairs",
        "[[X[0].sum(), X[1].sum()], [X[0].max(), X[1].max()]]",
        "[[X[1].sum(), X[0].sum()], [X[1].max(), X[0].max()]]",
        "[[X[1].sum(), X[0].sum()], [X[1].max(), X[0].max()]]",
        "in order",
    ),
    ("grown", "self.grown =", "grown =", "grown = X**2", "local grown"),
]

CHANCE = [
    ("steps", "int(np.ceil(np.log(1e-6) / np.log(0.25)))", "int(np.trunc(np.log(1e-6) / np.log(0.25)))"),
    ("found", "2", "2.1"),
]


def pointed(name, source, table=(), level=1.0):
    return slips_kit.pointed(RIGHT[name], name, source, table=[(level, one) for one in table])


@pytest.mark.parametrize(("name", "old", "new", "code", "kind"), CASES, ids=[one[0] for one in CASES])
def test_a_slip_is_found_where_it_is(name, old, new, code, kind):
    assert RIGHT[name].count(old) == 1
    assert list(pointed(name, RIGHT[name].replace(old, new))) == [(code, kind)]


@pytest.mark.parametrize(("name", "old", "new"), CHANCE, ids=[one[0] for one in CHANCE])
def test_a_number_or_a_name_that_fits_by_chance_is_not_claimed(name, old, new):
    """Another number under the logarithm gives the same count, and what another answer is lies at hand."""
    assert list(pointed(name, RIGHT[name].replace(old, new, 1))) == []


def test_what_only_takes_another_branch_hides_no_root():
    """Below the limit any other number or array leads to what was given: none of them is due."""
    wrong = RIGHT["clipped"].replace("np.sqrt(np.sum(x**2))", "np.sum(x**2)")
    table = [lambda X: X, lambda X: 1.7 * X / np.sqrt(np.sum(X**2)), lambda X: np.array(0.0), lambda X: np.array(1.0)]
    assert list(pointed("clipped", wrong, table)) == [("np.sum(x**2)", "around np.sqrt")]


def test_a_number_that_was_typed_is_not_the_answer_itself():
    wrong = RIGHT["largest"].replace("np.linspace(0, 2, 5)", "np.linspace(0, 0.7, 5)")
    assert list(pointed("largest", wrong, [lambda X: np.array(1.5)], level=2.0)) == []


def test_truth_values_are_looked_at_where_others_have_the_same_mean():
    wrong = RIGHT["agreeing"].replace("(X < 0) == (X < 1)", "np.logical_and(X < 0, X < 1)")
    table = [lambda X: X, lambda X: ((X < 0) == (X < 1)).astype(float)]
    assert list(pointed("agreeing", wrong, table)) == [("np.logical_and(X < 0, X < 1)", "value")]


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_is_not_pointed_at(name):
    assert list(pointed(name, RIGHT[name])) == []
