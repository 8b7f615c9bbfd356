"""Facts that the notebook exploding_gradients tells, the truth of its questions, and the rate of false alarms."""

import runpy

import matplotlib as mpl
import numpy as np
import pytest

from autograder.course import find_root
from autograder.exercise import Line, Reply
from autograder.exercises import exploding_gradients as exercise
from autograder.exercises import load, random_weights, rate_schedule
from autograder.marking import challenges

mpl.use("Agg")

LINES = tuple(Line(name, 1) for name in ("shape", "linear", "relu", "random"))


@pytest.fixture(scope="module")
def notebook():
    """The names that the solved notebook defines after it has run from top to bottom."""
    root = find_root()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root / "reference" / "toolkit"))
        return runpy.run_path(str(root / "reference" / "by_hand" / "exploding_gradients.py"))


def _drawn(draw, seed):
    """Replies of a student whose weights are draw(rng, variance, shape)."""
    replies = []
    for challenge in challenges(load("exploding_gradients"), seed)["drawn_weights"]:
        rng, given = np.random.default_rng([seed, 7]), challenge.given
        shape = int(given["n_out"]), int(given["n_in"])
        variances = {"linear": 1 / shape[1], "relu": 2 / shape[1], "again": 1 / shape[1]}
        replies.append(Reply(given, {name: draw(rng, v, shape) for name, v in variances.items()}))
    return replies


DRAWS = {
    "normal": lambda rng, v, shape: rng.normal(0, np.sqrt(v), shape),
    "uniform": lambda rng, v, shape: rng.uniform(-np.sqrt(3 * v), np.sqrt(3 * v), shape),
    "signs": lambda rng, v, shape: rng.choice([-1.0, 1.0], shape) * np.sqrt(v),
    "truncated": lambda rng, v, shape: np.clip(rng.normal(0, 1, shape), -2, 2) * np.sqrt(v / 0.920537),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAWS)
def test_right_weights_of_any_distribution_are_accepted(name):
    alarms = 0
    for seed in range(60):
        verdicts = exercise.judge_weights(LINES, _drawn(DRAWS[name], seed))
        alarms += any(verdict.share < 1 for verdict in verdicts.values())
    assert alarms == 0


@pytest.mark.slow
def test_the_stated_rate_of_false_alarms():
    """For normal draws the sum of squares is chi-squared: the rate is known exactly, over all six checks."""
    chi2 = pytest.importorskip("scipy.stats").chi2
    rate = 0.0
    for challenge in challenges(load("exploding_gradients"), 0)["drawn_weights"]:
        entries = int(challenge.given["n_out"]) * int(challenge.given["n_in"])
        low, high = (entries * (1 + side * random_weights.LEVEL_BAND) for side in (-1, 1))
        rate += 2 * (chi2.cdf(low, entries) + chi2.sf(high, entries))
    assert rate < 2e-6


def test_factors_of_level_weights():
    assert random_weights.level("linear") == 1
    assert random_weights.level("relu") == 2


def test_the_examples_of_the_text():
    np.testing.assert_allclose(exercise._clipped(np.array([[6.0, -8.0]]), 5.0), [[3, -4]])
    np.testing.assert_allclose(exercise._clipped(np.array([3.0, 4.0, 12.0]), 5.0), np.array([3, 4, 12]) * 5 / 13)
    given = {"peak": np.array(0.8), "warmup": np.array(4), "total": np.array(8)}
    found = rate_schedule.rate_truth(given)
    np.testing.assert_allclose(found["warm_up"], [0.2, 0.4, 0.6, 0.8])
    np.testing.assert_allclose(found["decay"], [0.8, 0.683, 0.4, 0.117], atol=5e-4)
    assert round(1.5**10) == 58
    assert 1.5**50 > 6e8


def test_huge_entries_overflow_when_they_are_squared():
    for challenge in challenges(load("exploding_gradients"), 0)["clip_special"]:
        with np.errstate(over="ignore"):
            assert np.isinf(np.sum(challenge.given["huge"] ** 2))
        clipped = exercise.clip_truth(challenge.given)["huge"]
        assert np.linalg.norm(clipped) == pytest.approx(float(challenge.given["threshold"]))


