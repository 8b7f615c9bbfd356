"""How many mistakes are named, and that nothing is named falsely. The full counts are in the slow tests."""

import itertools

import pytest
from diagnosis_kit import bench

from autograder.diagnosis import Point, explain, mutate


def assert_all_named(tally):
    assert tally.misses == []
    assert tally.tried == tally.named > 0


@pytest.mark.slow
def test_every_single_mistake_is_named():
    assert_all_named(bench.singles(bench.SPECS[13:14]))


@pytest.mark.slow
def test_two_mistakes_are_named():
    tally = bench.several(2, 80)
    assert tally.named >= 0.95 * tally.tried, tally.misses


@pytest.mark.slow
def test_three_mistakes_are_mostly_named():
    tally = bench.several(3, 60)
    assert tally.named >= 0.85 * tally.tried, tally.misses


@pytest.mark.slow
def test_random_numbers_are_never_named():
    assert bench.perturbed(25, seed=1).misses == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "specs"),
    [(1e-6, (1, 7)), (1.5e-5, (9, 13)), *(pytest.param(s, range(17), marks=pytest.mark.long) for s in (1e-6, -4e-4))],
)
def test_a_factor_of_nearly_one_is_called_nothing(size, specs):
    """Of all answers or of one, with or without the other sign: it is no factor that anybody writes."""
    for spec, outputs in [bench.SPECS[one] for one in specs]:
        points = bench.challenges(spec, outputs, seed=3)
        for sign, only in itertools.product((1, -1), (None, 0, 1)):
            made = [mutate(spec, Point(inputs), {}) for inputs in points]
            for inputs, answers in zip(points, made):
                for k, name in enumerate(answers):
                    if only in (None, k):
                        start = inputs[name.removesuffix("_new")] if name.endswith("_new") else 0.0
                        answers[name] = start + sign * (1 + size) * (answers[name] - start)
            report = explain(spec, [Point(*one) for one in zip(points, made)])
            assert report.mistakes == (), (spec, sign, only)


@pytest.mark.slow
def test_right_answers_of_any_style_are_right():
    assert bench.right_answers(200, seed=1).misses == []


@pytest.mark.long  # one network is above
def test_every_single_mistake_is_named_for_every_network():
    assert_all_named(bench.singles())


@pytest.mark.long
def test_nearly_all_pairs_are_named_and_no_right_answer_is():
    pairs = bench.several(2, 2000, seed=3)
    assert pairs.named >= 0.98 * pairs.tried
    assert bench.right_answers(10_000, seed=2).misses == []


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_no_random_change_is_named(seed):
    """2,000 of them; benchmarks/diagnosis.py tries 10,000, which takes half an hour."""
    assert bench.perturbed(500, seed=10 + seed).misses == []
