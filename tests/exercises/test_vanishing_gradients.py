"""Facts that the notebook vanishing_gradients tells, and its truth against independent computations."""

import math
import runpy

import matplotlib as mpl
import mpmath
import numpy as np
import pytest

from autograder.course import find_root
from autograder.exercise import Reply
from autograder.exercises import error_signals, load
from autograder.exercises import vanishing_gradients as exercise
from autograder.marking import challenges

mpl.use("Agg")


@pytest.fixture(scope="module")
def notebook():
    """The names that the solved notebook defines after it has run from top to bottom."""
    root = find_root()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root / "reference" / "toolkit"))
        return runpy.run_path(str(root / "reference" / "by_hand" / "vanishing_gradients.py"))


def test_the_steepest_slope_is_a_quarter_and_the_bounds_are_its_powers():
    found = exercise.truth({})
    assert found["max_slope"] == 0.25
    assert [found[layer] for layer in exercise.LAYERS] == [4.0**-k for k in range(1, 6)]
    assert found["at_input"] == 1 / 1024


def test_ten_layers_are_the_first_below_a_millionth():
    assert 4.0**-9 > 1e-6 > 4.0**-10
    assert exercise.truth({})["layers_needed"] == 10


def test_weights_of_four_keep_the_bound_level():
    assert exercise.truth({})["weight_needed"] == 4


def test_the_slope_of_the_sigmoid_is_never_steeper_than_the_bound():
    slopes = [float(mpmath.diff(lambda z: 1 / (1 + mpmath.exp(-z)), z)) for z in np.linspace(-5, 5, 101)]
    assert max(slopes) == pytest.approx(0.25)


def test_relu_halves_the_mean_and_the_mean_square():
    found = exercise.truth({})
    np.testing.assert_allclose(found["relu_mean"], 0.5 ** np.arange(1, 6))
    np.testing.assert_allclose(found["relu_rms"], 0.5 ** (np.arange(1, 6) / 2))
    signals = np.random.default_rng(0).normal(size=(1000, 400))
    masked = signals * (np.random.default_rng(1).normal(size=signals.shape) > 0)
    assert np.abs(masked).mean() / np.abs(signals).mean() == pytest.approx(0.5, abs=0.01)
    assert np.sqrt((masked**2).mean() / (signals**2).mean()) == pytest.approx(math.sqrt(0.5), abs=0.01)


def test_the_small_examples_of_the_text():
    assert [round(0.6**k, 3) for k in (1, 2, 3)] == [0.6, 0.36, 0.216]
    signals = np.array([3, 0, -1])
    assert np.abs(signals).mean() == pytest.approx(1.333, abs=5e-4)
    assert np.sqrt((signals**2).mean()) == pytest.approx(1.826, abs=5e-4)


