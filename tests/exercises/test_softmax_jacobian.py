"""softmax_jacobian: the truth by JAX, PyTorch and rational numbers, and the numbers of the notebook's prose."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from autograder.exercise import Reply
from autograder.exercises import softmax_by_hand as by_hand
from autograder.exercises import softmax_jacobian as exercise
from autograder.exercises import softmax_mistakes as mistakes
from autograder.marking.by_hand import work_out, work_out_all
from autograder.marking.slips import At, value_of

STEPS = by_hand.STEPS["three_units"]


def drawn(name, seed=3):
    probe = exercise.EXERCISE.question(name).probe
    return [challenge.known for challenge in probe.challenges(np.random.default_rng(seed))]


def test_by_hand_the_formulas_sympy_and_fractions_agree():
    p = [Fraction(1, 2), Fraction(1, 4), Fraction(1, 4)]
    J = [[(i == j) * p[i] - p[i] * p[j] for j in range(3)] for i in range(3)]
    dp = [0, -1 / p[1], 0]
    dz = [sum(dp[i] * J[i][j] for i in range(3)) for j in range(3)]
    exact, worked = by_hand.truth_by_hand(by_hand.GIVEN), work_out_all(STEPS, by_hand.start(by_hand.GIVEN))
    for name, value in {"p": p, "J": J, "dp": dp, "dz": dz}.items():
        np.testing.assert_allclose(exact[name], np.array(value, dtype=float), rtol=1e-15)
        np.testing.assert_allclose(worked[name], exact[name], rtol=1e-15)
    np.testing.assert_array_equal(exact["dz"], exact["p"] - [0, 1, 0])


def test_the_small_example_with_two_units():
    given = {"e": np.array([3.0, 1.0]), "y": np.array([1.0, 0.0])}
    known = {**given, "I": np.eye(2)}
    for step in STEPS:
        known[step.name] = work_out(step.formula.replace("(3, 1)", "(2, 1)"), known)
    np.testing.assert_allclose(known["p"], [0.75, 0.25])
    np.testing.assert_allclose(known["J"], [[0.1875, -0.1875], [-0.1875, 0.1875]])
    np.testing.assert_allclose(known["dp"], [-1.3333, 0], rtol=1e-4)
    np.testing.assert_allclose(known["dz"], [-0.25, 0.25])


def test_no_slip_by_hand_looks_right_or_like_another_one():
    known = work_out_all(STEPS, by_hand.start(by_hand.GIVEN))
    for step in STEPS:
        given = [(slip.id, work_out(slip.formula, known)) for slip in step.slips] + [("", known[step.name])]
        for (one, first), (other, second) in combinations(given, 2):
            assert one == other or not step.agrees(first, np.asarray(second, dtype=float)), (step.name, one, other)


def test_the_slopes_are_those_of_the_formulas():
    for at in drawn("jacobian_matrix"):
        p = at["p"]
        np.testing.assert_allclose(exercise.true_jacobian(at)["J"], np.diag(p) - np.outer(p, p), rtol=1e-13)
    for at in drawn("backward_product"):
        P, dP = at["P"], at["dP"]
        wanted = np.stack([(np.diag(p) - np.outer(p, p)).T @ d for p, d in zip(P.T, dP.T)], axis=1)
        np.testing.assert_allclose(exercise.true_product(at)["dZ"], wanted, rtol=1e-11, atol=1e-15)
    for at in drawn("cross_entropy_values"):
        wanted = (mistakes.shares(at["Z"]) - at["Y"]) / at["Z"].shape[1]
        np.testing.assert_allclose(exercise.true_loss(at)["dZ"], wanted, rtol=1e-12)


@pytest.mark.slow
def test_the_truth_is_that_of_jax():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)

    def same(exact, wanted):
        np.testing.assert_allclose(exact, wanted, rtol=1e-11, atol=1e-14)

    def loss(Z, Y):
        return -(Y * jax.nn.log_softmax(Z, axis=0)).sum() / Z.shape[1]

    at = drawn("cross_entropy_values")[1]
    exact = exercise.true_softmax({"Z": at["Z"], "Z_large": at["Z_large"]})
    for size in ("", "_large"):
        same(exact[f"P{size}"], jax.nn.softmax(at[f"Z{size}"], axis=0))
        same(exact[f"lse{size}"], jax.nn.logsumexp(at[f"Z{size}"], axis=0, keepdims=True))
        same(exercise.true_loss(at)[f"loss{size}"], loss(at[f"Z{size}"], at["Y"]))
    same(exercise.true_loss(at)["dZ"], jax.grad(loss)(at["Z"], at["Y"]))
    at = drawn("jacobian_matrix")[1]
    same(exercise.true_jacobian(at)["J"], jax.jacobian(jax.nn.softmax)(at["z"]))
    at = drawn("backward_product")[1]
    _, back = jax.vjp(lambda Z: jax.nn.softmax(Z, axis=0), at["Z"])
    same(exercise.true_product(at)["dZ"], back(jax.numpy.asarray(at["dP"]))[0])


@pytest.mark.slow
def test_the_loss_and_its_gradient_are_those_of_torch():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: make crosscheck")
    for given in drawn("cross_entropy_values"):
        Z = torch.tensor(given["Z"].T, requires_grad=True)
        loss = torch.nn.functional.cross_entropy(Z, torch.tensor(given["Y"].argmax(axis=0)))
        loss.backward()
        exact = exercise.true_loss(given)
        np.testing.assert_allclose(exact["loss"], loss.item(), rtol=1e-13)
        np.testing.assert_allclose(exact["dZ"], Z.grad.numpy().T, rtol=1e-11, atol=1e-15)


def test_a_class_without_a_share_is_among_what_is_asked():
    for given in drawn("cross_entropy_values")[1:]:
        P = exercise.true_softmax({"Z": given["Z"], "Z_large": given["Z_large"]})["P_large"]
        assert np.min(P[given["Y"] == 1]) == 0
        assert np.isfinite(exercise.true_loss(given)["loss_large"])


@pytest.mark.parametrize(
    ("name", "slips", "truth"),
    [
        ("softmax_values", mistakes.FORWARD, exercise.true_softmax),
        ("jacobian_matrix", mistakes.JACOBIAN, exercise.true_jacobian),
        ("backward_product", mistakes.BACKWARD, exercise.true_product),
        ("cross_entropy_values", mistakes.LOSS, exercise.true_loss),
    ],
)
def test_no_two_slips_look_alike_and_none_looks_right(name, slips, truth):
    points = drawn(name)[1:]
    for line in {line for slip in slips for line in slip.lines}:
        here = [
            (slip.id, [value_of(slip.formula, At(at, {})) for at in points]) for slip in slips if line in slip.lines
        ]
        here.append(("right", [truth(at)[line] for at in points]))
        for (one, first), (other, second) in combinations(here, 2):
            alike = all(np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-7) for a, b in zip(first, second))
            assert one == other or not alike, (line, one, other)


def judged(name, given, **values):
    question = exercise.EXERCISE.question(name)
    return question.judge(question.lines, [Reply(at, one) for at, one in zip(given, values["values"])])


def test_loss_and_gradient_follow_from_the_students_own_softmax():
    points = drawn("cross_entropy_values")[1:]
    halves = []
    for at in points:
        P = mistakes.shares(at["Z"], 1)
        lse = exercise.true_softmax({"Z": at["Z"], "Z_large": at["Z_large"]})["lse"] + 1
        own = {"loss": exercise.true_loss(at)["loss"] + 1, "loss_large": exercise.true_loss(at)["loss_large"]}
        halves.append({"P": P, "lse": lse, **own, "dZ": (P - at["Y"]) / P.shape[1]})
    verdicts = judged("cross_entropy_values", points, values=halves)
    assert {name: (one.share, one.own) for name, one in verdicts.items()} == {
        "loss": (1.0, True), "loss_large": (1.0, False), "dZ": (1.0, True),
    }  # fmt: skip


def test_the_memory_of_a_matrix_costs_half_and_is_told_apart_from_that_of_the_product():
    points = drawn("backward_product")
    for peak, share in ((400 * 3 * 8 * 6, 1), (400 * 400 * 4, 0.5), (None, 0.5)):
        values = [{"dZ": exercise.true_product(at)["dZ"], "peak": peak} for at in points]
        assert judged("backward_product", points, values=values)["dZ"].share == share
    assert exercise.MANY == 400  # as the notebook says


def test_what_the_text_says_of_large_units():
    with np.errstate(over="ignore"):
        assert (np.exp(1000.0), np.exp(-1000.0)) == (np.inf, 0)
    Z = np.array([[0.3, -1.0], [2.0, 0.5], [1.0, 1.0]])
    np.testing.assert_allclose(mistakes.shares(Z - [[7.0, -4.0]]), mistakes.shares(Z), rtol=1e-14)
    for at in drawn("softmax_values"):  # around 1000 and around -1000, in columns of their own
        largest = at["Z_large"].max(axis=0)
        assert np.any(largest > 990)
        assert np.any(largest < -990)


def test_the_left_picture_is_symmetric_with_a_positive_diagonal_and_sums_of_zero():
    p = mistakes.shares(np.array([[2.0], [1.0], [0.5], [0.0], [-0.5], [-1.0]]))[:, 0]
    J = exercise.true_jacobian({"z": np.log(p), "p": p})["J"]
    np.testing.assert_array_equal(J > 0, np.eye(6, dtype=bool))
    np.testing.assert_array_equal(J < 0, ~np.eye(6, dtype=bool))
    for axis in (0, 1):
        np.testing.assert_allclose(J.sum(axis=axis), 0, atol=1e-15)


def test_what_cancels_the_logarithm_and_what_does_not():
    p = mistakes.shares(np.array([[10.0], [0.0], [0.0]]))[:, 0]  # the right class is the second one
    J = np.diag(p) - np.outer(p, p)
    assert 1 / p[1] > 20_000
    np.testing.assert_allclose(J[1] * (-1 / p[1]), p - [0, 1, 0], rtol=1e-10)
    assert p[0] > 0.999
    assert max(p[1], J[0, 0]) < 0.001


def test_the_right_picture_rises_and_falls():
    z = np.linspace(-2, 10, 25)
    Z, Y = np.vstack([z, 0 * z, 0 * z]), np.eye(3)[:, [1] * 25]
    P = mistakes.shares(Z)
    squared = np.abs(exercise.true_product({"Z": Z, "P": P, "dP": 2 * (P - Y)})["dZ"][0])
    assert np.all(np.diff(P[0] - Y[0]) > 0)  # the cross-entropy's dz
    assert P[0, -1] > 0.999
    assert squared.max() > 0.3
    assert squared[-1] < 0.001


def test_the_squared_error_falls_asleep_and_the_cross_entropy_does_not():
    z = np.array([[10.0], [0.0], [0.0]])
    P, Y = mistakes.shares(z), np.eye(3)[:, [1]]
    squared = exercise.true_product({"Z": z, "P": P, "dP": 2 * (P - Y)})["dZ"]
    assert abs((P - Y)[0, 0]) > 0.999
    assert abs(squared[0, 0]) < 0.001
    assert 50_000**2 == 2.5e9  # entries of the Jacobian of a model of language
