"""normalisation: the truth by PyTorch and sympy, and the numbers of the notebook's prose."""

from itertools import combinations

import numpy as np
import pytest
import sympy as sp

from autograder.exercise import Reply
from autograder.exercises import normalisation as exercise
from autograder.exercises import normalisation_mistakes as mistakes
from autograder.exercises import normalisation_truth as true
from autograder.exercises import running_averages
from autograder.marking.slips import At, value_of


def drawn(name, seed=3):
    probe = exercise.EXERCISE.question(name).probe
    return [challenge.known for challenge in probe.challenges(np.random.default_rng(seed))]


def judged(name, given, values):
    question = exercise.EXERCISE.question(name)
    return question.judge(question.lines, [Reply(at, one) for at, one in zip(given, values)])


def walked(Z, d, eps):
    """Everything about one unit in one row."""
    mu, var, _ = mistakes.at_once(Z, 1, eps)
    at = {"Z": Z, "dZ_hat": d, "eps": eps, "mu": mu, "var": var, "mu_layer": mu, "var_layer": var}
    with np.errstate(invalid="ignore"):  # a layer of one unit has no spread
        return {"mu": mu, "var": var, **true.paths(at)}


@pytest.mark.slow
def test_the_slopes_are_those_of_sympy():
    z, d = sp.symbols("z:3"), (sp.Rational(1, 2), sp.Rational(-3), sp.Rational(2))
    mu, var, eps = sp.Symbol("mu"), sp.Symbol("var"), sp.Rational(1, 4)
    at = dict(zip(z, (1, 3, 8)))
    loss = sum(one * (unit - mu) / sp.sqrt(var + eps) for one, unit in zip(d, z))
    spread = sum((unit - mu) ** 2 for unit in z) / 3
    whole = loss.subs(var, spread).subs(mu, sum(z) / 3)
    known = {**at, mu: 4, var: sp.Rational(26, 3)}
    found = walked(np.array([[1.0, 3.0, 8.0]]), np.array([[0.5, -3.0, 2.0]]), 0.25)
    np.testing.assert_allclose(found["direct"][0], [float(loss.diff(unit).subs(known)) for unit in z], rtol=1e-14)
    np.testing.assert_allclose(found["dvar"], [[float(loss.diff(var).subs(known))]], rtol=1e-14)
    np.testing.assert_allclose(found["dmu"], [[float(loss.subs(var, spread).diff(mu).subs(known))]], rtol=1e-14)
    np.testing.assert_allclose(found["dZ"][0], [float(whole.diff(unit).subs(at)) for unit in z], rtol=1e-13)
    assert spread.diff(mu).subs({**at, mu: 4}) == 0  # the path of the mean through the variance


def test_the_paths_and_the_one_line_are_the_formulas():
    for at in drawn("path_gradients"):
        exact = true.paths(at)
        for which, axis in mistakes.AXES.items():
            d, h, s = at["dZ_hat"], at[f"Z_hat{which}"], at[f"s{which}"]
            np.testing.assert_allclose(exact[f"dZ{which}"], mistakes.fused(d, h, s, axis), rtol=1e-11, atol=1e-14)
            paths = mistakes.Paths(At(at, {}), which)
            np.testing.assert_allclose(exact[f"dZ{which}"], paths.total(), rtol=1e-11, atol=1e-14)


@pytest.mark.slow
def test_the_truth_is_that_of_torch():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: make crosscheck")
    functional = torch.nn.functional
    for at in drawn("path_gradients"):
        for which in mistakes.AXES:
            rows = at["Z"].T if which == "" else at["Z"]  # torch averages over rows, or over the last axis
            Z = torch.tensor(rows if which == "" else rows.T, requires_grad=True)
            d = torch.tensor(at["dZ_hat"].T)
            if which:
                Z_hat = functional.layer_norm(Z, Z.shape[1:], eps=float(at["eps"]))
            else:
                Z_hat = functional.batch_norm(Z, None, None, training=True, eps=float(at["eps"]))
            Z_hat.backward(d)
            exact = true.forward({"Z": at["Z"], "eps": at["eps"]})[f"Z_hat{which}"]
            np.testing.assert_allclose(exact, Z_hat.detach().numpy().T, rtol=1e-12)
            np.testing.assert_allclose(true.paths(at)[f"dZ{which}"], Z.grad.numpy().T, rtol=1e-10, atol=1e-14)


