"""What several exercises share: a backward pass that moves parameters, the moons."""

import numpy as np
import pytest

from autograder.exercise import Line, Reply, Verdict
from autograder.exercises.shared import keeping_parameters, noisy_moons

LINES = (Line("dW1", 5), Line("db1", 2))
GIVEN = {"W1": np.array([[1.0, -2.0]]), "b1": np.array([[0.5]])}
RIGHT, WRONG = Verdict("correct", 1.0), Verdict("wrong", mistakes=("w2-updated-before-hidden-error",))


def judged(after, **marks):
    judge = keeping_parameters(lambda lines, replies: {line.name: marks.get(line.name, RIGHT) for line in lines})
    return judge(LINES, [Reply(GIVEN, after)])


def test_a_backward_pass_that_moves_parameters_costs_half_of_the_last_line():
    verdicts = judged({"W1_after": GIVEN["W1"] + 0.1, "b1_after": GIVEN["b1"]})
    assert (verdicts["dW1"].share, verdicts["db1"].share) == (1, 0.5)
    assert verdicts["db1"].message == "Your gradients are right, but `backward_pass` also changes W1."


@pytest.mark.parametrize(
    "after",
    [
        {"W1_after": GIVEN["W1"], "b1_after": GIVEN["b1"]},
        {"W1_after": (GIVEN["W1"] + 1e-8).astype(np.float32), "b1_after": GIVEN["b1"].tolist()},
        {},
    ],
    ids=["the same", "the same in single precision and as a list", "not asked"],
)
def test_parameters_that_keep_their_values_cost_nothing(after):
    assert all(verdict.share == 1 for verdict in judged(after).values())


def test_a_gradient_that_is_wrong_because_of_the_change_is_charged_alone():
    verdicts = judged({"W1_after": GIVEN["W1"] + 0.1}, dW1=WRONG)
    assert (verdicts["dW1"], verdicts["db1"]) == (WRONG, RIGHT)


def test_gradients_of_the_other_question_count_and_get_no_mark_here():
    known = {"dW2": WRONG, "db1": RIGHT, "dW1": RIGHT}

    def marks(lines, replies):
        return {line.name: known[line.name] for line in lines}

    judge = keeping_parameters(marks, others=(Line("dW2", 0),))
    assert judge(LINES, [Reply(GIVEN, {"W1_after": GIVEN["W1"] + 1})]) == {"dW1": RIGHT, "db1": RIGHT}


@pytest.mark.slow  # importing scikit-learn takes long
@pytest.mark.parametrize(
    ("examples", "testing", "seed", "noise"),
    [(400, 0.8, 42, 0.3), (200, 0.3, 42, 0.2), (150, 97, 8, 0.3), (43, 19, 9, 0.1)],
)
def test_the_moons_are_those_of_scikit_learn(examples, testing, seed, noise):
    from sklearn.datasets import make_moons
    from sklearn.model_selection import train_test_split

    points, labels = make_moons(n_samples=examples, noise=noise, random_state=seed)
    X, X_test, y, y_test = train_test_split(points, labels, test_size=testing, random_state=seed)
    due = {"X": X.T, "Y": y[None, :].astype(float), "X_test": X_test.T, "Y_test": y_test[None, :].astype(float)}
    made = noisy_moons(examples, testing, seed, noise)
    assert list(made) == list(due)
    for name, value in due.items():
        np.testing.assert_array_equal(made[name], value, strict=True)
        assert made[name].strides == value.strides  # sums over another layout may differ in the last bit
