"""Precision is judged by content: what was worked out in single precision is right, in whatever dtype it is kept."""

import numpy as np
import pytest

from autograder.exercise import Line, Reply
from autograder.exercises.shared import gradient_challenges
from autograder.marking.compare import compare, compare_all
from autograder.marking.judges import values
from autograder.tolerance import ROUNDING, chance_of_so_few_changes, rounded_to_single

SEEDS = range(40)
NAMES = ("dW2", "db2", "dW1", "db1")
SINGLE = np.float32


def gradients(given, single=()):
    """The gradients of a tanh network; the values named in ``single`` are rounded to single precision on the way."""

    def keep(name, value):
        return value.astype(SINGLE).astype(float) if name in single or "all" in single else value

    def product(name, a, b):
        return (a.astype(SINGLE) @ b.astype(SINGLE)).astype(float) if name in single or "all" in single else a @ b

    X, Y, m = given["X"], given["Y"], given["X"].shape[1]
    A1 = keep("A1", np.tanh(product("Z1", given["W1"], X) + given["b1"]))
    A2 = keep("A2", 1 / (1 + np.exp(-product("Z2", given["W2"], A1) - given["b2"])))
    dZ2 = keep("dZ2", A2 - Y)
    dZ1 = keep("dZ1", product("back", given["W2"].T, dZ2) * (1 - A1**2))
    return {
        "dW2": product("dW2", dZ2, A1.T) / m,
        "db2": dZ2.sum(axis=1, keepdims=True) / m,
        "dW1": product("dW1", dZ1, X.T) / m,
        "db1": dZ1.sum(axis=1, keepdims=True) / m,
    }


def asked(seed):
    points = gradient_challenges(np.random.default_rng(seed), ("tanh", "sigmoid"), "bce")
    return [challenge.given for challenge in points]


WAYS = (("all",), ("A1",), ("A2",), ("dZ2",), ("dZ1",), ("dW1",), ("dW1", "dW2"), ("Z1", "Z2"), ("back",))


@pytest.mark.parametrize("single", WAYS, ids=" ".join)
def test_single_precision_kept_in_double_is_right_at_every_seed(single):
    largest = 0.0
    for seed in SEEDS:
        exact = [gradients(given) for given in asked(seed)]
        answer = [gradients(given, single) for given in asked(seed)]
        for name in NAMES:
            got, wanted = [a[name] for a in answer], [e[name] for e in exact]
            found = compare_all(got, wanted)
            assert all(one.equal for one in found), (seed, name)
            largest = max(largest, *(float(one.difference.max()) for one in found))
    assert 1e-8 < largest < ROUNDING / 3


def test_one_challenge_alone_would_have_cost_it_at_some_seeds():
    alone = [
        all(compare(gradients(g, ("dW1",))["dW1"], gradients(g)["dW1"]).equal for g in asked(seed)) for seed in SEEDS
    ]
    assert not all(alone)


@pytest.mark.parametrize("way", ["factor", "central", "forward", "offset", "large"])
def test_errors_that_have_structure_are_no_rounding_errors(way):
    wrong = {
        "factor": lambda x: np.tanh(x) * (1 + 1e-6),
        "central": lambda x: (np.log(np.cosh(x + 2e-3)) - np.log(np.cosh(x - 2e-3))) / 4e-3,
        "forward": lambda x: (np.log(np.cosh(x + 1e-6)) - np.log(np.cosh(x))) / 1e-6,
        "offset": lambda x: np.tanh(x) + 1e-6,
        "large": lambda x: np.tanh(x) + ROUNDING * np.random.default_rng(0).choice([-1.1, 1.1], x.shape),
    }[way]
    for seed in SEEDS:
        points = [np.random.default_rng([seed, k]).normal(size=(4, 5)) for k in range(3)]
        assert not rounded_to_single([wrong(x) for x in points], [np.tanh(x) for x in points]), seed


def test_the_smallest_error_of_a_known_wrong_solution_is_far_away():
    rng = np.random.default_rng(0)
    exact = rng.normal(size=(3, 4))
    noise = rng.choice([-1.0, 1.0], exact.shape)
    assert not all(one.equal for one in compare_all([exact + 4.7e-4 * noise] * 3, [exact] * 3))
    assert not all(one.equal for one in compare_all([exact + 1e-5 * noise] * 3, [exact] * 3))


def test_what_follows_from_own_values_is_judged_by_content_too():
    judge = values(
        lambda given: {"a": given["x"], "y": given["x"] @ given["x"].T},
        follow=lambda given, own: [{"a": given["x"], "y": own["a"] @ own["a"].T}],
    )
    for seed in SEEDS:
        replies = []
        for k in range(3):
            x = np.random.default_rng([seed, k]).normal(size=(4, 5))
            a = 1.3 * x
            y = (a.astype(SINGLE) @ a.T.astype(SINGLE)).astype(float)
            replies.append(Reply({"x": x}, {"a": a, "y": y}))
        verdict = judge((Line("a", 1), Line("y", 1)), replies)["y"]
        assert verdict.share == 1, seed
        assert verdict.own, seed


@pytest.mark.parametrize(
    ("signs", "chance"),
    [([[1, -1, 1]], 1.0), ([[1, 1, 1]], 0.25), ([[1] * 31], 2.0**-30), ([[1] * 16, [-1] * 16], 2.0**-30), ([], 1.0)],
)
def test_the_chance_of_few_changes_is_exact(signs, chance):
    assert chance_of_so_few_changes([np.array(row) for row in signs]) == pytest.approx(chance)
