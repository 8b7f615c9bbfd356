"""What is said about wrong gradients, on code written as students write it, not made by the grammar."""

import numpy as np
import pytest
from diagnosis_kit import bench, points_of

from autograder.diagnosis import Point, Spec, explain, mutate

TANH = Spec(("tanh",), "sigmoid", "bce")
MEAN_L2 = Spec(("tanh",), "sigmoid", "bce", penalty="half-lambda-over-m")
UPDATE = Spec(("tanh",), "sigmoid", "bce", penalty="half-lambda-over-m", result="update")
RELU = Spec(("relu",), "sigmoid", "bce")


def student(spec, code, outputs=1, seed=1, **forward):
    """Points answered by ``code(p)``, which gets the inputs and a forward pass as attributes and returns answers."""
    points = []
    for inputs in bench.challenges(spec, outputs, seed):
        p = type("Values", (), dict(inputs))()
        p.m = p.X.shape[1]
        f = {"tanh": np.tanh, "relu": lambda z: np.maximum(z, 0)}[spec.hidden[0]]
        p.Z1 = p.W1 @ p.X + p.b1
        p.A1 = f(p.Z1)
        p.Z2 = p.W2 @ p.A1 + p.b2
        p.A2 = 1 / (1 + np.exp(-p.Z2))
        points.append(Point(inputs, code(p)))
    return points


def gradients(p, E2=None, E1=None, divide=True):
    E2 = p.A2 - p.Y if E2 is None else E2
    E1 = (p.W2.T @ E2) * (1 - p.A1**2) if E1 is None else E1
    m = p.m if divide else 1
    return {
        "dW2": E2 @ p.A1.T / m,
        "db2": np.sum(E2, axis=1, keepdims=True) / m,
        "dW1": E1 @ p.X.T / m,
        "db1": np.sum(E1, axis=1, keepdims=True) / m,
    }


def updated_first(p):
    right = gradients(p)
    W2 = p.W2 - p.learning_rate * right["dW2"]
    E1 = (W2.T @ (p.A2 - p.Y)) * (1 - p.A1**2)
    return gradients(p, E1=E1)


def precedence_with_early_mean(p):
    E2 = (p.A2 - p.Y) / p.m
    return gradients(p, E2=E2, E1=p.W2.T @ E2 * 1 - p.A1**2, divide=False)


def names(report):
    return {parameter: finding.mistakes for parameter, finding in report.parameters.items() if finding.mistakes}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (updated_first, {"W1": ("w2-updated-before-hidden-error",)}),
        (
            lambda p: gradients(p, E1=(p.W2.T @ (p.A2 - p.Y)) * p.A1 * (1 - p.A1)),
            {"W1": ("sigmoid-derivative-with-tanh",)},
        ),
        (lambda p: gradients(p, E1=(p.W2.T @ (p.A2 - p.Y)) * 1 - p.A1**2), {"W1": ("derivative-without-brackets",)}),
        (precedence_with_early_mean, {"W1": ("derivative-without-brackets",)}),
        (lambda p: gradients(p, E1=(p.A1 - p.Y) * (1 - p.A1**2)), {"W1": ("hidden-error-is-a1-minus-y",)}),
        (lambda p: gradients(p, divide=False), {"W2": ("missing-1-over-m",)}),
        (lambda p: gradients(p, E2=p.Y - p.A2), {"W2": ("sign-flipped",)}),
        (lambda p: gradients(p) | {"dW2": np.mean(gradients(p)["dW2"])}, {"W2": ("gradient-collapsed-to-one-number",)}),
        (lambda p: gradients(p) | {"dW2": (p.A2 - p.Y) @ p.A2.T / p.m}, {"W2": ("wrong-layer-activation",)}),
        (lambda p: gradients(p) | {"db1": gradients(p)["db1"].ravel()}, {"b1": ("wrong-shape",)}),
        (lambda p: gradients(p) | {"dW1": gradients(p)["dW1"].T}, {"W1": ("result-transposed",)}),
        (
            lambda p: gradients(p) | {"db1": gradients(p)["db1"].ravel() * p.m},
            {"b1": ("missing-1-over-m", "wrong-shape")},
        ),
        (
            lambda p: gradients(p) | {"db1": np.sum((p.W2.T @ (p.A2 - p.Y)) * (1 - p.A1**2)) / p.m},
            {"b1": ("bias-summed-over-everything",)},
        ),
        (
            lambda p: gradients(p) | {"db2": (p.A2 - p.Y) / p.m},
            {"b2": ("bias-not-summed-over-batch",)},
        ),
    ],
)
def test_code_as_students_write_it(code, expected):
    assert names(explain(TANH, student(TANH, code))) == expected


