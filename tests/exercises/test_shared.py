"""What several exercises share: a backward pass that moves parameters, the moons."""

import numpy as np
import pytest

from autograder.exercise import Line, Reply, Verdict
from autograder.exercises import load
from autograder.exercises.shared import keeping_parameters, noisy_moons, same_gradients_again
from autograder.locate.job import points

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
def asked_again(first, again, **marks):
    """The verdicts on two lines, the second of which is the least, where the second call gives these values of dW1."""
    judge = same_gradients_again(lambda lines, replies: {one.name: marks.get(one.name, RIGHT) for one in lines})
    return judge(LINES, [Reply(GIVEN, {}), Reply({**GIVEN, "again": True}, {"dW1": first, "dW1_again": again})])


FIRST = np.array([[1.0, -2e-3]])


@pytest.mark.parametrize(
    ("again", "mistake"),
    [
        (2 * FIRST, "gradients-added-up"),
        (0 * FIRST, "second-backward-pass-differs"),
        (FIRST.T, "second-backward-pass-differs"),
        ("ValueError", "second-backward-pass-fails"),
        (None, "second-backward-pass-fails"),
    ],
)
def test_other_gradients_at_a_second_call_cost_the_least_line(again, mistake):
    verdicts = asked_again(FIRST, again)
    assert (verdicts["dW1"], verdicts["db1"].share, verdicts["db1"].mistakes) == (RIGHT, 0, (mistake,))


def test_the_same_gradients_cost_nothing_also_in_single_precision():
    assert set(asked_again(FIRST, (FIRST * (1 + 1e-6)).astype(np.float32)).values()) == {RIGHT}


def test_a_wrong_gradient_is_charged_alone_and_a_second_call_that_was_not_made_not_at_all():
    assert asked_again(FIRST, 2 * FIRST, dW1=WRONG) == {"dW1": WRONG, "db1": RIGHT}
    judge = same_gradients_again(lambda lines, replies: dict.fromkeys((one.name for one in lines), RIGHT))
    assert set(judge(LINES, [Reply({**GIVEN, "again": True}, {"dW1": FIRST})]).values()) == {RIGHT}


ADDING = """
class SimpleNeuralNetwork(GivenNetwork):
    def __init__(self, *sizes, **options):
        super().__init__(*sizes, **options)
        self.zero()

    def zero(self):
        self.dW1 = self.db1 = self.dW2 = self.db2 = 0

    def forward_pass(self, X):
        {forward}
        return super().forward_pass(X)

    def backward_pass(self, X, Y):
        {backward}
        dZ2 = (self.A2 - Y) / X.shape[1]
        dZ1 = self.W2.T @ dZ2 * self.A1 * (1 - self.A1)
        self.dW2 = self.dW2 + dZ2 @ self.A1.T
        self.db2 = self.db2 + dZ2.sum(axis=1, keepdims=True)
        self.dW1 = self.dW1 + dZ1 @ X.T
        self.db1 = self.db1 + dZ1.sum(axis=1, keepdims=True)

    def update_parameters(self, learning_rate):
        for name in ("W1", "b1", "W2", "b2"):
            setattr(self, name, getattr(self, name) - learning_rate * getattr(self, "d" + name))
        {update}
"""


@pytest.mark.slow
@pytest.mark.parametrize("zeroed", ["forward", "backward", "update", ""])
def test_gradients_may_be_set_to_zero_wherever_training_comes_by(lost, zeroed):
    """Before the forward pass, before the backward pass or after the update: what is added up is charged, once."""
    code = ADDING.format(
        **{where: "self.zero()" if where == zeroed else "pass" for where in ("forward", "backward", "update")}
    )
    assert lost("simple_network", network=code) == ({} if zeroed else {"output_gradients.db2": 1})


SIX = ("simple_network", "tanh_swap", "sin_regression", "multi_output", "l2_regularization", "two_hidden_layers")


@pytest.mark.parametrize("name", SIX)
def test_the_search_for_places_does_not_use_the_point_that_is_asked_again(name):
    probe = next(one.probe for one in load(name).questions if one.probe.name == "gradients")
    assert any("again" in at.given for at in probe.challenges(np.random.default_rng(0)))
    assert not any("again" in at for at in points(probe, 1)[0])


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
