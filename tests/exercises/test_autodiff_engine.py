"""autodiff_engine: the truth by sums over paths, by differences and by sympy, and what the notebook says."""

import sys
from itertools import combinations

import numpy as np
import pytest
import sympy as sp

from autograder.exercises import autodiff_engine as exercise
from autograder.exercises import engine_mistakes as mistakes
from autograder.marking.slips import At, value_of


def drawn(name, seed=3):
    probe = exercise.EXERCISE.question(name).probe
    return [challenge.known for challenge in probe.challenges(np.random.default_rng(seed))]


def test_the_system_of_equations_is_the_sum_over_all_paths():
    for given in drawn("backward_walk"):
        exact = exercise.true_walks(given)
        for name, found in (("leaf", exact["leaf"]), ("node", exact["node"])):
            edges, last = given[name], len(found) - 1

            def paths(node, edges=edges):
                yield node, 1.0
                for _, parent, slope in edges[edges[:, 0] == node]:
                    yield from ((end, slope * product) for end, product in paths(int(parent)))

            summed = np.zeros(len(found))
            for end, product in paths(last):
                summed[end] += product
            np.testing.assert_allclose(found, summed, rtol=1e-12)
            np.testing.assert_allclose(mistakes.walked(given, name, ""), summed, rtol=1e-12)
        assert len(given["chain"]) == exercise.LONG == 3000  # as the notebook says
        assert 1e-3 < abs(exact["deep"].item()) < 1e3


def test_the_rules_are_the_slopes_of_the_operations():
    def value(name, a, b, n):
        return {"add": a + b, "mul": a * b, "pow": a**n, "tanh": np.tanh(a), "exp": np.exp(a)}[name]

    h = 1e-6
    for given in drawn("local_rules"):
        a, b, n, g = (float(given[name]) for name in ("a", "b", "n", "g"))
        for name, (made, by_a, by_b) in exercise.true_operations(given).items():
            assert made == pytest.approx(value(name, a, b, n))
            assert by_a == pytest.approx(g * (value(name, a + h, b, n) - value(name, a - h, b, n)) / (2 * h), rel=1e-6)
            slope = g * (value(name, a, b + h, n) - value(name, a, b - h, n)) / (2 * h)
            assert by_b == pytest.approx(slope, rel=1e-6, abs=1e-12)


def test_stretched_sums_are_the_gradients_of_what_was_stretched():
    for given in drawn("stretched_sums"):
        exact, (n, m) = exercise.true_sums(given), given["g"].shape
        for name, g, shape in (
            ("column", given["g"], (n, 1)),
            ("front", given["g"], (m,)),
            ("both", given["deep"], (n, 1)),
        ):
            ones = np.eye(int(np.prod(shape))).reshape(-1, *shape)
            wanted = [np.sum(g * np.broadcast_to(one, g.shape)) for one in ones]
            np.testing.assert_allclose(exact[name], np.reshape(wanted, shape), rtol=1e-12)


def test_no_two_mistakes_look_alike_and_none_looks_right():
    for name, slips, truth in (
        ("local_rules", mistakes.SLIPS, exercise.true_operations),
        ("stretched_sums", mistakes.SUMS, exercise.true_sums),
    ):
        points = drawn(name)[1:]
        for line in dict.fromkeys(line for slip in slips for line in slip.lines):
            here = [(s.id, [value_of(s.formula, At(at, {})) for at in points]) for s in slips if line in s.lines]
            here.append(("right", [truth(at)[line] for at in points]))
            for (one, first), (other, second) in combinations(here, 2):
                alike = all(np.shape(a) == np.shape(b) and np.allclose(a, b) for a, b in zip(first, second))
                assert one == other or not alike, (line, one, other)


def test_the_graphs_show_every_wrong_walk():
    for given in drawn("backward_walk"):
        exact = exercise.true_walks(given)
        for how in ("early", "in breadth"):
            np.testing.assert_allclose(mistakes.walked(given, "leaf", how), exact["leaf"])
            assert not np.allclose(mistakes.walked(given, "node", how), exact["node"]), how
        for order in ("", "in depth", "in depth, turned"):
            assert not np.allclose(mistakes.walked(given, "leaf", f"overwritten {order}"), exact["leaf"])
            assert not np.allclose(mistakes.walked(given, "leaf", order, (-1, -2)), exact["twice"])


@pytest.fixture(scope="module")
def engine(root):
    """The engine of the reference script."""
    source = (root / "reference/beyond/autodiff_engine.py").read_text()
    cell = source.split('student="engine"')[1].split("# %%")[0].split("\n", 1)[1]
    names = {"np": np}
    exec(cell, names)
    return names


