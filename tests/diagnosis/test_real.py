"""Solutions that other people wrote: accepted or rejected as they should be, and named."""

import importlib
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from diagnosis_kit import bench

from autograder.diagnosis import Point, Spec, explain, mutate
from autograder.diagnosis.spec import forward

UPDATE = Spec(("tanh",), "softmax", "ce", penalty="half-lambda-over-m", result="update")


@pytest.fixture(scope="module")
def halves():
    return {tally.what: tally for tally in bench.real.measured()}


@pytest.mark.slow
@pytest.mark.parametrize("what", ["real, looked at", "real, only measured"])
def test_what_other_people_wrote_is_named(halves, what):
    tally = halves[what]
    assert (tally.falsely_accepted, tally.falsely_rejected, tally.falsely) == (0, 0, 0)
    assert tally.fully >= 0.95 * tally.wrong, tally.misses


def test_two_readings_that_the_numbers_contradict():
    """Records 48 and 49: the hidden error is that of the old weights, although a person read the updated ones."""
    for record in bench.real.records()[48:50]:
        assert "hidden error with updated W" in record.reading
        old, new = [], []
        for point in record.points:
            c = forward(record.spec, point.inputs)
            error = (c.a[3] - c.y) / c.m
            for layer in (3, 2):
                due = {}
                for which, w in (("old", c.w[layer]), ("new", point.answers[f"W{layer}_new"])):
                    e = w.T @ error * (1 - c.a[layer - 1] ** 2)
                    gradient = e @ c.a[layer - 2].T + c.decay * c.w[layer - 1]
                    due[which] = c.w[layer - 1] - c.rate + gradient
                got = point.answers[f"W{layer - 1}_new"]
                old.append(np.abs(due["old"] - got).max())
                new.append(np.abs(due["new"] - got).max())
                error = c.w[layer].T @ error * (1 - c.a[layer - 1] ** 2)
        assert max(old) < 5e-16
        assert 0.008 < min(new) < max(new) < 0.24


def named(spec, change, outputs=3):
    """What is named when ``change`` makes other answers of the inputs and the right answers."""
    points = []
    for inputs in bench.challenges(spec, outputs):
        right = mutate(spec, Point(inputs), {})
        points.append(Point(inputs, {**right, **change(inputs, right)}))
    report = explain(spec, points)
    return {p: f.mistakes or f.follows_from for p, f in report.parameters.items() if f.verdict != "right"}


def step(p, right, name):
    return (p[name] - right[f"{name}_new"]) / p["learning_rate"]


@pytest.mark.parametrize(
    ("name", "change", "mistakes"),
    [
        ("W1", lambda p, d: p["W1"] * (1 - p["learning_rate"] * d), {"multiplied-instead-of-subtracted"}),
        ("W1", lambda p, d: p["W1"] - p["learning_rate"] + d, {"rate-added-not-multiplied"}),
        ("W2", lambda p, d: 0.5 * p["W2"], {"data-term-missing"}),
        ("b1", lambda p, d: p["W1"] - p["learning_rate"] * d, {"another-parameter-updated"}),
        ("b1", lambda p, d: p["b1"] - p["learning_rate"] * d.ravel(), {"row-and-column-to-a-matrix"}),
        ("b1", lambda p, d: p["b1"] - 2.6 * p["learning_rate"] * d, {"wrong-factor"}),
        ("b1", lambda p, d: 0.75 * p["b1"] - p["learning_rate"] * d, {"parameter-scaled"}),
    ],
)
def test_an_update_that_no_list_has_is_solved_for(name, change, mistakes):
    spec = UPDATE if name[0] == "b" else Spec(("tanh",), "softmax", "ce", result="update")
    found = named(spec, lambda p, right: {f"{name}_new": change(p, step(p, right, name))})
    assert {key: set(ids) for key, ids in found.items()} == {name: mistakes}