@pytest.mark.slow
def test_running_averages_and_evaluation_are_those_of_torch_but_for_m_minus_1():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: make crosscheck")
    for at in drawn("training_values"):
        exact, m, keep = true.running(at), at["batches"].shape[2], float(at["keep"])
        mu, var = (torch.tensor(at[f"running_{name}"][:, 0].copy()) for name in ("mu", "var"))
        gamma, beta = (torch.tensor(at[name][:, 0].copy()) for name in ("gamma", "beta"))
        kept = keep ** np.arange(1, 4).reshape(3, 1, 1) * at["running_var"]
        for t, Z in enumerate(at["batches"]):
            U = torch.nn.functional.batch_norm(
                torch.tensor(Z.T.copy()), mu, var, gamma, beta, training=True, momentum=1 - keep, eps=float(at["eps"])
            )
            np.testing.assert_allclose(exact["U"][t], U.numpy().T, rtol=1e-11)
            np.testing.assert_allclose(exact["running_mu"][t][:, 0], mu.numpy(), rtol=1e-12)
            unbiased = kept[t] + (exact["running_var"][t] - kept[t]) * m / (m - 1)
            np.testing.assert_allclose(unbiased[:, 0], var.numpy(), rtol=1e-12)
    for at in drawn("evaluation_values"):
        Z = torch.tensor(at["Z"].T.copy())
        U = torch.nn.functional.batch_norm(
            Z, *(torch.tensor(at[name][:, 0].copy()) for name in ("running_mu", "running_var", "gamma", "beta")),
            eps=float(at["eps"]),
        )  # fmt: skip
        np.testing.assert_allclose(true.evaluation(at)["U"], U.numpy().T, rtol=1e-12)


def test_the_small_examples():
    mu, var, Z_hat = mistakes.at_once(np.array([[1.0, 3.0, 8.0]]), 1, 1 / 3)
    np.testing.assert_allclose([mu[0, 0], var[0, 0], var[0, 0] + 1 / 3], [4, 26 / 3, 9])
    np.testing.assert_allclose(Z_hat, [[-1, -1 / 3, 4 / 3]])
    Z = np.array([[1.0, 5.0]])
    found = walked(Z, np.array([[1.0, 0.0]]), 0.0)
    assert (found["mu"], found["var"]) == (3, 4)
    np.testing.assert_allclose(found["direct"], [[0.5, 0]])
    np.testing.assert_allclose([found["dvar"][0, 0], found["dmu"][0, 0]], [0.125, -0.5])
    np.testing.assert_allclose(found["dvar"] * 2 * (Z - 3) / 2, [[-0.25, 0.25]])
    np.testing.assert_allclose(found["dmu"] / 2, [[-0.25]])
    np.testing.assert_allclose(found["dZ"], 0, atol=1e-15)
    assert running_averages.carried(0.0, [10.0], 0.9) == pytest.approx([1])


def test_a_gradient_that_moves_all_alike_or_stretches_them_is_taken_off():
    Z = np.array([[2.5, 0.3, -1.0, 1.2]])
    for part in (np.ones_like(Z), mistakes.at_once(Z, 1, 0.0)[2]):
        np.testing.assert_allclose(walked(Z, part, 0.0)["dZ"], 0, atol=1e-14)


def test_two_values_become_minus_one_and_one_and_three_batches_are_asked():
    for pair in ([1.0, 5.0], [-2.0, -2.5], [1e3, 1e-3]):
        np.testing.assert_allclose(
            mistakes.at_once(np.array([pair]), 1, 0.0)[2], [np.sign(np.subtract(pair, pair[::-1]))]
        )
    for at in drawn("training_values"):
        assert len(at["batches"]) == 3