def test_all_weights_penalised_and_biases_too():
    def code(p):
        g, k = gradients(p), p.reg_lambda / p.m
        return {name: value + k * getattr(p, name[1:]) for name, value in g.items()}

    assert names(explain(MEAN_L2, student(MEAN_L2, code))) == {"b2": ("bias-penalised",), "b1": ("bias-penalised",)}


def test_sum_for_mean_of_data_term_and_penalty_together_is_one_mistake():
    def code(p):
        g = gradients(p, divide=False)
        return {n: v + (p.reg_lambda * getattr(p, n[1:]) if n[1] == "W" else 0) for n, v in g.items()}

    assert names(explain(MEAN_L2, student(MEAN_L2, code))) == {"W2": ("missing-1-over-m",)}


def test_weights_that_grow_are_told_in_an_update():
    def code(p):
        g, a = gradients(p), p.learning_rate
        grown = {n[1:]: getattr(p, n[1:]) * (1 + a * p.reg_lambda / p.m if n[1] == "W" else 1) for n in g}
        return {f"{n}_new": grown[n] - a * g[f"d{n}"] for n in grown}

    report = explain(UPDATE, student(UPDATE, code))
    assert names(report) == {"W2": ("penalty-sign-wrong",), "W1": ("penalty-sign-wrong",)}


def test_in_place_update_before_the_hidden_error():
    def code(p):
        g, a, k = gradients(p), p.learning_rate, p.reg_lambda / p.m
        W2 = p.W2 - a * (g["dW2"] + k * p.W2)
        g = gradients(p, E1=(W2.T @ (p.A2 - p.Y)) * (1 - p.A1**2))
        return {
            "W2_new": W2,
            "b2_new": p.b2 - a * g["db2"],
            "W1_new": p.W1 - a * (g["dW1"] + k * p.W1),
            "b1_new": p.b1 - a * g["db1"],
        }

    report = explain(UPDATE, student(UPDATE, code))
    assert names(report) == {"W1": ("w2-updated-before-hidden-error",)}
    assert report.parameters["b1"].follows_from == ("w2-updated-before-hidden-error",)


def test_a_mistake_that_runs_through_the_chain_is_named_once_at_its_source():
    report = explain(TANH, points_of(TANH, 1, {"output-error": "extra-output-derivative"}))
    assert names(report) == {"W2": ("extra-output-derivative",)}
    for parameter in ("b2", "W1", "b1"):
        finding = report.parameters[parameter]
        assert (finding.verdict, finding.given_own, finding.explained) == ("wrong", True, True)
        assert finding.follows_from == ("extra-output-derivative",)
        assert "No new mistake" in finding.hint


def test_slips_in_two_layers_are_both_named():
    choices = {
        "output-error": "extra-output-derivative",
        "factor": "factor-2-extra",
        "derivative-1": "sigmoid-derivative-with-tanh",
        "weights-1": "gradient-used-for-weights",
        "bias-sum@b1": "bias-summed-over-units",
    }
    report = explain(TANH, points_of(TANH, 3, choices))
    assert set(report.parameters["W2"].mistakes) == {"extra-output-derivative", "factor-2-extra"}
    assert set(report.parameters["W1"].mistakes) == {"gradient-used-for-weights", "sigmoid-derivative-with-tanh"}
    assert report.parameters["W1"].given_own
    assert report.parameters["b1"].mistakes == ("bias-summed-over-units",)


