"""residual_network: the truth by PyTorch, fractions and recursion, and the numbers of the notebook's prose."""

from fractions import Fraction
from itertools import combinations, pairwise, product

import numpy as np
import pytest

from autograder.exercise import Reply
from autograder.exercises import residual_by_hand as by_hand
from autograder.exercises import residual_mistakes as mistakes
from autograder.exercises import residual_network as exercise
from autograder.exercises import residual_truth as true
from autograder.marking.by_hand import work_out, work_out_all
from autograder.marking.slips import At, value_of

STEPS = by_hand.STEPS["three_blocks"]


def drawn(name, seed=3):
    probe = exercise.EXERCISE.question(name).probe
    return [challenge.known for challenge in probe.challenges(np.random.default_rng(seed))]


def judged(name, given, values):
    question = exercise.EXERCISE.question(name)
    return question.judge(question.lines, [Reply(at, one) for at, one in zip(given, values)])


def by_paths(w):
    """What the paths through so many branches bring together."""
    found = [Fraction(0)] * (len(w) + 1)
    for path in product((False, True), repeat=len(w)):
        found[sum(path)] += np.prod([one for one, taken in zip(w, path) if taken] or [Fraction(1)])
    return found


def test_by_hand_the_formulas_sympy_and_fractions_agree():
    w = [Fraction(1, 2), Fraction(-1, 5), Fraction(2, 5)]
    exact, worked = by_hand.truth_by_hand(by_hand.GIVEN), work_out_all(STEPS, by_hand.start(by_hand.GIVEN))
    wanted = {"plain": np.prod(w), "slopes": [1 + one for one in w], "residual": sum(by_paths(w)), "paths": by_paths(w)}
    for name, value in wanted.items():
        np.testing.assert_allclose(exact[name], np.array(value, dtype=float), rtol=1e-14)
        np.testing.assert_allclose(worked[name], exact[name], rtol=1e-13)
    assert (float(wanted["plain"]), float(wanted["residual"])) == (-0.04, 1.68)
    assert sum(1 for _ in product((0, 1), repeat=3)) == 8


def test_the_small_example_with_two_blocks():
    w = [Fraction(1, 2), Fraction(3)]
    assert [float(one) for one in by_paths(w)] == [1, 3.5, 1.5]
    assert (float(np.prod(w)), float(np.prod([1 + one for one in w]))) == (1.5, 6)


def test_no_slip_by_hand_looks_right_or_like_another_one():
    known = work_out_all(STEPS, by_hand.start(by_hand.GIVEN))
    for step in STEPS:
        given = [(slip.id, work_out(slip.formula, known)) for slip in step.slips] + [("", known[step.name])]
        for (one, first), (other, second) in combinations(given, 2):
            assert one == other or not step.agrees(first, np.asarray(second, dtype=float)), (step.name, one, other)


@pytest.mark.slow
def test_the_truth_of_a_block_and_a_projection_is_that_of_torch():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: make crosscheck")
    for name, truth in (("block_gradients", true.block_gradients), ("projection_gradients", true.projection_gradients)):
        for at in drawn(name):
            known = {key: torch.tensor(at[key], requires_grad=True) for key in ("X", "W1", "b1", "W2", "b2")}
            known["P"] = torch.tensor(at["P"], requires_grad=True)
            Z1 = known["W1"] @ known["X"] + known["b1"]
            Z1.retain_grad()
            around = known["P"] @ known["X"] if name.startswith("projection") else known["X"]
            out = around + known["W2"] @ torch.tanh(Z1) + known["b2"]
            out.backward(torch.tensor(at["dout"]))
            for line, exact in truth(at).items():
                got = Z1.grad if line == "dZ1" else known[line[1:]].grad
                np.testing.assert_allclose(exact, got.numpy(), rtol=1e-11, atol=1e-14)
            if name.startswith("block"):
                np.testing.assert_allclose(true.block(at)["out"], out.detach().numpy(), rtol=1e-13)


def test_the_sum_over_all_paths_is_the_walk_from_block_to_block():
    for name, truth in (("stack_values", true.stack_values), ("stack_gradients", true.stack_gradients)):
        for at in drawn(name):
            for which, identity in true.KINDS.items():
                line, forwards = name.removeprefix("stack_") + which, name == "stack_values"
                walked = mistakes.walk(mistakes.of_kind(At(at, {}), identity), mistakes._rule(identity), forwards)
                np.testing.assert_allclose(truth(at)[line], walked, rtol=1e-12, atol=1e-14)


def test_sizes_and_the_small_example_of_them():
    small = {"gradients": np.array([[[6.0, 8.0]], [[3.0, 4.0]], [[0.0, 2.5]]])}
    np.testing.assert_allclose(true.sizes(small)["relative"], [4, 2, 1])
    np.testing.assert_allclose(true.sizes(small)["per_block"], 2)
    for at in drawn("gradient_sizes"):
        norms = np.linalg.norm(at["gradients"], axis=(1, 2))
        np.testing.assert_allclose(true.sizes(at)["relative"], norms / norms[-1], rtol=1e-13)
        whole = true.sizes(at)["per_block"] ** (len(norms) - 1)
        np.testing.assert_allclose(whole, norms[0] / norms[-1], rtol=1e-12)