def test_the_picture_shows_what_is_said():
    Z = np.array([[2.5, 0.3, -1.0, 1.2, 0.1, -0.6, 3.0, -1.5]])
    found = walked(Z, np.eye(1, 8), 1e-5)
    assert np.flatnonzero(found["direct"]).tolist() == [0]
    assert np.all(np.abs(found["dvar"] * 2 * (Z - found["mu"]) / 8) > 0.005)
    assert abs(found["dmu"][0, 0] / 8) > 0.05
    assert abs(found["dZ"].sum()) < 1e-14


def test_why_a_bias_before_batch_norm_learns_nothing_and_a_single_example_becomes_beta():
    for at in drawn("path_gradients"):
        np.testing.assert_allclose(true.paths(at)["dZ"].sum(axis=1), 0, atol=1e-13)
    assert not np.any(mistakes.at_once(np.array([[3.0], [-2.0]]), 1, 0.1)[2])


def test_epsilon_tells_everywhere_where_it_stands():
    for at in drawn("forward_values"):
        below = {which: true.forward(at)[f"var{which}"] for which in mistakes.AXES}
        for var in below.values():
            outside = np.sqrt(var) + at["eps"]
            assert np.min(np.abs(outside / np.sqrt(var + at["eps"]) - 1)) > 0.01


@pytest.mark.parametrize(
    ("name", "slips", "truth"),
    [
        ("forward_values", mistakes.FORWARD, true.forward),
        ("scale_gradients", mistakes.SCALE, true.scale),
        ("path_gradients", mistakes.PATHS, true.paths),
        ("fused_gradient", mistakes.FUSED, true.paths),
        ("training_values", running_averages.TRAINING, true.running),
        ("evaluation_values", running_averages.EVALUATION, true.evaluation),
    ],
)
def test_no_two_slips_look_alike_and_none_looks_right(name, slips, truth):
    points = drawn(name)[1:]
    for line in {line for slip in slips for line in slip.lines}:
        here = [
            (slip.id, [value_of(slip.formula, At(at, {})) for at in points]) for slip in slips if line in slip.lines
        ]
        assert all(value is not None for _, values in here for value in values)
        here.append(("right", [truth(at)[line] for at in points]))
        for (one, first), (other, second) in combinations(here, 2):
            alike = all(np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-7) for a, b in zip(first, second))
            assert one == other or not alike, (line, one, other)


def test_each_path_is_marked_given_the_own_ones_before_it():
    points = drawn("path_gradients")
    values = []
    for at in points:
        own = dict(true.paths(at))
        for which in mistakes.AXES:
            own[f"direct{which}"] = own[f"direct{which}"] * 1.7
            paths = mistakes.Paths(At(at, own), which)
            own |= {f"dvar{which}": paths.dvar, f"dmu{which}": paths.dmu, f"dZ{which}": paths.total()}
        values.append(own)
    verdicts = judged("path_gradients", points, values)
    assert {name for name, one in verdicts.items() if one.share == 0} == {"direct", "direct_layer"}
    assert all(one.own for name, one in verdicts.items() if not name.startswith("direct"))


def test_a_batch_is_marked_given_the_own_normalise():
    points = drawn("training_values")
    values = []
    for at in points:
        mu, var = at["batches"].mean(axis=2, keepdims=True), at["batches"].var(axis=2, keepdims=True, ddof=1)
        Z_hat = (at["batches"] - mu) / np.sqrt(var + at["eps"])
        running = {
            f"running_{name}": running_averages.carried(at[f"running_{name}"], new, at["keep"])
            for name, new in (("mu", mu), ("var", var))
        }
        values.append({"mu": mu, "var": var, "Z_hat": Z_hat, "U": at["gamma"] * Z_hat + at["beta"], **running})
    verdicts = judged("training_values", points, values)
    assert {name: (one.share, one.own) for name, one in verdicts.items()} == {
        "U": (1.0, True), "running_mu": (1.0, False), "running_var": (1.0, True),
    }  # fmt: skip