def test_what_follows_from_an_error_that_nobody_knows():
    # Few examples: the output error can be solved for, although it has no name.
    points = []
    for seed, m in ((1, 4), (2, 5), (3, 3)):
        inputs = bench.challenge(TANH, 1, seed, m)
        A1 = np.tanh(inputs["W1"] @ inputs["X"] + inputs["b1"])
        E2 = np.sin(3 * inputs["W2"] @ A1) - 0.3 * inputs["Y"]
        E1 = inputs["W2"].T @ E2
        points.append(
            Point(
                inputs,
                {
                    "dW2": E2 @ A1.T / m,
                    "db2": E2.sum(axis=1, keepdims=True) / m,
                    "dW1": E1 @ inputs["X"].T / m,
                    "db1": (E1 * (1 - A1**2)).sum(axis=1, keepdims=True) / m,
                },
            )
        )
    report = explain(TANH, points)
    assert [name for name, finding in report.parameters.items() if not finding.explained] == ["W2"]
    assert names(report) == {"W1": ("activation-derivative-missing",)}
    assert report.parameters["W1"].given_own
    assert report.parameters["b1"].given_own


def test_the_students_own_forward_values_are_followed():
    inputs = [{**i, "A1": np.tanh(i["W1"] @ i["X"] + i["b1"]).round(3)} for i in bench.challenges(TANH, 1)]
    own = [Point(i, mutate(TANH, Point(i), {})) for i in inputs]
    report = explain(TANH, own)
    assert report.mistakes == ()
    assert all(f.verdict == "wrong" and f.given_own for f in report.parameters.values())
    slipped = [Point(i, mutate(TANH, Point(i), {"derivative-1": "activation-derivative-missing"})) for i in inputs]
    assert explain(TANH, slipped).mistakes == ("activation-derivative-missing",)


def test_own_forward_values_that_are_right_change_nothing():
    points = points_of(TANH, 1, {"derivative-1": "square-missing"})
    noted = [Point({**p.inputs, "Z1": p.inputs["W1"] @ p.inputs["X"] + p.inputs["b1"]}, p.answers) for p in points]
    assert explain(TANH, noted) == explain(TANH, points)


def test_answers_right_by_the_true_forward_pass_are_right_whatever_was_noted():
    inputs = [{**i, "A1": np.tanh(i["W1"] @ i["X"] + i["b1"]).round(3)} for i in bench.challenges(TANH, 1)]
    plain = bench.challenges(TANH, 1)
    points = [Point(i, mutate(TANH, Point(j), {})) for i, j in zip(inputs, plain)]
    assert {f.verdict for f in explain(TANH, points).parameters.values()} == {"right"}


WORKED = Spec(("sigmoid",), "sigmoid", "mse")
WORKED_INPUTS = {
    "X": np.array([[1.0], [2.0]]),
    "Y": np.array([[0.8]]),
    "W1": np.array([[0.5, 0.3], [0.2, 0.8]]),
    "b1": np.array([[0.1], [0.4]]),
    "W2": np.array([[0.9, 0.7]]),
    "b2": np.array([[0.2]]),
    "learning_rate": np.array(0.1),
}


def test_one_worked_example_is_right():
    answers = mutate(WORKED, Point(WORKED_INPUTS), {})
    np.testing.assert_allclose(answers["dW2"], [[0.00470459177296, 0.00551095622866]], rtol=1e-11)
    np.testing.assert_allclose(answers["db1"], [[0.000980096759275], [0.000384804405528]], rtol=1e-11)