@pytest.mark.parametrize("factor", [lambda a: np.tanh(a) ** 2, lambda a: 1 / (1 + a**2), lambda a: np.exp(-a)])
def test_a_derivative_that_no_list_has_is_written_out(factor):
    spec = Spec(("tanh",), "sigmoid", "bce")

    def change(p, right):
        A1 = np.tanh(p["W1"] @ p["X"] + p["b1"])
        E2 = 1 / (1 + np.exp(-p["W2"] @ A1 - p["b2"])) - p["Y"]
        E1 = p["W2"].T @ E2 * factor(A1) / p["X"].shape[1]
        return {"dW1": E1 @ p["X"].T, "db1": E1.sum(axis=1, keepdims=True)}

    assert named(spec, change, 1) == {"W1": ("another-derivative",), "b1": ("another-derivative",)}


def hidden_times(factor, forward=np.tanh):
    def change(p, right):
        A1 = forward(p["W1"] @ p["X"] + p["b1"])
        E2 = 1 / (1 + np.exp(-p["W2"] @ A1 - p["b2"])) - p["Y"]
        E1 = p["W2"].T @ E2 * factor(A1) / p["X"].shape[1]
        m = p["X"].shape[1]
        last = {"dW2": E2 @ A1.T / m, "db2": E2.sum(axis=1, keepdims=True) / m}
        return {**last, "dW1": E1 @ p["X"].T, "db1": E1.sum(axis=1, keepdims=True)}

    return change


@pytest.mark.parametrize(
    ("factor", "text"),
    [
        (lambda a: 0.3 - 0.7 * a + a**3, "0.3 - 0.7 A + A^3"),
        (lambda a: (1 - a) * a**2, "A^2 - A^3"),
        (lambda a: 2 * (1 - a**2) + a, "2 + A - 2 A^2"),
    ],
)
def test_a_derivative_that_is_a_polynomial_is_solved_for(factor, text):
    spec = Spec(("tanh",), "sigmoid", "bce")
    points = [Point(i, hidden_times(factor)(i, None)) for i in bench.challenges(spec, 1)]
    report = explain(spec, points).parameters
    assert report["W1"].mistakes == ("another-derivative",)
    assert report["W1"].facts == (f"The error of layer 1 is multiplied by {text}; 1 - A^2 is due.",)
    assert report["b1"].follows_from == ("another-derivative",)


def test_an_output_error_that_no_list_has_is_followed_to_the_layer_below():
    spec = Spec(("tanh",), "sigmoid", "bce")
    points = []
    for p in bench.challenges(spec, 1):
        A1, m = np.tanh(p["W1"] @ p["X"] + p["b1"]), p["X"].shape[1]
        A2 = 1 / (1 + np.exp(-p["W2"] @ A1 - p["b2"]))
        E2 = (A2 - p["Y"]) * (1 - A2**2)
        E1 = p["W2"].T @ E2
        sums = {"db2": E2.sum(axis=1, keepdims=True) / m, "db1": E1.sum(axis=1, keepdims=True) / m}
        points.append(Point(p, {"dW2": E2 @ A1.T / m, "dW1": E1 @ p["X"].T / m, **sums}))
    report = explain(spec, points)
    assert report.mistakes == ("another-output-error", "activation-derivative-missing")
    assert all(finding.explained for finding in report.parameters.values())


