"""The grammar and its texts."""

import itertools

import numpy as np
import pytest
from diagnosis_kit import bench, points_of

from autograder.diagnosis import DoesNotFit, Point, Spec, aliases, choice_points, mutate
from autograder.diagnosis.constants import SOLVED
from autograder.diagnosis.spec import HIDDEN
from autograder.diagnosis.wide import GENERAL
from autograder.mistakes import MISTAKES

TANH = Spec(("tanh",), "sigmoid", "bce")


def all_specs():
    ends = [("sigmoid", "bce"), ("softmax", "ce"), ("linear", "hinge")]
    ends += list(itertools.product(("sigmoid", "softmax", "linear"), ("mse", "half-mse", "weighted-mse")))
    hidden = [(), *((name,) for name in HIDDEN), ("tanh", "relu")]
    for names, end, penalty, result in itertools.product(
        hidden, ends, ("none", "half-lambda-over-m", "lambda"), ("gradients", "update")
    ):
        yield Spec(names, *end, penalty, True, result)
        yield Spec(names, *end, penalty, True, result, "sum", "mean")
    yield from (Spec(("tanh",) * 4, "tanh", loss) for loss in ("mae", "huber"))


@pytest.fixture(scope="module")
def options():
    return [(spec, point, o) for spec in all_specs() for point, row in choice_points(spec).items() for o in row]


@pytest.mark.slow
def test_every_mistake_of_the_grammar_is_in_the_catalogue_and_back(options):
    used = {mistake for _, _, option in options for mistake in option.mistakes}
    steps = ("output error", "hidden error", "gradient", "bias gradient", "scale", "penalty", "update")
    elsewhere = {"wrong-shape", "other-shape", "upstream-used-past-the-activation"}
    assert used | elsewhere | SOLVED | set(GENERAL) == {id for id, entry in MISTAKES.items() if entry.where in steps}


def test_relu_for_its_slope_is_not_called_a_wrong_derivative():
    """Whoever multiplies with A1 has used the activation, and has not written a derivative."""
    relu = {option.name: option.mistakes for option in choice_points(Spec(("relu",), "linear", "mse"))["derivative-1"]}
    assert relu["only-a"] == ("activation-for-derivative",)
    assert relu["returns-z"] == ("relu-derivative-returns-z",)


@pytest.mark.slow
def test_the_right_option_comes_first_and_names_are_unique():
    for spec in all_specs():
        for point, row in choice_points(spec).items():
            assert row[0].name == "right", (spec, point)
            assert row[0].mistakes == ()
            assert len({option.name for option in row}) == len(row), (spec, point)


@pytest.mark.parametrize(("spec", "outputs"), bench.SPECS)
def test_no_two_single_mistakes_look_alike_at_the_challenges(spec, outputs):
    assert aliases(spec, [Point(i) for i in bench.challenges(spec, outputs)]) == ()


def test_aliases_are_found_where_the_challenges_hide_a_difference():
    # m = 2 n at every point: dividing by n is twice the right answer.
    points = [Point(bench.challenge(TANH, 1, seed, 6)) for seed in (1, 2, 3)]
    assert aliases(TANH, points) == (("divisor=divided-by-the-inputs", "factor=factor-2-extra"),)


def test_mutate_takes_a_mistake_for_all_parameters_or_for_one():
    point = points_of(TANH)[0]
    right = point.answers
    both = mutate(TANH, point, {"divisor": "missing-1-over-m"})
    one = mutate(TANH, point, {"divisor@b1": "missing-1-over-m"})
    for name in right:
        np.testing.assert_allclose(both[name], 6 * right[name])
        np.testing.assert_allclose(one[name], (6 if name == "db1" else 1) * right[name])


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"nonsense": "right"}, "unknown choice point 'nonsense'"),
        ({"divisor": "nonsense"}, "unknown option 'nonsense' for divisor"),
        ({"divisor@W9": "right"}, "unknown choice point 'divisor@W9'"),
    ],
)
def test_mutate_names_what_it_does_not_know(choices, words):
    with pytest.raises(ValueError, match=words):
        mutate(TANH, points_of(TANH)[0], choices)


def test_mutate_says_when_an_option_does_not_fit_the_shapes():
    with pytest.raises(DoesNotFit, match="weights-1=weights-not-transposed"):
        mutate(TANH, points_of(TANH)[0], {"weights-1": "weights-not-transposed"})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((("cubic",), "sigmoid", "bce"), "hidden must be one of sigmoid, tanh"),
        (("tanh", "sigmoid", "bce"), "hidden must be a tuple"),
        ((("tanh",), "linear", "bce"), "loss bce needs output sigmoid"),
        ((("tanh",), "linear", "mape"), "loss must be one of"),
    ],
)
def test_a_network_that_makes_no_sense_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        Spec(*arguments)