@pytest.mark.parametrize(
    "choices",
    [
        {"factor": "factor-2-lost"},
        {"output-error": "output-derivative-missing"},
        {"derivative-1": "activation-derivative-missing"},
        {"sign": "sign-flipped"},
        {"weights-1": "w2-updated-before-hidden-error"},
    ],
)
def test_one_worked_example_is_enough_for_the_usual_mistakes(choices):
    report = explain(WORKED, [Point(WORKED_INPUTS, mutate(WORKED, Point(WORKED_INPUTS), choices))])
    assert report.mistakes == tuple(choices.values())


def test_nothing_is_claimed_when_two_mistakes_give_the_same_numbers():
    # One example: summed over the units or over everything is the same number.
    answers = mutate(WORKED, Point(WORKED_INPUTS), {"bias-sum@b1": "bias-summed-over-everything"})
    finding = explain(WORKED, [Point(WORKED_INPUTS, answers)]).parameters["b1"]
    assert finding.mistakes == ()
    assert not finding.explained
    assert any("More than one mistake" in fact for fact in finding.facts)


@pytest.mark.slow
def test_one_number_at_one_point_proves_one_mistake_at_most():
    rng = np.random.default_rng(0)
    for _ in range(80):
        answers = mutate(WORKED, Point(WORKED_INPUTS), {}) | {"db2": rng.normal(size=(1, 1)) * 0.01}
        assert explain(WORKED, [Point(WORKED_INPUTS, answers)]).mistakes == ()


def test_single_precision_is_named_at_its_own_level():
    points = points_of(TANH, 3, {"derivative-1": "sigmoid-derivative-with-tanh"})
    single = [Point(p.inputs, {k: np.float32(v) for k, v in p.answers.items()}) for p in points]
    assert explain(TANH, single).mistakes == ("sigmoid-derivative-with-tanh",)
    half = [Point(p.inputs, {k: np.float16(v) for k, v in p.answers.items()}) for p in points]
    assert explain(TANH, half).mistakes == ()


@pytest.mark.slow
def test_double_precision_is_never_judged_at_single_precision():
    points = points_of(TANH, 1)
    coarse = [
        Point(p.inputs, {k: np.float32(v).astype(float) * (1 + 1e-6) for k, v in p.answers.items()}) for p in points
    ]
    finding = explain(TANH, coarse).parameters["W1"]
    assert finding.verdict == "wrong"
    assert finding.mistakes == ()


def facts_of(change, spec=TANH, outputs=3):
    points = [Point(p.inputs, change(p)) for p in points_of(spec, outputs)]
    return explain(spec, points).parameters["W1"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: v[:2], "has shape (2, 3); (4, 3) was expected"),
        (lambda v: v * np.nan, "NaN or infinite"),
        (lambda v: 0 * v, "Every entry of dW1 is zero"),
        (lambda v: 7 * v, "dW1 is 7 times the right one"),
        (lambda v: v / 4, "dW1 is 1/4 (= 1/h) times the right one"),
        (lambda v: v * np.pi, "dW1 is 3.14159 times the right one"),
        (lambda v: v * np.array([1, 1, 3.3]), "Only column 3 of dW1 is wrong"),
        (lambda v: v * np.array([[1], [2], [1], [3]]), "Only rows 2, 4 of dW1 are wrong"),
        (lambda v: v + 0.125, "off by the same amount"),
        (lambda v: v * (1 + 1e-6 * np.sign(v)), "may have been rounded"),
        (lambda v: v * np.where(np.arange(3) == 1, -1, 1), "Only signs differ"),
        (lambda v: v.astype(complex), "does not hold real numbers"),
        (lambda v: np.array([["a"]]), "does not hold real numbers"),
        (lambda v: np.zeros((0, 3)), "has shape (0, 3)"),
        (lambda v: np.zeros((0,)), "has shape (0,)"),
    ],
)
def test_what_is_measured_when_nothing_is_known(change, words):
    finding = facts_of(lambda p: {**p.answers, "dW1": change(p.answers["dW1"])})
    assert finding.verdict == "wrong"
    assert set(finding.mistakes) <= {"wrong-factor", "constant-added"}  # these are numbers, and no cause
    assert words in " ".join(finding.facts)


