"""The tiny example beside each name."""

from fractions import Fraction

import numpy as np
import pytest
from diagnosis_kit import bench, points_of

from autograder.diagnosis import Point, Spec, explain, mutate


@pytest.mark.slow
@pytest.mark.parametrize(("spec", "outputs"), bench.SPECS[::2])
def test_every_named_mistake_has_an_example_on_which_it_shows(spec, outputs):
    inputs = bench.challenges(spec, outputs)
    for slip in bench.slips(spec):
        if "@" in slip.key or (made := bench.visible(spec, inputs, [slip])) is None:
            continue
        report = explain(spec, [Point(i, a) for i, a in zip(inputs, made)])
        for finding in report.parameters.values():
            if finding.mistakes:
                assert finding.evidence is not None, slip
                assert finding.evidence.expected != finding.evidence.got, slip
                assert len(finding.evidence.inputs["X"][0]) <= 2
                assert finding.hint


def number(table):
    return np.array([[float(Fraction(cell)) for cell in row] for row in table])


def test_the_example_is_exact_in_fractions_where_the_functions_allow():
    spec = Spec(("relu",), "linear", "mse")
    evidence = explain(spec, points_of(spec, 1, {"factor": "factor-2-lost"})).parameters["W2"].evidence
    assert evidence.exact
    inputs = {name: number(table) for name, table in evidence.inputs.items()}
    right = mutate(spec, Point(inputs), {})[evidence.name]
    np.testing.assert_array_equal(number(evidence.expected), right)
    np.testing.assert_array_equal(number(evidence.got), right / 2)


def test_the_example_has_six_digits_otherwise_and_can_be_recomputed():
    spec = Spec(("tanh",), "sigmoid", "bce")
    report = explain(spec, points_of(spec, 1, {"derivative-1": "sigmoid-derivative-with-tanh"}))
    evidence = report.parameters["W1"].evidence
    assert not evidence.exact
    inputs = {name: number(table) for name, table in evidence.inputs.items()}
    np.testing.assert_allclose(number(evidence.expected), mutate(spec, Point(inputs), {})["dW1"], rtol=1e-5)


def test_the_example_says_nothing_about_the_hidden_challenges():
    spec = Spec(("tanh",), "sigmoid", "bce")
    choices = {"derivative-1": "square-missing"}
    one, two = (explain(spec, points_of(spec, 1, choices, seed)).parameters["W1"].evidence for seed in (1, 5))
    assert one == two
    assert one.text().startswith("With X = ")
