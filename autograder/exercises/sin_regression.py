"""Sheet 4, exercise 13: regression. A network that learns the sine.

The student writes ``SineNetwork(SimpleNeuralNetwork)`` with a tanh or sigmoid hidden layer, a linear output, the mean
squared error and its backward pass, and ``fit_sine(seed)``, which returns a trained network. Which hidden activation
was chosen is read off the answers; both are right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from autograder.diagnosis import Spec
from autograder.exercise import Challenge, Exercise, Judge, Line, Probe, Question, Reply, Values, Verdict, Written
from autograder.exercises.shared import (
    follow_network,
    gradient_challenges,
    keeping_parameters,
    network_for,
    returning,
    sigmoid,
    sigmoid_kept,
    squared_error_slips,
)
from autograder.marking.compare import as_numbers, compare
from autograder.marking.gradients import explain_gradients
from autograder.marking.judges import remembered, usable, values
from autograder.marking.slips import explain_slips, first_of
from autograder.truth import Network

LOSS = "mse"
HIDDEN: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {"tanh": np.tanh, "sigmoid": sigmoid}
"""The hidden activations that the task allows."""

GOOD_FIT, FAIR_FIT = 0.01, 0.03
"""Mean squared errors on the 100 points up to which a fit earns all and half of its points.