@pytest.mark.slow
def test_a_derivative_that_has_no_name_is_shown_at_single_numbers_where_there_are_few_examples():
    spec = Spec(("tanh",), "sigmoid", "bce")
    inputs = [bench.challenge(spec, 1, seed, m=2, n=3) for seed in (1, 2, 3)]
    points = [Point(i, hidden_times(lambda a: np.cos(7 * a) + 2 * np.sin(a))(i, None)) for i in inputs]
    finding = explain(spec, points).parameters["W1"]
    said = [fact for fact in finding.facts if fact.startswith("Where A1 is")]
    assert not finding.mistakes
    assert said
    a, used, due = (float(x or y) for x, y in re.findall(r"(?:is|by) (-?[\d.]+(?:e-\d+)?)|; (-?[\d.]+)", said[0]))
    assert used == pytest.approx(np.cos(7 * a) + 2 * np.sin(a), abs=0.05)
    assert due == pytest.approx(1 - a**2, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("forward", "mistake"),
    [
        (lambda z: z, "activation-forgotten"),
        (lambda z: 1 / (1 + np.exp(-z)), "sigmoid-kept"),
        (lambda z: np.maximum(z, 0), "relu-in-hidden-layer"),
    ],
)
def test_another_forward_pass_is_recognised(forward, mistake):
    spec = Spec(("tanh",), "sigmoid", "bce")
    slope = {"activation-forgotten": lambda a: 1 - np.tanh(a) ** 2}.get(mistake, lambda a: 1 - a**2)
    points = [Point(i, hidden_times(slope, forward)(i, None)) for i in bench.challenges(spec, 1)]
    report = explain(spec, points)
    assert report.mistakes[0] == mistake
    assert all(finding.explained for finding in report.parameters.values())


@pytest.mark.parametrize("slope", [lambda z, a: 1 - a**2, lambda z, a: 1 - np.tanh(z) ** 2])
def test_own_activations_are_read_both_ways(slope):
    spec = Spec(("tanh",), "sigmoid", "bce")
    points = []
    for i in bench.challenges(spec, 1):
        Z1, m = i["W1"] @ i["X"] + i["b1"], i["X"].shape[1]
        A1 = 0.9 * np.tanh(Z1)
        E2 = 1 / (1 + np.exp(-i["W2"] @ A1 - i["b2"])) - i["Y"]
        E1 = i["W2"].T @ E2 * slope(Z1, A1)
        sums = {"db2": E2.sum(axis=1, keepdims=True) / m, "db1": E1.sum(axis=1, keepdims=True) / m}
        points.append(Point({**i, "Z1": Z1, "A1": A1}, {"dW2": E2 @ A1.T / m, "dW1": E1 @ i["X"].T / m, **sums}))
    report = explain(spec, points)
    assert report.mistakes == ()
    assert all(finding.given_own for finding in report.parameters.values())


def test_one_point_with_as_many_numbers_as_unknowns_proves_nothing():
    inputs = {"X": [[1.0, 2.0]], "Y": [[0.0, 1.0]], "W1": [[0.5]], "b1": [[0.1]]}
    answers = {"dW1": np.array([[3.0]]), "db1": np.array([[1.0]])}
    report = explain(Spec((), "sigmoid", "bce"), [Point({k: np.array(v) for k, v in inputs.items()}, answers)])
    assert not any(finding.explained for finding in report.parameters.values())


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_a_bias_is_judged_in_the_shape_in_which_it_was_given(shape):
    spec = Spec((), "sigmoid", "bce")
    points = []
    for inputs in bench.challenges(spec, 1):
        right = mutate(spec, Point(inputs), {})
        given = {**inputs, "b1": inputs["b1"].reshape(shape)}
        points.append(Point(given, {**right, "db1": right["db1"].reshape(shape)}))
    assert {finding.verdict for finding in explain(spec, points).parameters.values()} == {"right"}


@pytest.mark.slow
def test_nothing_is_explained_from_an_answer_that_is_not_explained():
    """Rows of a W1 that nobody can explain are no reason for b1, although their sums are the same numbers."""
    rng = np.random.default_rng(3)

    def change(p, right):
        dW1 = rng.normal(size=right["dW1"].shape)
        return {"dW1": dW1, "db1": dW1.sum(axis=1, keepdims=True)}

    assert named(Spec(("tanh",), "sigmoid", "bce"), change, 1) == {"W1": (), "b1": ()}


def test_constants_are_not_named_by_coincidence_where_all_points_share_m():
    spec = Spec(("tanh",), "sigmoid", "bce", result="update")
    points = []
    for seed in (1, 2, 3):
        inputs = bench.challenge(spec, 1, seed, m=6, n=3, h=3)
        right = mutate(spec, Point(inputs), {})
        step = p_step(inputs, right)
        points.append(Point(inputs, {**right, "W1_new": inputs["W1"] - 4 * step}))
    finding = explain(spec, points).parameters["W1"]
    assert finding.mistakes == ("wrong-factor",)
    assert any("4 times" in fact for fact in finding.facts)