def test_a_difference_that_is_a_multiple_of_the_weights_is_measured():
    finding = facts_of(lambda p: {**p.answers, "dW1": p.answers["dW1"] + 0.2 * p.inputs["W1"]})
    assert "The difference from the right dW1 is 1/5 times W1, in every entry." in finding.facts


def test_where_only_negative_units_are_wrong_is_said():
    points = []
    for p in points_of(RELU, 1):
        inputs = {**p.inputs, "b1": np.array([[9.0], [-9.0], [9.0], [-1.0]])}
        answers = mutate(RELU, Point(inputs), {})
        negative = (inputs["W1"] @ inputs["X"] + inputs["b1"] < 0).any(axis=1)
        assert negative.tolist() == [False, True, False, True]
        answers["dW1"][negative] += 0.1 + answers["dW1"][negative] ** 2
        points.append(Point(inputs, answers))
    facts = explain(RELU, points).parameters["W1"].facts
    assert "dW1 is wrong only in units for which some example has Z1 < 0." in facts


def test_numbers_too_large_to_square_are_only_measured():
    finding = facts_of(lambda p: {**p.answers, "dW1": 1e200 * np.cos(np.arange(12.0)).reshape(4, 3)})
    assert (finding.verdict, finding.mistakes) == ("wrong", ())


@pytest.mark.parametrize("slope", ["right", "right-at-zero", "half-at-zero"])
def test_any_slope_of_relu_at_zero_is_right(slope):
    inputs = {
        "X": np.array([[1.0, 2.0], [1.0, -1.0]]),
        "Y": np.array([[1.0, 0.0]]),
        "W1": np.array([[1.0, -1.0], [2.0, 1.0]]),
        "b1": np.zeros((2, 1)),
        "W2": np.array([[1.0, -2.0]]),
        "b2": np.array([[0.5]]),
    }
    report = explain(RELU, [Point(inputs, mutate(RELU, Point(inputs), {"derivative-1": slope}))])
    assert {finding.verdict for finding in report.parameters.values()} == {"right"}


def test_a_penalty_on_one_layer_only_is_told():
    report = explain(MEAN_L2, points_of(MEAN_L2, 1, {"penalty@W1": "penalty-missing"}))
    assert names(report) == {"W1": ("penalty-missing",)}
    assert "The penalty has reached dW2, but not this one." in report.parameters["W1"].facts


def test_bias_gradients_swapped_between_layers():
    def code(p):
        g = gradients(p)
        return g | {"db1": g["db2"], "db2": g["db1"]}

    expected = {"b2": ("bias-of-another-layer",), "b1": ("bias-of-another-layer",)}
    assert names(explain(TANH, student(TANH, code))) == expected


@pytest.mark.slow
def test_random_single_precision_is_never_named():
    rng = np.random.default_rng(0)
    points = points_of(TANH, 1)
    for _ in range(25):
        noisy = [
            Point(p.inputs, {k: np.float32(v + 0.1 * rng.normal(size=v.shape)) for k, v in p.answers.items()})
            for p in points
        ]
        assert explain(TANH, noisy).mistakes == ()


def test_a_parameter_without_an_answer_is_left_out():
    points = points_of(TANH, 1, {"divisor": "missing-1-over-m"})
    partial = [Point(p.inputs, {k: v for k, v in p.answers.items() if k != "dW2"}) for p in points]
    report = explain(TANH, partial)
    assert tuple(report.parameters) == ("b2", "W1", "b1")
    assert report.mistakes == ("missing-1-over-m",)