def expression(rng, leaves, functions):
    """A random expression in which values are used again, built from + * ** tanh exp."""
    made = list(leaves)
    for _ in range(9):
        a, b = (made[k] for k in rng.integers(0, len(made), 2))
        kind = rng.integers(0, 5)
        made.append((a + b, a * b * 0.5, a**2, functions["tanh"](a), functions["exp"](a * -0.3))[kind])
    return sum(made[3:], made[-1])


@pytest.mark.slow
def test_the_engine_of_the_reference_is_sympy_on_random_expressions(engine):
    for seed in range(12):
        points = np.random.default_rng(seed).uniform(-1, 1, 3)
        symbols = sp.symbols("x:3")
        formula = expression(np.random.default_rng(seed), symbols, {"tanh": sp.tanh, "exp": sp.exp})
        leaves = [engine["Value"](x) for x in points]
        called = {"tanh": lambda v: v.tanh(), "exp": lambda v: v.exp()}
        out = expression(np.random.default_rng(seed), leaves, called)
        at = dict(zip(symbols, points))
        assert float(out.data) == pytest.approx(float(formula.evalf(subs=at)), rel=1e-12)
        wanted = [float(formula.diff(symbol).evalf(subs=at)) for symbol in symbols]
        np.testing.assert_allclose(engine["gradients"](out, leaves), wanted, rtol=1e-11)


def test_a_plain_number_may_stand_on_either_side(engine):
    x = engine["Value"](4.0)
    assert [float(out.data) for out in (1 - x, 1 / x, x - 1, x / 2)] == [-3, 0.25, 3, 2]
    assert [float(engine["gradients"](out, [x])[0]) for out in (1 - x, 1 / x)] == [-1, -1 / 16]


def test_the_example_of_a_stretched_array():
    g = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert np.array_equal(g @ np.ones((2, 1)), [[3], [7]])
    assert np.array_equal(np.ones(2) @ g, [4, 6])
    assert g.sum() == 10
    assert sys.getrecursionlimit() < exercise.LONG  # a function that calls itself fails


# The prose ------------------------------------------------------------------------------------------------------------


def test_the_engine_takes_less_than_a_hundred_lines(root):
    source = (root / "reference/beyond/autodiff_engine.py").read_text()
    assert len(source.split('student="engine"')[1].split("# %%")[0].strip().splitlines()) < 100


def test_the_example_of_a_node_and_a_plain_number_beside_a_value(engine):
    x = engine["Value"](2.0)
    y = engine["Value"](3 * x.data, (x,), (lambda g: 3 * g,))
    assert (y.data, y.data.shape, y.rules[0](1.5)) == (6, (), 4.5)
    assert (2 * x + 1).data == 5
    assert engine["gradients"](x * x, [x])[0] == 4  # the same one twice is added


def test_an_order_that_calls_itself_fails_along_a_chain_of_3000(engine):
    def order(node, seen):
        if node not in seen:
            for parent in node.parents:
                order(parent, seen)
            seen.append(node)
        return seen

    x = node = engine["Value"](0.7)
    for _ in range(exercise.LONG):
        node = node * 1.0
    with pytest.raises(RecursionError):
        order(node, [])
    assert engine["gradients"](node, [x])[0] == 1


def test_one_walk_goes_along_every_edge_once(engine):
    walked = []

    def watched(value):
        def noted(k, rule):
            return lambda g: walked.append((id(value), k)) or rule(g)

        value.rules = tuple(noted(k, rule) for k, rule in enumerate(value.rules))
        return value

    leaves = [engine["Value"](float(k)) for k in range(1, 6)]
    out = leaves[0]
    for leaf in leaves:
        out = watched(watched(out * leaf) + watched(leaf.tanh()))
    engine["gradients"](out, leaves)
    assert len(walked) == len({*walked}) == 5 * (2 + 2 + 1)


def test_how_numpy_stretches():
    assert np.broadcast_shapes((3, 1), (3, 8)) == (3, 8)
    for shape in ((4,), ()):
        assert np.broadcast_to(np.ones(shape), (2, 4)).shape == (2, 4)
    with pytest.raises(ValueError, match="broadcast"):
        np.broadcast_to(np.ones(2), (2, 4))  # axes are put in front, not behind


@pytest.mark.slow
def test_the_engine_learns_the_bump(root, engine, monkeypatch):
    monkeypatch.syspath_prepend(str(root / "reference" / "toolkit"))
    monkeypatch.setattr("matplotlib.pyplot.show", lambda *_: None)
    source = (root / "reference/beyond/autodiff_engine.py").read_text()
    names = dict(engine)
    for cell in ("setup", "fit"):
        exec(source.split(f'="{cell}"')[1].split("# %%")[0].split("\n", 1)[1], names)
    assert (len(names["points"]), len(names["losses"]), len(names["parameters"])) == (15, 120, 6 + 6 + 6 + 1)
    assert names["losses"][0] > 1 > 0.02 > names["losses"][-1]
