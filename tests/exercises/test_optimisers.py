"""optimisers: the exact values by a second route and by PyTorch, and the numbers of the notebook's prose."""

from itertools import combinations

import numpy as np
import pytest

from autograder.exercise import Reply
from autograder.exercises import optimiser_steps as steps
from autograder.exercises import optimisers as exercise

KINDS = tuple(steps.RIGHT)


def drawn(kind, seed=3):
    return [one.known for one in exercise._steps(np.random.default_rng(seed), kind)]


def judged(kind, answers):
    question = exercise.EXERCISE.question(f"{kind}_five")
    return question.judge(question.lines, [Reply(at, answer) for at, answer in zip(drawn(kind), answers)])


@pytest.mark.parametrize("kind", KINDS)
def test_the_unrolled_sums_are_what_the_formulas_of_the_notebook_give_step_by_step(kind):
    for given in drawn(kind):
        exact, stepwise = exercise._truth(kind)(given), steps.run(kind, given)
        for name, value in stepwise.items():
            np.testing.assert_allclose(exact[name], value, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("kind", KINDS)
def test_the_truth_is_that_of_torch(kind):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: make crosscheck")
    made = {
        "momentum": lambda p, at: torch.optim.SGD(p, lr=at["rate"], momentum=at["beta"]),
        "nesterov": lambda p, at: torch.optim.SGD(p, lr=at["rate"], momentum=at["beta"], nesterov=True),
        "rmsprop": lambda p, at: torch.optim.RMSprop(p, lr=at["rate"], alpha=at["beta"], eps=at["eps"]),
        "adam": lambda p, at: torch.optim.Adam(p, at["rate"], (at["beta1"], at["beta2"]), at["eps"]),
        "adamw": lambda p, at: torch.optim.AdamW(p, at["rate"], (at["beta1"], at["beta2"]), at["eps"], at["decay"]),
    }
    for given in drawn(kind):
        theta = torch.tensor(given["theta"], dtype=torch.float64, requires_grad=True)
        optimiser = made[kind]([theta], {name: float(given[name]) for name in exercise.NUMBERS[kind]})
        for g, expected in zip(given["g"], exercise._truth(kind)(given)["theta"]):
            theta.grad = torch.tensor(g, dtype=torch.float64)
            optimiser.step()
            np.testing.assert_allclose(theta.detach().numpy(), expected, rtol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_no_two_mistakes_look_alike_and_none_looks_right(kind):
    points = drawn(kind)
    runs = [("", [steps.run(kind, at) for at in points])]
    runs += [(id, [steps.run(kind, at, changed) for at in points]) for id, changed in steps.WRONG[kind]]
    for (one, first), (other, second) in combinations(runs, 2):
        same = [all(steps._alike(a[line], b[line]) for a, b in zip(first, second)) for line in first[0]]
        assert one == other or not all(same), (one, other)


def test_what_the_first_step_cannot_show():
    """Why five steps are asked: these differ from the right ones only later, where gradients are of ordinary size."""
    hidden = {
        "adam": {"adam-step-not-counted"},
        "momentum": {"optimiser-state-not-carried", "optimiser-rates-exchanged"},
    }
    for kind, named in hidden.items():
        at = drawn(kind)[0]
        exact = steps.run(kind, at)["theta"]
        for id, changed in steps.WRONG[kind]:
            wrong = steps.run(kind, at, changed)["theta"]
            if id in named and "beta * g" not in changed.get("v", "") and "* t" not in changed.get("M", ""):
                np.testing.assert_allclose(wrong[0], exact[0])
                assert not np.allclose(wrong[4], exact[4])


def test_epsilon_shows_where_gradients_are_tiny():
    for kind in ("rmsprop", "adam"):
        tiny = [at for at in drawn(kind) if np.abs(at["g"]).max() < 1e-6]
        assert tiny
        for id, changed in steps.WRONG[kind]:
            if id.startswith("optimiser-epsilon"):
                shift = steps.run(kind, tiny[0], changed)["theta"] - steps.run(kind, tiny[0])["theta"]
                assert np.abs(shift).max() > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_follow_from_own_carried_values(kind):
    answers = []
    for at in drawn(kind):
        own = {name: 1.1 * value for name, value in exercise._truth(kind)(at).items() if name != "theta"}
        answers.append({**own, "theta": steps.run(kind, at, own=own)["theta"]})
    verdicts = judged(kind, answers)
    assert {name: one.share for name, one in verdicts.items()} == {**dict.fromkeys(steps.STATES[kind], 0), "theta": 1}


def test_nothing_follows_from_zeros():
    for kind in KINDS:
        answers = []
        for at in drawn(kind):
            still = np.repeat(at["theta"][None], 5, axis=0)
            answers.append({**dict.fromkeys(steps.STATES[kind], 0 * still), "theta": still})
        assert not any(one.share for one in judged(kind, answers).values())


def test_the_small_examples():
    two = {"theta": np.array([1.0]), "g": np.array([[2.0], [4.0]]), "rate": 0.1, "beta": 0.5}
    momentum, nesterov = (exercise._truth(kind)(two) for kind in ("momentum", "nesterov"))
    np.testing.assert_allclose(momentum["v"].ravel(), [2, 5])
    np.testing.assert_allclose(momentum["theta"].ravel(), [0.8, 0.3])
    np.testing.assert_allclose(nesterov["theta"].ravel(), [0.7, 0.05])
    one = {"theta": np.array([1.0]), "g": np.array([[2.0]]), "rate": 0.1, "beta": 0.75, "eps": 0.0}
    rmsprop = exercise._truth("rmsprop")(one)
    assert (rmsprop["s"].item(), rmsprop["theta"].item()) == (1, pytest.approx(0.8))


def test_while_the_gradient_stays_the_same_adam_moves_by_the_rate():
    at = {
        "theta": np.zeros(2),
        "g": np.tile([300.0, -1e-3], (5, 1)),
        "rate": 0.1,
        "beta1": 0.9,
        "beta2": 0.999,
        "eps": 0.0,
    }
    path = exercise._truth("adam")(at)["theta"]
    np.testing.assert_allclose(np.diff(path, axis=0, prepend=[[0, 0]]), np.tile([-0.1, 0.1], (5, 1)))
    bare = steps.run("adam", at, {"M": "m", "S": "s"})["theta"]
    assert abs(bare[0, 0]) / 0.1 == pytest.approx(3.16, abs=0.005)  # 0.1 / sqrt(0.001)
    assert 0.1 / np.sqrt(0.001) == pytest.approx(3.16, abs=0.005)


def test_the_checks_of_the_notebook_ask_what_is_true():
    many = {"theta": np.zeros(1), "g": np.ones((60, 1)), "rate": 0.1, "beta": 0.5}
    for kind in ("momentum", "nesterov"):
        found = exercise._truth(kind)(many)
        assert found["v"][-1].item() == pytest.approx(2)
        assert np.diff(found["theta"], axis=0)[-1].item() == pytest.approx(-0.2)