def test_the_four_stacks_do_what_is_said(solved):
    names = solved("residual_network", "fifty")

    def measured(identity, normalised, seed):
        values, gradients = names["fifty"](identity, normalised, np.random.default_rng(seed))
        size = np.linalg.norm(values[-1]) / np.linalg.norm(values[0])
        return names["relative_sizes"](gradients)[0], names["per_block"](gradients), size

    # with the seed of the picture, and the factors with others too
    first, factor, _ = measured(False, False, 5)
    assert first < 1e-14
    assert f"{factor:.1f}" == "0.5"
    assert 0.1 < measured(False, True, 5)[0] < 10
    first, factor, size = measured(True, False, 5)
    assert 100 < first < 1000
    assert f"{factor:.2f}" == "1.13"
    assert size > 50
    assert f"{measured(True, True, 5)[0]:.0f}" == "4"
    assert measured(False, False, 5)[2] < 1e-12
    assert 1 < measured(True, True, 5)[2] < size / 10
    forgiving = [measured(False, True, seed)[0] for seed in range(5)]
    assert max(forgiving) > 10 * min(forgiving)  # it depends on the draw
    for seed in range(5):
        assert 0.45 < measured(False, False, seed)[1] < 0.52
        assert 1.08 < measured(True, False, seed)[1] < 1.14
        assert 3 < measured(True, True, seed)[0] < 5
    assert f"{0.5**50:.0e}" == "9e-16"


@pytest.mark.slow
def test_the_stacks_are_those_of_the_text_and_their_curves_too(solved):
    names = solved("residual_network", "fifty")
    values, gradients = names["fifty"](False, False, np.random.default_rng(5))
    assert {one.shape for one in (*values, *gradients)} == {(32, 16)}
    sizes = np.log(names["relative_sizes"](gradients))
    assert np.corrcoef(sizes, np.arange(51))[0, 1] > 0.999  # a straight line
    for seed in range(5):
        values, gradients = names["fifty"](True, False, np.random.default_rng(seed))
        grows = (np.linalg.norm(values[-1]) / np.linalg.norm(values[0])) ** (1 / 50)
        assert 1.08 < grows < 1.16  # "and so do the values"
        assert np.all(np.diff(names["relative_sizes"](gradients)) < 0.03 * names["relative_sizes"](gradients)[:-1])


@pytest.mark.slow
def test_weights_twice_as_large_would_keep_the_size():
    """ "Half as large as they should be for ReLU": at twice their size the mean square stays, here it is a quarter."""
    rng = np.random.default_rng(0)
    X = np.maximum(rng.normal(size=(32, 5000)), 0)
    kept = [np.mean((f * np.sqrt(2 / 32) * rng.normal(size=(2000, 32)) @ X) ** 2) for f in (1, 0.5)]
    assert kept == pytest.approx([1, 0.25], rel=0.1)


def test_plus_equals_changes_what_stands_in_the_list():
    X = np.zeros(2)
    values = [X]
    X += 1
    assert values[0].tolist() == [1, 1]


def test_what_normalisation_changes_is_the_size_of_later_branches(solved):
    """The spread by which a branch's gradient is divided has grown with the values."""
    fifty = solved("residual_network", "fifty")["fifty"]
    values, _ = fifty(True, True, np.random.default_rng(5))
    spread = [float(one.std(axis=0).mean()) for one in values]
    assert spread[-1] > 3 * spread[0]
    added = [np.linalg.norm(b - a) / np.linalg.norm(a) for a, b in pairwise(values)]
    assert added[-1] < added[0] / 2
    bare, _ = fifty(True, False, np.random.default_rng(5))
    kept = [np.linalg.norm(b - a) / np.linalg.norm(a) for a, b in pairwise(bare)]
    assert kept[-1] > kept[0] / 2


@pytest.mark.parametrize(
    ("name", "slips", "truth"),
    [
        ("block_values", mistakes.BLOCK, true.block),
        ("block_gradients", mistakes.GRADIENTS, true.block_gradients),
        ("projection_gradients", mistakes.PROJECTION, true.projection_gradients),
        ("stack_values", [s for s in mistakes.STACK if s.lines[0][0] == "v"], true.stack_values),
        ("stack_gradients", [s for s in mistakes.STACK if s.lines[0][0] == "g"], true.stack_gradients),
        ("gradient_sizes", mistakes.SIZES, true.sizes),
    ],
)
def test_no_two_slips_look_alike_and_none_looks_right(name, slips, truth):
    points = drawn(name)[1:]
    own = [truth(at) for at in points]  # a slip may build on what is right before it
    for line in {line for slip in slips for line in slip.lines}:
        before = [{key: value for key, value in one.items() if key != line} for one in own]
        here = [
            (slip.id, [value_of(slip.formula, At(at, one)) for at, one in zip(points, before)])
            for slip in slips
            if line in slip.lines
        ]
        assert all(value is not None for _, values in here for value in values)
        here.append(("right", [one[line] for one in own]))
        for (one, first), (other, second) in combinations(here, 2):
            alike = all(np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-7) for a, b in zip(first, second))
            assert one == other or not alike, (line, one, other)


def test_what_lies_below_the_error_signal_follows_from_the_own_one():
    points = drawn("block_gradients")
    values = []
    for at in points:
        dZ1 = (at["W2"].T @ at["dout"]) * 0.3 * (1 - at["A1"])
        below = {"dW1": dZ1 @ at["X"].T, "db1": dZ1.sum(axis=1, keepdims=True), "dX": at["dout"] + at["W1"].T @ dZ1}
        values.append({**true.block_gradients(at), "dZ1": dZ1, **below})
    verdicts = judged("block_gradients", points, values)
    assert {name for name, one in verdicts.items() if one.share == 0} == {"dZ1"}
    assert {name for name, one in verdicts.items() if one.own} == {"dW1", "db1", "dX"}


def test_sizes_that_are_all_the_same_show_no_factor():
    points = drawn("gradient_sizes")
    values = [{"relative": np.ones(len(at["gradients"])), "per_block": 1.0} for at in points]
    assert all(one.share == 0 for one in judged("gradient_sizes", points, values).values())