def test_no_array_of_a_list_is_above_the_threshold_alone():
    for challenge in challenges(load("exploding_gradients"), 0)["clip_list"]:
        given = challenge.given
        norms = [np.linalg.norm(given[f"together{i}"]) for i in (1, 2, 3)]
        assert max(norms) < given["threshold"] < np.linalg.norm(norms)
        assert np.linalg.norm([np.linalg.norm(given[f"small{i}"]) for i in (1, 2, 3)]) < given["threshold"]


@pytest.mark.slow
def test_each_remedy_saves_the_deep_network(notebook):
    final = notebook["final"]
    failed = [np.isnan(loss) or abs(loss - np.log(2)) < 1e-3 for loss in final.pop("as it is")]
    assert all(failed)
    assert len(final) == 3
    for losses in final.values():
        assert max(losses) < 0.3


@pytest.mark.slow
def test_first_gradients_with_large_and_with_level_weights(notebook):
    large = [notebook["train_deep"](seed, steps=1)[1][0] for seed in range(5)]
    level = [notebook["train_deep"](seed, draw=notebook["level_weights"], steps=1)[1][0] for seed in range(5)]
    assert np.sum(np.array(large) > 100) >= 3
    assert max(level) < 3


@pytest.mark.slow
def test_level_weights_stay_level_and_others_do_not(notebook):
    level = notebook["levels"](notebook["level_weights"], "relu")
    assert 0.1 < level[-1] / level[0] < 10
    assert notebook["levels"](notebook["scaled"](1.5), "relu")[-1] > 1e6
    assert notebook["levels"](notebook["scaled"](0.5), "relu")[-1] < 1e-12


def test_the_self_check_tells_of_clipping_that_changes_what_it_is_given(solved, self_check):
    names = solved("exploding_gradients")
    self_check("exploding_gradients", "selfcheck_clip", names)

    def in_place(g, threshold):
        g *= min(1, threshold / np.linalg.norm(g))
        return g

    with pytest.raises(AssertionError, match="passed in has changed"):
        self_check("exploding_gradients", "selfcheck_clip", names | {"clip_by_norm": in_place})


# What single mistakes cost ------------------------------------------------------------------------------------------

CLIP = """
def clip_by_norm(g, threshold):
    arrays = g if isinstance(g, (list, tuple)) else [g]
    entries = np.concatenate([np.ravel(a) for a in arrays])
    if not np.all(np.isfinite(entries)):
        clipped = [np.zeros_like(a) for a in arrays]
    else:
        top = np.max(np.abs(entries)) or 1.0
        norm = top * NORM
        clipped = [a * (threshold / norm) if norm > threshold else a for a in arrays]
    return clipped if isinstance(g, (list, tuple)) else clipped[0]
"""


@pytest.mark.parametrize(
    ("norm", "due"),
    [
        ("np.sqrt(np.sum((entries / top) ** 2))", {}),
        ("np.sum((entries / top) ** 2)", {"clipping.above": 2}),
        ("np.max(np.abs(entries / top))", {"clipping.above": 2, "clipping_list.together": 3}),
        ("np.sum(np.abs(entries / top))", {"clipping.above": 2}),
    ],
)
def test_a_wrong_norm_is_charged_once(lost, norm, due):
    """With the largest entry for the norm a list whose arrays are all short is not clipped at all."""
    found = lost("exploding_gradients", clip=CLIP.replace("NORM", norm))
    assert found.keys() - {"clipping.below"} == due.keys()


def test_a_slip_in_lists_alone_is_charged_there(lost):
    clip = CLIP.replace("NORM", "(np.sqrt if len(arrays) == 1 else np.abs)(np.sum((entries / top) ** 2))")
    assert lost("exploding_gradients", clip=clip) == {"clipping_list.together": 3}


def test_an_error_at_one_list_costs_that_one(lost):
    clip = CLIP.replace("NORM", "np.linalg.norm(entries / top)").replace(
        "clipped = [np.zeros_like(a) for a in arrays]", "raise ValueError('not finite')"
    )
    assert set(lost("exploding_gradients", clip=clip)) == {
        "clipping_special.not_finite", "clipping_list.one_not_finite",
    }  # fmt: skip