def p_step(inputs, right):
    return inputs["W1"] - right["W1_new"]


def test_a_flat_answer_of_another_size_is_judged_as_it_was_given_at_every_point():
    """A bias summed along the units, (m,), has by chance the size of b where there are as many examples as units."""
    spec = Spec(("tanh",), "softmax", "ce")
    points = []
    for seed, m in ((1, 5), (2, 4), (3, 7)):  # four units
        inputs = bench.challenge(spec, 3, seed, m)
        right = mutate(spec, Point(inputs), {})
        A1 = np.tanh(inputs["W1"] @ inputs["X"] + inputs["b1"])
        e = np.exp(inputs["W2"] @ A1 + inputs["b2"])
        E1 = inputs["W2"].T @ (e / e.sum(axis=0) - inputs["Y"]) * (1 - A1**2) / m
        flat = {name: value.ravel() for name, value in inputs.items() if name[0] == "b"}
        answers = {**right, "db2": right["db2"].ravel(), "db1": E1.sum(axis=0)}
        points.append(Point({**inputs, **flat}, answers))
    report = explain(spec, points)
    assert {p: f.mistakes for p, f in report.parameters.items() if f.verdict != "right"} == {
        "b1": ("bias-summed-over-units",)
    }


def test_a_loop_that_overwrites_its_sums_is_one_mistake():
    spec = Spec(("tanh",), "sigmoid", "bce")
    points = []
    for inputs in bench.challenges(spec, 1):
        m = inputs["X"].shape[1]
        last = {**inputs, "X": inputs["X"][:, -1:], "Y": inputs["Y"][:, -1:]}
        points.append(Point(inputs, {k: v / m for k, v in mutate(spec, Point(last), {}).items()}))
    assert explain(spec, points).mistakes == ("only-one-example",)


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["column", "flat"])
@pytest.mark.parametrize("rate", ["whole", "over m"])
def test_an_update_inside_the_loop_over_the_examples_is_recognised(shape, rate):
    spec = Spec(("tanh",), "sigmoid", "bce", result="update")
    points = []
    for inputs in bench.challenges(spec, 1):
        p, m = {k: v.copy() for k, v in inputs.items() if k[0] in "Wb"}, inputs["X"].shape[1]
        step = inputs["learning_rate"] / (m if rate == "over m" else 1)
        for i in range(m):
            x, y = inputs["X"][:, i : i + 1], inputs["Y"][:, i : i + 1]
            A1 = np.tanh(p["W1"] @ x + p["b1"])
            E2 = 1 / (1 + np.exp(-p["W2"] @ A1 - p["b2"])) - y
            E1 = p["W2"].T @ E2 * (1 - A1**2)
            for name, gradient in (("W2", E2 @ A1.T), ("b2", E2), ("W1", E1 @ x.T), ("b1", E1)):
                p[name] = p[name] - step * gradient
        if shape == "flat":
            inputs = {k: v.ravel() if k[0] == "b" else v for k, v in inputs.items()}
            p = {k: v.ravel() if k[0] == "b" else v for k, v in p.items()}
        points.append(Point(inputs, {f"{k}_new": v for k, v in p.items()}))
    report = explain(spec, points)
    assert report.mistakes == ("updated-after-each-example",)
    assert all(finding.explained for finding in report.parameters.values())


@pytest.fixture(scope="module")
def apart():
    sys.path.insert(0, str(Path(bench.__file__).parent))
    return importlib.import_module("apart")


@pytest.mark.slow
def test_what_was_written_apart_is_accepted_or_rejected_as_it_should_be_and_nothing_is_named_falsely(apart):
    tally = apart.measured()
    assert (tally.right, tally.wrong) == (15, 32)
    assert (tally.falsely_accepted, tally.falsely_rejected, tally.falsely) == (0, 0, 0)
    assert tally.fully == 32, tally.misses