@pytest.mark.slow
@pytest.mark.parametrize("activation", error_signals.ACTIVATIONS)
def test_true_signals_are_slopes_of_the_loss(activation):
    functions = {"sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)), "tanh": mpmath.tanh, "relu": lambda z: max(z, 0)}
    given = challenges(load("vanishing_gradients"), 3)["signals"][1].given
    truth = error_signals.signal_truth(given)
    example, step = 2, mpmath.mpf(10) ** -20

    def loss(layer, unit, moved):
        a = [mpmath.mpf(float(x)) for x in given["X"][:, example]]
        for number in range(1, exercise.DEPTH + 1):
            W, b = given[f"W{number}"], given[f"b{number}"]
            z = [mpmath.fdot(map(float, row), a) + float(bias) for row, bias in zip(W, b[:, 0])]
            if number == layer:
                z[unit] += moved
            a = [functions[activation](entry) for entry in z]
        return mpmath.fdot(a, map(float, given["dA5"][:, example]))

    with mpmath.workdps(50):
        for layer in range(1, exercise.DEPTH + 1):
            slope = (loss(layer, 1, step) - loss(layer, 1, -step)) / (2 * step)
            assert truth[f"{activation}.dZ{layer}"][1, example] == pytest.approx(float(slope), rel=1e-12, abs=1e-15)


@pytest.mark.slow
def test_challenges_are_away_from_the_kink_of_relu_and_leave_it_alive():
    for seed in range(12):
        for challenge in challenges(load("vanishing_gradients"), seed)["signals"]:
            found = error_signals.signal_truth(challenge.given)
            kinks = [np.abs(found[f"relu.Z{layer}"]).min() for layer in range(1, 6)]
            assert min(kinks) > 1e-7
            assert np.any(found["relu.dZ1"]), "no signal reaches the first layer"


def test_no_weight_matrix_of_a_hidden_challenge_is_square():
    given = challenges(load("vanishing_gradients"), 0)["signals"][2].given
    assert all(len(set(given[f"W{layer}"].shape)) == 2 for layer in range(1, 6))


def test_one_slip_in_the_bounds_costs_one_line():
    own = dict(zip(exercise.LAYERS, (1.0, 0.25, 1 / 16, 1 / 64, 1 / 256)))
    values = own | {"max_slope": 0.25, "at_input": 1 / 256, "layers_needed": 10, "weight_needed": 4}
    question = load("vanishing_gradients").question("sigmoid_layers")
    verdicts = question.judge(question.lines, [Reply({}, values, shown=True)])
    assert [name for name, verdict in verdicts.items() if verdict.share < 1] == ["layer5"]


@pytest.mark.slow
def test_what_the_text_says_about_the_measurement(notebook):
    norms = {name: notebook["measured_norms"](name) for name in error_signals.ACTIVATIONS}
    bounds = np.array(notebook["sigmoid_bounds"])[::-1]
    assert np.all(norms["sigmoid"] < bounds)
    assert norms["sigmoid"][0] == pytest.approx(0.0007, abs=5e-5)
    assert bounds[0] == pytest.approx(0.00098, abs=5e-6)
    np.testing.assert_allclose(norms["relu"], np.array(notebook["relu_rms"])[::-1], rtol=0.08)
    assert norms["relu"][0] > 4 * notebook["relu_mean"][-1]
    assert np.all(norms["tanh"] > norms["relu"])


# What single mistakes cost ------------------------------------------------------------------------------------------

ONES = "mean_factor = 1\nrelu_mean = [1, 1, 1, 1, 1]\nrms_factor = 1\nrelu_rms = [1, 1, 1, 1, 1]"


@pytest.mark.slow
def test_a_factor_of_one_is_followed_through(lost):
    assert lost("vanishing_gradients", estimate_relu=ONES) == {"relu_layers.mean_factor": 1}
    bounds = "max_slope = 1\nsigmoid_bounds = [1, 1, 1, 1, 1]"
    rest = "at_input = 1\nlayers_needed = 0\nweight_needed = 1"
    assert lost("vanishing_gradients", estimate_sigmoid=bounds, estimate_input=rest) == {
        "sigmoid_layers.max_slope": 1, "sigmoid_input.layers_needed": 1,
    }  # fmt: skip


@pytest.mark.slow
def test_what_is_left_open_costs_itself(lost):
    open_end = "max_slope = .25\nsigmoid_bounds = [.25, .0625, ..., ..., ...]"
    rest = "at_input = 1 / 1024\nlayers_needed = 10\nweight_needed = 4"
    assert set(lost("vanishing_gradients", estimate_sigmoid=open_end, estimate_input=rest)) == {
        "sigmoid_layers.layer3", "sigmoid_layers.layer2", "sigmoid_layers.layer1",
    }  # fmt: skip
    relu = "mean_factor = .5\nrelu_mean = [.5, .25, .125, .0625, .03125]\nrms_factor = ...\nrelu_rms = [...] * 5"
    assert set(lost("vanishing_gradients", estimate_relu=relu)) == {"relu_layers.rms_factor", "relu_layers.relu_rms"}


@pytest.mark.parametrize("bounds", ["{5: .25, 4: .0625}", "lambda: 4", "{.25, .0625}", "(x for x in range(5))"])
def test_bounds_that_are_no_list_cost_themselves(lost, bounds):
    found = lost("vanishing_gradients", estimate_sigmoid=f"max_slope = .25\nsigmoid_bounds = {bounds}",
                 estimate_input="at_input = 1 / 1024\nlayers_needed = 10\nweight_needed = 4")  # fmt: skip
    assert set(found) == {f"sigmoid_layers.{layer}" for layer in exercise.LAYERS}


MEASURE = """
def error_signals(weights, Z, A, dA5, activation):
    slope = {"sigmoid": lambda z: sigmoid(z) * (1 - sigmoid(z)), "tanh": lambda z: 1 - np.tanh(z)**2,
             "relu": lambda z: (z > 0).astype(float)}[activation]
    dZ = dA5 * slope(Z[4])
    signals = [dZ]
    for l in range(3, -1, -1):
        dZ = STEP * slope(Z[l])
        signals.insert(0, dZ)
    return signals


def signal_norms(signals):
    return [np.linalg.norm(s) for s in signals]
"""


def test_a_missing_transpose_costs_one_line_though_the_code_raises(lost):
    assert lost("vanishing_gradients", measure=MEASURE.replace("STEP", "weights[l + 1].T @ dZ")) == {}
    assert lost("vanishing_gradients", measure=MEASURE.replace("STEP", "weights[l + 1] @ dZ")) == {
        "true_signals.sigmoid": 1
    }


def test_an_error_for_another_reason_is_no_missing_transpose(lost):
    step = "(weights[l + 1].T @ dZ if l else np.zeros(7) @ dZ)"
    found = lost("vanishing_gradients", measure=MEASURE.replace("STEP", step))
    assert sum(found.values()) == 5


def test_what_part_c_tells_of_the_remedies_before_it_asks():
    x, w, b, h = 0.3, -0.7, 0.2, 1e-6

    def layer(x):
        return x + 1 / (1 + math.exp(-(w * x + b)))

    s = layer(x) - x
    assert (layer(x + h) - layer(x - h)) / (2 * h) == pytest.approx(1 + w * s * (1 - s))  # of two paths, one has 1
    Z = 50 * np.random.default_rng(0).normal(3, 2, (4, 200))
    normalised = (Z - Z.mean(1, keepdims=True)) / Z.std(1, keepdims=True)
    slope = 1 / (1 + np.exp(-normalised))
    assert normalised.mean() == pytest.approx(0)
    assert normalised.std(1) == pytest.approx(1)
    assert np.mean(slope * (1 - slope)) > 0.2  # near the largest, 1/4


def test_the_words_of_part_c_are_explained_before_they_are_asked_about(root):
    text = (root / "reference" / "by_hand" / "vanishing_gradients.py").read_text(encoding="utf-8")
    part = text[text.index("## (c)") : text.index("=== BEGIN MARK SCHEME")].replace("\n# ", " ")
    told, asked = part.split("A colleague says:")
    for word in ("ReLU", "Gradient clipping", "residual connection", "Batch normalisation"):
        assert f"**{word}**" in told
        assert word.lower() in " ".join(asked.lower().replace("#", " ").split())