The best straight line has 0.203; the reference stays below 0.007 for every one of 40 seeds."""


def network(given: Values, hidden: str) -> Network:
    """The symbolic network for the shapes of a challenge."""
    return network_for(given, (hidden, "linear"), LOSS)


# What is asked ------------------------------------------------------------------------------------------------------


def forward(student, given):
    """Pre-activations and activations of both layers."""
    net = student.SineNetwork(given["W1"].shape[1], given["W1"].shape[0], given["W2"].shape[0])
    for name in ("W1", "b1", "W2", "b2"):
        setattr(net, name, given[name])
    returned = net.forward_pass(given["X"])
    found = {name: getattr(net, name, None) for name in ("Z1", "A1", "Z2", "A2")}
    found["returned"] = returned
    return found


def loss(student, given):
    """The loss after a forward pass."""
    net = student.SineNetwork(given["W1"].shape[1], given["W1"].shape[0], given["W2"].shape[0])
    for name in ("W1", "b1", "W2", "b2"):
        setattr(net, name, given[name].copy())
    net.forward_pass(given["X"])
    found = {name: getattr(net, name, None) for name in ("Z1", "A1", "Z2", "A2")}
    found["loss"] = net.compute_loss(given["Y"])
    return found


def gradients(student, given):
    """Activations and all four gradients."""
    net = student.SineNetwork(given["W1"].shape[1], given["W1"].shape[0], given["W2"].shape[0])
    for name in ("W1", "b1", "W2", "b2"):
        setattr(net, name, given[name].copy())
    net.forward_pass(given["X"])
    net.backward_pass(given["X"], given["Y"])
    names = ("Z1", "A1", "Z2", "A2", "dW2", "db2", "dW1", "db1")
    found = {name: getattr(net, name, None) for name in names}
    return found | {name + "_after": getattr(net, name, None) for name in ("W1", "b1", "W2", "b2")}


def fit(student, given):
    """What a trained network predicts, and what is left when its output layer is set to zero."""
    net = student.fit_sine(int(given["seed"]))
    if not hasattr(net, "forward_pass"):
        raise ValueError("fit_sine must return the trained network itself")
    predicted = np.array(net.forward_pass(given["X"]))
    net.W2, net.b2 = 0 * net.W2, 0 * net.b2
    return {"fit": predicted, "without_output_layer": np.array(net.forward_pass(given["X"]))}


def _fit_challenges(rng: np.random.Generator) -> list[Challenge]:
    grid = {"X": np.linspace(-np.pi, np.pi, 100).reshape(1, -1)}
    return [Challenge(grid | {"seed": seed}) for seed in rng.integers(1, 10_000, 3)]


def _challenges(rng: np.random.Generator) -> list[Challenge]:
    return gradient_challenges(rng, ("tanh", "linear"), LOSS)


FORWARD = Probe(forward, lambda rng: [challenge.keeping("Y") for challenge in _challenges(rng)])
LOSS_VALUE = Probe(loss, _challenges)
GRADIENTS = Probe(gradients, _challenges)
FIT = Probe(fit, _fit_challenges)


# What is true, for either hidden activation ---------------------------------------------------------------------------


def _judge_for(hidden: str) -> Judge:
    @remembered
    def truth(given: Values) -> dict[str, np.ndarray]:
        return returning(network(given, hidden).evaluate(given))

    def follow(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
        return [returning(results, own) for results in follow_network(network(given, hidden), given, own)]

    spec = Spec(hidden=(hidden,), output="linear", loss=LOSS)
    # a sigmoid in the hidden layer is one of the two right choices
    single = explain_slips((*sigmoid_kept("sigmoid", "linear"), *squared_error_slips()))
    return values(truth, follow=follow, explain=first_of(explain_gradients(spec), single))


JUDGES = {hidden: _judge_for(hidden) for hidden in HIDDEN}
RELU_NETWORK = _judge_for("relu")
"""For a hidden layer that the task does not allow: A1 is charged, and the rest follows from it."""


def chosen(replies: Sequence[Reply]) -> tuple[str, ...]:
    """The hidden activations that the student may have chosen: A1 is that function of Z1 at every challenge.

    Both when neither fits: then A1 itself is wrong, and does not tell.
    """
    fitting = []
    for hidden, function in HIDDEN.items():
        own = [usable(reply.values) for reply in replies]
        if all({"Z1", "A1"} <= o.keys() and compare(o["A1"], function(o["Z1"])).equal for o in own):
            fitting.append(hidden)
    return tuple(fitting) or tuple(HIDDEN)


def _relu_chosen(replies: Sequence[Reply]) -> bool:
    own = [usable(reply.values) for reply in replies]
    return all({"Z1", "A1"} <= o.keys() and compare(o["A1"], np.maximum(o["Z1"], 0)).equal for o in own)


def by_network(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """Marks against the network that the student chose to build."""
    if _relu_chosen(replies):
        told = Verdict.named(
            "relu-in-hidden-layer",
            title="Your hidden layer uses ReLU.",
            hint="Which two activations does the task allow?",
        )
        return {name: told if name == "A1" else found for name, found in RELU_NETWORK(lines, replies).items()}
    found = [JUDGES[hidden](lines, replies) for hidden in chosen(replies)]
    return max(found, key=lambda verdicts: sum(verdicts[line.name].share * line.points for line in lines))


def by_fit(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """Marks the mean squared error of the predictions at the 100 points, the worst of the seeds."""
    return {line.name: _fit_verdict(replies) for line in lines}


def _fit_verdict(replies: Sequence[Reply]) -> Verdict:
    errors = []
    for reply in replies:
        predicted, target = as_numbers(reply.values.get("fit")), np.sin(reply.given["X"])
        if isinstance(predicted, str):
            return Verdict("wrong", message=f"What forward_pass returns: {predicted}.")
        if predicted.shape != target.shape:
            message = f"For 100 points the predictions have shape {predicted.shape}; {target.shape} is expected."
            return Verdict("wrong", message=message)
        if not np.all(np.isfinite(predicted)):
            return Verdict(
                "wrong",
                mistakes=("training-diverged",),
                message="The predictions are not finite: the training diverged.",
                hint="Does the loss of the first epochs fall? Which of your settings decides how far one step goes?",
            )
        if compare(reply.values.get("without_output_layer"), predicted).equal:
            message = "Your predictions stay the same when W2 and b2 are zero: they do not come from the network."
            return Verdict("wrong", message=message)
        errors.append(float(np.mean((predicted - target) ** 2)))
    worst = max(errors)
    said = f"The largest mean squared error on the 100 points, of {len(errors)} seeds, is {worst:.2g}"
    if worst <= GOOD_FIT:
        return Verdict("correct", share=1.0, message=f"{said}.")
    hint = "Look at your loss curve: is it still falling, does it jump, has it settled? Each calls for another change."
    message = f"{said}; {GOOD_FIT:g} is asked for."
    return Verdict("wrong", share=0.5 if worst <= FAIR_FIT else 0.0, message=message, hint=hint)


# The questions ------------------------------------------------------------------------------------------------------

EXERCISE = Exercise(
    name="sin_regression",
    sheet="design",
    title="A network that learns the sine",
    minutes=45,
    difficulty=2,
    questions=(
        Question(
            "forward_regression",
            "The forward pass with a linear output",
            (
                Line("Z1", 1, "Z1, hidden pre-activations"),
                Line("A1", 1, "A1, hidden activations"),
                Line("Z2", 1, "Z2, output pre-activations"),
                Line("A2", 1, "A2, outputs"),
                Line("returned", 1, "the value that forward_pass returns"),
            ),
            FORWARD,
            by_network,
        ),
        Question("squared_loss", "The mean squared error", (Line("loss", 2, "loss"),), LOSS_VALUE, by_network),
        Question(
            "output_gradients",
            "Gradients of the output layer",
            (Line("dW2", 3, "dW2"), Line("db2", 1, "db2")),
            GRADIENTS,
            by_network,
        ),
        Question(
            "hidden_gradients",
            "Gradients of the hidden layer",
            (Line("dW1", 4, "dW1"), Line("db1", 2, "db1")),
            GRADIENTS,
            keeping_parameters(by_network),
        ),
        Question("sine_fit", "The fit that is reached", (Line("fit", 3, "mean squared error"),), FIT, by_fit),
    ),
    written=(Written("regression_words", "Plot and explanation", 5),),
    parts={
        "linear output": ("forward_regression",),
        "loss": ("squared_loss",),
        "changed backward pass": ("output_gradients", "hidden_gradients"),
        "fit": ("sine_fit",),
        "plot of prediction against truth": ("regression_words",),
    },
)