@pytest.mark.parametrize(
    ("choices", "spec", "conventions"),
    [
        ({"divisor": "missing-1-over-m"}, TANH, {"missing-1-over-m"}),
        ({"factor": "factor-2-lost"}, Spec(("tanh",), "linear", "mse"), {"factor-2-lost"}),
        ({"factor": "factor-2-extra"}, Spec(("tanh",), "linear", "half-mse"), {"factor-2-extra"}),
        (
            {"outputs": "mean-over-outputs", "penalty": "penalty-not-divided-by-m"},
            MEAN_L2,
            {"mean-over-outputs", "penalty-not-divided-by-m"},
        ),
    ],
)
def test_another_convention_is_right_up_to_convention(choices, spec, conventions):
    points = points_of(spec, 3, choices)
    report = explain(spec, points, conventions=True)
    assert {c for finding in report.parameters.values() for c in finding.convention} == conventions
    assert {f.verdict for f in report.parameters.values()} <= {"right", "right-up-to-convention"}
    assert report.mistakes == ()
    assert set(explain(spec, points).mistakes) == conventions


@pytest.mark.parametrize(
    "choices",
    [
        {"divisor@W1": "missing-1-over-m"},
        {"divisor": "missing-1-over-m", "derivative-1": "activation-derivative-missing"},
        {"factor": "factor-2-extra"},
        {"sign": "sign-flipped"},
    ],
)
def test_what_is_not_one_convention_for_all_parameters_stays_a_mistake(choices):
    points = points_of(TANH, 3, choices)
    assert explain(TANH, points, conventions=True) == explain(TANH, points)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"X": None}, "X is missing"),
        ({"X": np.zeros((3, 0)), "Y": np.zeros((1, 0))}, "X has zero examples"),
        ({"Y": np.zeros((1, 2))}, "Y has 2 columns; 6 were expected"),
        ({"W1": np.zeros((4, 2))}, r"W1 has shape \(4, 2\); \(4, 3\) was expected"),
        ({"b1": np.zeros((2, 1))}, r"b1 has shape \(2, 1\); \(4, 1\) was expected"),
        ({"X": np.full((3, 6), np.nan)}, "X holds NaN"),
        ({"W1": np.array([["a"]])}, "W1 has dtype"),
        ({"W3": np.zeros((1, 1))}, "W3 is given, but 2 layers"),
        ({"A1": np.zeros((1, 6))}, r"A1 has shape \(1, 6\); \(4, 6\) was expected"),
        ({"learning_rate": np.array(0.0)}, "learning_rate is 0"),
    ],
)
def test_bad_input_is_told_in_one_sentence(change, words):
    point = points_of(TANH)[0]
    inputs = {k: v for k, v in {**point.inputs, **change}.items() if v is not None}
    with pytest.raises(ValueError, match=words):
        explain(TANH, [Point(inputs, point.answers)])


def test_no_points_is_bad_input():
    with pytest.raises(ValueError, match="no points"):
        explain(TANH, [])


@pytest.mark.slow
def test_large_networks_are_bounded():
    inputs = [bench.challenge(TANH, 1, seed, 64, n=100, h=64) for seed in (1, 2)]
    missing = [Point(i, mutate(TANH, Point(i), {"derivative-1": "activation-derivative-missing"})) for i in inputs]
    assert explain(TANH, missing).mistakes == ("activation-derivative-missing",)
    rng = np.random.default_rng(0)
    noise = [Point(i, {k: rng.normal(size=v.shape) for k, v in p.answers.items()}) for i, p in zip(inputs, missing)]
    assert explain(TANH, noise).mistakes == ()


def test_the_order_of_points_and_their_sizes_do_not_matter():
    spec = Spec(("tanh", "relu"), "linear", "mse")
    sizes = ((6, 3, 4), (5, 2, 3), (7, 4, 5))
    inputs = [bench.challenge(spec, 2, seed, m, n=n, h=h) for seed, (m, n, h) in enumerate(sizes)]
    choices = {"weights-2": "w3-updated-before-hidden-error", "divisor@b1": "missing-1-over-m"}
    points = [Point(i, mutate(spec, Point(i), choices)) for i in inputs]
    for ordered in (points, points[::-1]):
        report = explain(spec, ordered)
        assert report.mistakes == ("w3-updated-before-hidden-error", "missing-1-over-m")
