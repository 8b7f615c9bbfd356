"""Functions that train a network are asked with one of ours: what they make of every argument shows."""

import numpy as np
import pytest

from autograder.exercises import load, reports
from autograder.exercises.shared import moons
from autograder.in_kernel import ask
from autograder.marking import challenges, mark

from .test_networks import Tanh, marks, points

NAME, QUESTION = "tanh_swap", "training_report"
DATA = moons()
X, Y, X_TEST, Y_TEST = (DATA[name] for name in ("X", "Y", "X_test", "Y_test"))


def accuracy(network, X, Y):
    return np.mean((network.forward_pass(X) > 0.5) == Y)


def report(network_class, epochs, learning_rate, seed):
    network = network_class(2, 4, 1, rng=seed)
    losses = network.train(X, Y, epochs, learning_rate)
    return losses[-1], accuracy(network, X, Y), accuracy(network, X_TEST, Y_TEST)


def earned(function, cls=Tanh, seed=1):
    found = marks(NAME, QUESTION, seed=seed, TanhNetwork=cls, train_on_moons=function)
    return {name.split(".")[1]: line for name, line in found.items()}


@pytest.mark.parametrize("seed", range(5))
def test_a_right_report_is_right_whatever_the_students_own_class_does(seed):
    class Broken(Tanh):
        def forward_pass(self, X):
            raise ValueError

    assert set(points(earned(report, Broken, seed)).values()) == {1}


def test_a_loop_of_ones_own_over_the_methods_is_a_training_too():
    def by_hand(network_class, epochs, learning_rate, seed):
        network = network_class(2, 4, 1, rng=np.random.default_rng(seed))
        for _ in range(epochs):
            network.forward_pass(X)
            loss = network.compute_loss(Y)
            network.backward_pass(X, Y)
            network.update_parameters(learning_rate)
        return loss, accuracy(network, X, Y), accuracy(network, X_TEST, Y_TEST)

    assert set(points(earned(by_hand)).values()) == {1}


def test_the_loss_after_the_last_update_is_right_too():
    def after(network_class, epochs, learning_rate, seed):
        network = network_class(2, 4, 1, rng=seed)
        network.train(X, Y, epochs, learning_rate)
        on_test, on_train = accuracy(network, X_TEST, Y_TEST), accuracy(network, X, Y)
        return network.compute_loss(Y), on_train, on_test

    assert set(points(earned(after)).values()) == {1}


WRONG_CALLS = {
    "network_class": (lambda c, e, r, s: report(Tanh, e, r, s), "argument-ignored", "`network_class`"),
    "epochs": (lambda c, e, r, s: report(c, 50, r, s), "argument-ignored", "`epochs`"),
    "learning_rate": (lambda c, e, r, s: report(c, e, 0.5, s), "argument-ignored", "`learning_rate`"),
    "seed": (lambda c, e, r, s: report(c, e, r, 1), "argument-ignored", "`seed`"),
    "no seed": (lambda c, e, r, s: report(c, e, r, None), "seed-missing", "without the seed"),
}


@pytest.mark.parametrize("what", WRONG_CALLS)
@pytest.mark.parametrize("seed", [1, 2])
def test_an_argument_that_is_not_used_is_charged_once_and_named(what, seed):
    function, mistake, words = WRONG_CALLS[what]
    found = earned(function, seed=seed)
    assert points(found) == {"final_loss": 0, "train_accuracy": 1, "test_accuracy": 1}
    assert found["final_loss"].mistakes == (mistake,)
    assert words in found["final_loss"].message


def test_another_size_is_charged_once_and_said():
    def wider(network_class, epochs, learning_rate, seed):
        return report(lambda *sizes, rng: network_class(2, 5, 1, rng=rng), epochs, learning_rate, seed)

    found = earned(wider)
    assert points(found) == {"final_loss": 0, "train_accuracy": 1, "test_accuracy": 1}
    assert found["final_loss"].message == "Your network is made with the sizes (2, 5, 1); (2, 4, 1) are asked for."


class Constant(Tanh):
    """A network that learns nothing, whatever it says of its losses."""

    def forward_pass(self, X):
        super().forward_pass(X)
        self.A2 = np.ones((1, X.shape[1]))
        return self.A2

    def train(self, X, Y, epochs, learning_rate):
        return list(np.linspace(0.7, 0.5, epochs))

    def compute_loss(self, Y):
        return 0.5


def test_from_a_network_of_ones_own_that_learned_nothing_nothing_follows():
    found = earned(lambda c, e, r, s: report(Constant, e, r, s), Constant)
    assert set(points(found).values()) == {0}


@pytest.mark.parametrize("values", [(0.5, 0.8, 0.8), (0.3, 0.85, 0.8333333333333334), (None, None, None)])
def test_invented_numbers_earn_nothing(values):
    assert set(points(earned(lambda *_: values)).values()) == {0}


def test_each_argument_changes_the_report_of_our_network():
    given = challenges(load(NAME), 3)["training"][0].given
    (due,) = reports.wanted(given)
    right = reports._report(given, [due])
    others = {"hidden_size": 5, "seed": due["seed"] + 1, "epochs": due["epochs"] + 1, "learning_rate": 0.51}
    others |= {"weight_scale": 0.9, "examples": X_TEST.shape[1], "reg_lambda": 0.1}
    for name, other in others.items():
        wrong = reports._report(given, [due | {name: other}])
        assert abs(wrong["final_loss"] - right["final_loss"]) > 1e-5 * right["final_loss"], name


def test_our_network_gives_no_gradient_away():
    """Its text lies in the process of the student's code."""
    ours, theirs = reports.Network(3, 4, 2, rng=1), Tanh(3, 4, 2, rng=1, weight_scale=1.0)
    rng = np.random.default_rng(0)
    inputs, targets = rng.normal(size=(3, 7)), rng.integers(0, 2, (2, 7))
    for network in (ours, theirs):
        network.forward_pass(inputs)
        network.backward_pass(inputs, targets)
    for name in ("dW2", "db2", "dW1", "db1"):
        assert np.abs(getattr(ours, name) - getattr(theirs, name)).max() > 0.01


HUGE = [0, 2, 10**9, 1, 1, 1, 1, 1, 1, 0]


@pytest.mark.parametrize("noted", [[[0] * 9], [["x"] * 10], [HUGE], "text", None, [[]], []])
def test_notes_that_make_no_sense_are_no_error_of_the_grader(noted):
    exercise = load(NAME)
    probe = exercise.question(QUESTION).probe
    asked = challenges(load(NAME), 1)[probe.name]
    names = {"TanhNetwork": Tanh, "train_on_moons": report}
    answers = [ask(probe, names, challenge.given) for challenge in asked]
    for answer in answers:
        answer.values.update(noted=noted, final_loss=0.1)
    (question,) = (q for q in mark(exercise, 1, {probe.name: answers}) if q.id == QUESTION)
    assert question.status == "wrong"
    assert question.points == 2
