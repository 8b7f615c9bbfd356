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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_the_checks_of_the_notebook_ask_what_is_true():
    many = {"theta": np.zeros(1), "g": np.ones((60, 1)), "rate": 0.1, "beta": 0.5}
    for kind in ("momentum", "nesterov"):
        found = exercise._truth(kind)(many)
        assert found["v"][-1].item() == pytest.approx(2)
        assert np.diff(found["theta"], axis=0)[-1].item() == pytest.approx(-0.2)


# The prose ------------------------------------------------------------------------------------------------------------


def test_a_third_of_the_known_mistakes_cannot_be_seen_in_the_first_step():
    hidden = []
    for kind in KINDS:
        at = drawn(kind)[0]
        exact = steps.run(kind, at)["theta"][0]
        hidden += [np.allclose(steps.run(kind, at, changed)["theta"][0], exact) for _, changed in steps.WRONG[kind]]
    assert 0.3 < np.mean(hidden) < 0.37


def cell(root, name):
    source = (root / "reference/beyond/optimisers.py").read_text()
    return source.split(f'="{name}"')[1].split("# %%")[0].split("\n", 1)[1]


def test_each_is_two_to_five_lines(root):
    written = [
        len(part.split("### END SOLUTION")[0].strip().splitlines())
        for name in ("momentum", "rmsprop", "adam", "adamw")
        for part in cell(root, name).split("### BEGIN SOLUTION")[1:]
    ]
    assert len(written) == 5
    assert all(2 <= lines <= 5 for lines in written)


def test_adamw_carries_on_what_adam_does():
    at = drawn("adamw")[1]
    adam, adamw = exercise._truth("adam")(at), exercise._truth("adamw")(at)
    for name in ("m", "s"):
        np.testing.assert_allclose(adam[name], adamw[name])


def test_in_the_valley_adam_begins_at_45_degrees_though_the_gradient_points_almost_straight_across():
    g = np.array([-4.0, 1.0]) * [1, 50]
    assert np.degrees(np.arctan2(abs(g[0]), abs(g[1]))) < 5
    at = {"theta": np.array([-4.0, 1.0]), "g": g[None], "rate": 0.1, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
    np.testing.assert_allclose(exercise._truth("adam")(at)["theta"][0] - at["theta"], [0.1, -0.1], rtol=1e-6)


def test_in_the_first_step_the_averages_are_too_small_by_10_and_by_1000():
    at = {"theta": np.zeros(1), "g": np.full((1, 1), 3.0), "rate": 0.1, "beta1": 0.9, "beta2": 0.999, "eps": 0.0}
    found = exercise._truth("adam")(at)
    assert (3 / found["m"].item(), 9 / found["s"].item()) == pytest.approx((10, 1000))


def test_decay_in_the_gradient_is_less_where_gradients_are_large_and_beside_the_step_it_is_not():
    """By how much the decay moves two equal parameters, one with gradients ten times as large."""
    g = np.tile([0.5, 5.0], (5, 1)) * np.array([1, -1, 1, 1, -1])[:, None]
    at = {"theta": np.ones(2), "rate": 0.01, "beta1": 0.9, "beta2": 0.99, "eps": 1e-8, "g": g}
    adam = exercise._truth("adam")
    coupled = adam({**at, "g": g + 0.1})["theta"][0] - adam(at)["theta"][0]
    later = adam({**at, "g": g + 0.1})["theta"][-1] - adam(at)["theta"][-1]
    assert abs(later[1]) < abs(later[0]) / 5
    assert np.all(np.abs(coupled) < 1e-6)  # the first step goes by the sign alone
    beside = exercise._truth("adamw")({**at, "decay": 0.1})["theta"][0] - adam(at)["theta"][0]
    np.testing.assert_allclose(beside, -0.01 * 0.1)


@pytest.mark.slow
def test_all_five_of_the_race_begin_at_one_place_and_plain_descent_comes_last(root, monkeypatch):
    monkeypatch.syspath_prepend(str(root / "reference" / "toolkit"))
    monkeypatch.setattr("matplotlib.pyplot.show", lambda *_: None)
    names = {}
    for name in ("setup", "momentum", "rmsprop", "adam", "descend", "race"):
        exec(cell(root, name), names)
    assert names["net"].W1.shape == (8, 2)  # eight hidden units
    paths, curves = (ax.get_lines() for ax in names["axes"])
    assert len(paths) == len(curves) == 5
    assert {line.get_xydata().shape for line in paths} == {(61, 2)}
    assert {tuple(line.get_xydata()[0]) for line in paths} == {(-4.0, 1.0)}
    assert {len(line.get_ydata()) for line in curves} == {301}
    assert len({line.get_ydata()[0] for line in curves}) == 1
    assert np.argmax([line.get_ydata()[-1] for line in curves]) == 0
