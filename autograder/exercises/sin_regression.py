"""Sheet 4: regression. A network that learns the sine.

The student writes ``SineNetwork(SimpleNeuralNetwork)`` with a tanh or sigmoid hidden layer, a linear output, the mean
squared error and its backward pass, and ``fit_sine(seed)``, which returns a trained network. Which hidden activation
was chosen is read off the answers; both are right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np

from autograder.exercise import Challenge, Exercise, Judge, Line, Probe, Question, Reply, Verdict, Written, lines
from autograder.exercises.fit_picture import PICTURE, by_picture
from autograder.exercises.networks import PARAMETERS, SQUARED_ERROR, NetworkTask
from autograder.exercises.shared import SMALL, sigmoid, sigmoid_kept, small_targets
from autograder.marking.compare import as_numbers, compare
from autograder.marking.judges import usable

HIDDEN: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {"tanh": np.tanh, "sigmoid": sigmoid}
"""The hidden activations that the task allows."""

GOOD_FIT, FAIR_FIT = 0.01, 0.03
"""Mean squared errors on the 100 points up to which a fit earns all and half of its points.

The best straight line has 0.203; the reference stays below 0.007 for every one of 40 seeds. Where the gradients are
wrong and charged already, a fair fit earns all."""

# What is true, for either hidden activation --------------------------------------------------------------------------

TASKS = {
    hidden: NetworkTask(
        "SineNetwork",
        (hidden, "linear"),
        "mse",
        losses=SQUARED_ERROR,
        slips=sigmoid_kept("sigmoid", "linear"),  # a sigmoid in the hidden layer is one of the two right choices
    )
    for hidden in (*HIDDEN, "relu")
}
"""The network for each hidden layer. Of ReLU, which the task does not allow, A1 is charged and the rest follows."""


def chosen(replies: Sequence[Reply]) -> tuple[str, ...]:
    """The hidden activations that the student may have chosen: A1 is that function of Z1 at every challenge.

    Both when neither fits: then A1 itself is wrong, and does not tell.
    """
    own = [usable(reply.values) for reply in replies]
    if not all({"Z1", "A1"} <= values.keys() for values in own):
        return tuple(HIDDEN)
    known = {**HIDDEN, "relu": lambda z: np.maximum(z, 0)}
    return tuple(
        hidden for hidden, function in known.items() if all(compare(o["A1"], function(o["Z1"])).equal for o in own)
    ) or tuple(HIDDEN)


def by_network(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """Marks against the network that the student chose to build."""
    found = [TASKS[hidden].judge(lines, replies) for hidden in chosen(replies)]
    best = max(found, key=lambda verdicts: sum(verdicts[line.name].share * line.points for line in lines))
    if chosen(replies) == ("relu",) and "A1" in best:
        return {**best, "A1": Verdict.named("relu-in-hidden-layer")}
    return best


class Sine(NetworkTask):
    """The network with the hidden layer that the student chose."""

    @cached_property
    def judge(self) -> Judge:
        """Marks against that network."""
        return by_network


SINE = Sine("SineNetwork", ("tanh", "linear"), "mse")


# The fit ------------------------------------------------------------------------------------------------------------


def fit(student, given):
    """What a trained network predicts, and what is left when its output layer is set to zero.

    Then the gradients of the student's class at a small point; and where ``again`` is given, whether the initial
    weights are those of the seed.
    """
    net = student.fit_sine(int(given["seed"]))
    if not hasattr(net, "forward_pass"):
        raise ValueError("fit_sine must return the trained network itself")
    predicted = np.array(net.forward_pass(given["grid"]))
    net.W2, net.b2 = 0 * net.W2, 0 * net.b2
    yield {"fit": predicted, "without_output_layer": np.array(net.forward_pass(given["grid"]))}
    names = ("W1", "b1", "W2", "b2")
    try:
        net = student.SineNetwork(given["W1"].shape[1], given["W1"].shape[0], given["W2"].shape[0])
        for name in names:
            setattr(net, name, given[name].copy())
        net.forward_pass(given["X"])
        found = {name: getattr(net, name, None) for name in ("Z1", "A1", "Z2", "A2")}
        net.backward_pass(given["X"], given["Y"])
        yield found | {"d" + name: getattr(net, "d" + name, None) for name in names}
        if given["again"]:
            starts = []

            def untrained(self, X, Y, epochs, learning_rate, **others):
                starts.append(np.array(self.W1))
                return [1.0] * int(epochs)

            student.SineNetwork = type("SineNetwork", (student.SineNetwork,), {"train": untrained})
            for seed in (given["seed"], given["seed"], given["seed"] + 1):
                student.fit_sine(int(seed))
            one, same, other = starts
            yield {"same": np.array_equal(one, same), "fresh": not np.array_equal(one, other)}
    except Exception:
        return  # the other questions tell the student


def _fit_challenges(rng: np.random.Generator) -> list[Challenge]:
    grid = {"grid": np.linspace(-np.pi, np.pi, 100).reshape(1, -1)} | SMALL | {"Y": small_targets("mse")}
    return [
        Challenge(grid | {"seed": seed, "again": np.array(not number)})
        for number, seed in enumerate(rng.integers(1, 10_000, 3))
    ]


def _gradients_are_right(replies: Sequence[Reply]) -> bool:
    verdicts = by_network([Line(f"d{name}", 1) for name in PARAMETERS], replies)
    return all(verdict.share for verdict in verdicts.values())


def by_fit(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """Marks the mean squared error of the predictions at the 100 points, the worst of the seeds."""
    return dict.fromkeys((line.name for line in lines), _fit_verdict(replies))


def _fit_verdict(replies: Sequence[Reply]) -> Verdict:
    errors = []
    for reply in replies:
        predicted, target = as_numbers(reply.values.get("fit")), np.sin(reply.given["grid"])
        if isinstance(predicted, str):
            return Verdict("wrong", message=f"What forward_pass returns: {predicted}.")
        if predicted.shape != target.shape:
            message = f"For 100 points the predictions have shape {predicted.shape}; {target.shape} is expected."
            return Verdict("wrong", message=message)
        if not np.all(np.isfinite(predicted)):
            told = "The predictions are not finite: the training diverged."
            hint = "Does the loss of the first epochs fall? Which of your settings decides how far one step goes?"
            return Verdict.named("training-diverged", title=told, hint=hint)
        if compare(reply.values.get("without_output_layer"), predicted).equal:
            message = "Your predictions stay the same when W2 and b2 are zero: they do not come from the network."
            return Verdict("wrong", message=message)
        errors.append(float(np.mean((predicted - target) ** 2)))
    worst, right = max(errors), _gradients_are_right(replies)
    good, fair = (GOOD_FIT, FAIR_FIT) if right else (FAIR_FIT, 2 * FAIR_FIT)
    said = f"The largest mean squared error on the 100 points, of {len(errors)} seeds, is {worst:.2g}"
    if worst <= 2 * FAIR_FIT and any(r.values.get(name) is False for r in replies for name in ("same", "fresh")):
        return Verdict.named("seed-missing", share=2 / 3)  # how good the fit is, is luck
    if worst <= good:
        return Verdict("correct", share=1.0, own=not right, message=f"{said}.")
    hint = "Look at your loss curve: is it still falling, does it jump, has it settled? Each calls for another change."
    if not right:
        hint = "Your gradients are not right yet. Mend them first: no setting makes up for that."
    message = f"{said}; {GOOD_FIT:g} is asked for."
    return Verdict("wrong", share=0.5 if worst <= fair else 0.0, message=message, hint=hint)


# The questions ------------------------------------------------------------------------------------------------------

EXERCISE = Exercise(
    name="sin_regression",
    sheet="design",
    title="A network that learns the sine",
    minutes=45,
    difficulty=2,
    choices=("A1",),
    chosen_otherwise=(
        {
            "network": (
                ("np.tanh(self.Z1)", "1 / (1 + np.exp(-self.Z1))"),
                ("(1 - self.A1**2)", "self.A1 * (1 - self.A1)"),
            )
        },
    ),
    questions=(
        SINE.forward("forward_regression", "The forward pass with a linear output", Z1=1, A1=1, Z2=1, A2=1, returned=1),
        SINE.loss_value("squared_loss", "The mean squared error", loss=2),
        SINE.gradients("output_gradients", "Gradients of the output layer", keeping=None, dW2=3, db2=1),
        SINE.gradients("hidden_gradients", "Gradients of the hidden layer", dW1=4, db1=2),
        Question(
            "sine_fit",
            "The fit that is reached",
            lines(fit=(3, "mean squared error")),
            Probe(fit, _fit_challenges),
            by_fit,
        ),
        Question(
            "fit_picture",
            "Prediction and truth in one picture",
            lines(curves=(1, "both curves, with labels"), beyond=(1, "the prediction beyond the training range")),
            PICTURE,
            by_picture,
        ),
    ),
    written=(Written("regression_words", "What changed, and why", 3),),
    parts={
        "linear output": ("forward_regression",),
        "loss": ("squared_loss",),
        "changed backward pass": ("output_gradients", "hidden_gradients"),
        "fit": ("sine_fit",),
        "plot of prediction against truth": ("fit_picture", "regression_words"),
    },
)
