"""Sheet 3, exercise 11: weight decay, in the loss, in the gradients and in training.

The student writes ``L2Network(SimpleNeuralNetwork)`` with a penalty of reg_lambda / (2 m) times the sum of the squared
weights, trains it, and measures what several strengths do to a network of 50 hidden units that overfits without.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from autograder.exercise import Challenge, Exercise, Line, Probe, Question, Reply, Values, Verdict, Written
from autograder.exercises.networks import NetworkTask
from autograder.exercises.shared import accuracies, draw_point, gradient_challenges, noisy_moons
from autograder.marking.compare import compare
from autograder.marking.judges import Explain, remembered, values
from autograder.marking.slips import At, Slip, explain_slips
from autograder.mistakes import MISTAKES, PENALTY
from autograder.truth import descent

ACTIVATIONS, LOSS = ("sigmoid", "sigmoid"), "bce"


def with_strength(rng: np.random.Generator) -> list[Challenge]:
    """The usual points, each with a strength of its own."""
    points = zip(gradient_challenges(rng, ACTIVATIONS, LOSS), (4.0, 0.7, 1.3, 2.1))
    return [Challenge({**point.given, "reg_lambda": np.array(strength)}, point.shown) for point, strength in points]


def charged_once(explain: Explain) -> Explain:
    """The same slip in the penalty of both layers is one slip: the output layer pays, the hidden layer does not.

    A penalty that is missing in both is no slip in a formula but a step that was not done: both pay.
    """

    def verdicts(replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        found = dict(explain(replies))
        for first, second in (("dW2", "dW1"), ("db2", "db1")):
            named = found[first].mistakes if first in found else ()
            same = second in found and found[second].mistakes == named
            if same and named and all(MISTAKES[m].where == PENALTY and m != "penalty-missing" for m in named):
                message = f"The same slip as in {first}: it is charged only there."
                found[second] = Verdict("correct", share=1.0, own=True, mistakes=(), message=message)
        return found

    return verdicts


L2 = NetworkTask(
    "L2Network",
    ACTIVATIONS,
    LOSS,
    penalty="half-lambda-over-m",
    own_forward=False,
    drawn=with_strength,
    adjust=charged_once,
)


# What is asked ------------------------------------------------------------------------------------------------------


def training(student, given):
    """The losses that ``train`` returns, and those that the student's own loss and gradients give step by step."""

    def fresh():
        net = student.L2Network(given["W1"].shape[1], given["W1"].shape[0], given["W2"].shape[0])
        for name in ("W1", "b1", "W2", "b2"):
            setattr(net, name, given[name].copy())
        return net

    epochs, rate, strength = int(given["epochs"]), float(given["learning_rate"]), float(given["reg_lambda"])
    losses = fresh().train(given["X"], given["Y"], epochs, rate, strength)
    net, own = fresh(), []
    net.reg_lambda = strength
    for _ in range(epochs):
        net.forward_pass(given["X"])
        own.append(net.compute_loss(given["Y"]))
        net.backward_pass(given["X"], given["Y"])
        net.update_parameters(rate)

    def flat(found):
        """One number per epoch, also where each came as an array with a single entry."""
        return None if found is None else [n.item() if isinstance(n, np.ndarray) and n.size == 1 else n for n in found]

    return {"losses": flat(losses), "own_losses": flat(own)}


def study(student, given):
    """The columns of the student's table, and those that the student's own network gives when it is trained."""
    strengths = [float(strength) for strength in given["lambdas"]]
    epochs, rate, seed = int(given["epochs"]), float(given["learning_rate"]), int(given["seed"])
    X, Y, X_test, Y_test = given["X"], given["Y"], given["X_test"], given["Y_test"]
    table = student.lambda_study(strengths, X, Y, X_test, Y_test, epochs, rate, seed)
    if table is None:
        return {}
    try:
        rows = [[float(number) for number in row] for row in table]
    except TypeError:
        raise ValueError("lambda_study must return a list with one row of three numbers per strength") from None
    if len(rows) != len(strengths) or any(len(row) != 3 for row in rows):
        raise ValueError("lambda_study must return one row of three numbers per strength")
    own = []
    for strength in strengths:
        net = student.L2Network(2, 50, 1, rng=seed, weight_scale=5.0)
        before = float(np.sum(net.W1**2) + np.sum(net.W2**2))
        net.train(X, Y, epochs, rate, strength)
        on_train = np.mean((net.forward_pass(X) > 0.5) == (Y > 0.5))
        on_test = np.mean((net.forward_pass(X_test) > 0.5) == (Y_test > 0.5))
        own.append([float(on_train), float(on_test), float(np.sum(net.W1**2) + np.sum(net.W2**2))])
    columns = ("train_accuracy", "test_accuracy", "squared_weights")
    found = {name: [row[k] for row in rows] for k, name in enumerate(columns)}
    return found | {f"own_{name}": [row[k] for row in own] for k, name in enumerate(columns)} | {"own_start": before}


def _training_challenges(rng: np.random.Generator) -> list[Challenge]:
    return [
        Challenge(
            draw_point(rng, (2, hidden, 1), ACTIVATIONS, LOSS, examples)
            | {"epochs": np.array(epochs), "learning_rate": np.array(0.5), "reg_lambda": np.array(strength)}
        )
        for hidden, examples, epochs, strength in ((4, 7, 4, 0.9), (5, 9, 6, 1.7), (3, 8, 8, 0.6))
    ]


def _study_challenges(rng: np.random.Generator) -> list[Challenge]:
    return [
        Challenge(
            noisy_moons(150, 97, int(rng.integers(1, 10_000)))
            | {
                "lambdas": np.array(strengths),
                "epochs": np.array(epochs),
                "learning_rate": np.array(0.5),
                "seed": rng.integers(1, 10_000),
            }
        )
        for strengths, epochs in (((0.0, 2.0, 0.5), 20), ((4.0, 0.0, 0.6), 15), ((3.0, 0.4, 1.5), 25))
    ]


TRAINING = Probe(training, _training_challenges)
STUDY = Probe(study, _study_challenges)


# What is true -------------------------------------------------------------------------------------------------------


def _trained(given: Values, reg_lambda: float) -> list[float]:
    state = {name: given[name] for name in descent.PARAMETERS}
    return descent.descend(
        state, given["X"], given["Y"], int(given["epochs"]), float(given["learning_rate"]), reg_lambda=reg_lambda
    )[0]


@remembered
def trained(given: Values) -> dict[str, np.ndarray]:
    """The penalised loss of every epoch, before its update."""
    return {"losses": np.array(_trained(given, float(given["reg_lambda"])))}


def follow_training(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """``train`` may be right with a wrong penalty, but not with none and not with losses that stand still."""
    theirs = own.get("own_losses")
    if theirs is None or theirs.size < 2 or np.ptp(theirs) == 0 or compare(theirs, _trained(given, 0.0)).equal:
        return []
    return [{"losses": theirs}]


@remembered
def studied(given: Values) -> dict[str, np.ndarray]:
    """Accuracies and the sum of the squared weights after training with every strength."""
    rows = []
    for strength in given["lambdas"]:
        start = descent.baseline_state(50, int(given["seed"]), weight_scale=5.0)
        _, end = descent.descend(
            start, given["X"], given["Y"], int(given["epochs"]), float(given["learning_rate"]), reg_lambda=strength
        )
        squares = np.sum(end["W1"] ** 2) + np.sum(end["W2"] ** 2)
        rows.append((*accuracies(end, given), squares))
    return dict(zip(COLUMNS, np.array(rows).T))


COLUMNS = ("train_accuracy", "test_accuracy", "squared_weights")


def follow_study(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """The table of the student's own network, if its training moves the weights at all."""
    theirs = {name: own[f"own_{name}"] for name in COLUMNS if f"own_{name}" in own}
    if len(theirs) < len(COLUMNS) or own.get("own_start", np.empty(0)).size != 1:
        return []
    if np.any(np.isclose(theirs["squared_weights"], own["own_start"], rtol=1e-6)):
        return []
    return [theirs]


# Which mistakes are known -------------------------------------------------------------------------------------------


def _penalty_slip(mistake: str, penalty: Callable[[At, float, float], float]) -> Slip:
    """A loss with another penalty: a formula of the parameters, lambda and m."""

    def formula(v: At) -> float:
        strength, m = float(v.reg_lambda), v.X.shape[1]
        data = L2.truth(v.given)["loss"] - strength / (2 * m) * _squares(v, "W1", "W2")
        return data + penalty(v, strength, m)

    title, hint = _WORDS[mistake]
    return Slip(mistake, ("loss",), formula, title, hint)


def _squares(v: At, *names: str) -> float:
    return sum(float(np.sum(v[name] ** 2)) for name in names)


_CONSTANT = "Compare the constant in front of your penalty with the one in the task"

_WORDS = {
    "penalty-missing": (
        "",
        "The loss that you return does not change with the strength. Which term depends on the weights?",
    ),
    "penalty-halved": ("", f"{_CONSTANT}."),
    "penalty-doubled": ("", f"{_CONSTANT}."),
    "penalty-not-divided-by-m": ("", f"{_CONSTANT}: what is below the line?"),
    "penalty-sign-wrong": (
        "The penalty has the wrong sign.",
        "Large weights should make the loss larger. Do they?",
    ),
    "bias-penalised": ("", "Which parameters stand in the sum of the penalty?"),
    "penalty-of-one-layer-only": (
        "The penalty counts the weights of one layer only.",
        "How many weight matrices does the network have, and how many are in your sum?",
    ),
    "penalty-not-squared": (
        "The weights in the penalty are not squared.",
        "Look at the power in the sum: what would a positive and a negative weight do together without it?",
    ),
    "penalty-of-the-norm": (
        "The root of the sum of squares is used for the sum.",
        "The penalty needs the sum of the squares itself. Which function did you use to get it?",
    ),
    "penalty-of-mean-squares": (
        "The squares of the weights are averaged.",
        "The penalty adds them up. By how many numbers does your function divide?",
    ),
    "penalty-of-the-sum-squared": (
        "The sum of the weights is squared.",
        "Which comes first in the penalty: squaring or adding up?",
    ),
}
"""Title and hint for each wrong penalty in the loss; an empty title is that of the catalogue."""

LOSS_SLIPS = (
    _penalty_slip("penalty-missing", lambda v, k, m: 0.0),
    _penalty_slip("penalty-halved", lambda v, k, m: k / (4 * m) * _squares(v, "W1", "W2")),
    _penalty_slip("penalty-doubled", lambda v, k, m: k / m * _squares(v, "W1", "W2")),
    _penalty_slip("penalty-not-divided-by-m", lambda v, k, m: k / 2 * _squares(v, "W1", "W2")),
    _penalty_slip("penalty-sign-wrong", lambda v, k, m: -k / (2 * m) * _squares(v, "W1", "W2")),
    _penalty_slip("bias-penalised", lambda v, k, m: k / (2 * m) * _squares(v, "W1", "W2", "b1", "b2")),
    _penalty_slip("penalty-of-one-layer-only", lambda v, k, m: k / (2 * m) * _squares(v, "W1")),
    _penalty_slip("penalty-of-one-layer-only", lambda v, k, m: k / (2 * m) * _squares(v, "W2")),
    _penalty_slip("penalty-not-squared", lambda v, k, m: k / (2 * m) * (np.sum(np.abs(v.W1)) + np.sum(np.abs(v.W2)))),
    _penalty_slip("penalty-not-squared", lambda v, k, m: k / (2 * m) * (np.sum(v.W1) + np.sum(v.W2))),
    _penalty_slip(
        "penalty-of-the-norm",
        lambda v, k, m: k / (2 * m) * (np.sqrt(_squares(v, "W1")) + np.sqrt(_squares(v, "W2"))),
    ),
    _penalty_slip(
        "penalty-of-mean-squares", lambda v, k, m: k / (2 * m) * (np.mean(v.W1**2) + np.mean(v.W2**2))
    ),
    _penalty_slip(
        "penalty-of-the-sum-squared", lambda v, k, m: k / (2 * m) * (np.sum(v.W1) ** 2 + np.sum(v.W2) ** 2)
    ),
)


def _losses_after(given: Values) -> list[float]:
    longer = dict(given) | {"epochs": np.array(int(given["epochs"]) + 1)}
    return _trained(longer, float(given["reg_lambda"]))[1:]


def _losses_of_the_data(given: Values) -> list[float]:
    """The gradients have the penalty; the losses that are reported have not."""
    state, found = {name: given[name] for name in descent.PARAMETERS}, []
    for _ in range(int(given["epochs"])):
        found.append(descent.loss(state, given["X"], given["Y"]))
        gradient = descent.gradients(state, given["X"], given["Y"], reg_lambda=float(given["reg_lambda"]))
        state = descent.step(state, gradient, float(given["learning_rate"]))
    return found


TRAINING_SLIPS = (
    Slip(
        "strength-not-passed-on",
        ("losses",),
        lambda v: _trained(v.given, 0.0),
        "These are the losses of training without any penalty.",
        "How does the strength that `train` is given reach the loss and the gradients?",
    ),
    Slip(
        "losses-without-penalty",
        ("losses",),
        lambda v: _losses_of_the_data(v.given),
        "The weights decay as they should, but the losses you return are those of the data alone.",
        "Which loss does the training make smaller: with or without the penalty?",
    ),
    Slip(
        "loss-after-the-update",
        ("losses",),
        lambda v: _losses_after(v.given),
        "Each loss is the one after the update of its epoch.",
        "As in the baseline, the first loss in the list is the one at the initial weights.",
    ),
)


STUDY_SLIPS = tuple(
    slip
    for half, other, words in (("train", "test", "test"), ("test", "train", "training"))
    for slip in (
        Slip(
            "percent",
            (f"{half}_accuracy",),
            lambda v, half=half: 100 * v[f"own_{half}_accuracy"],
            "These are percentages.",
            "An accuracy is a share between 0 and 1 here.",
        ),
        Slip(
            "tested-on-training-data",
            (f"{half}_accuracy",),
            lambda v, other=other: v[f"own_{other}_accuracy"],
            f"This is the accuracy on the {words} data.",
            "Compare the three numbers of a row with the three that are asked for, one after the other.",
        ),
    )
)


# The questions ------------------------------------------------------------------------------------------------------

EXERCISE = Exercise(
    name="l2_regularization",
    sheet="training",
    title="L2 regularisation",
    minutes=60,
    difficulty=3,
    questions=(
        L2.loss_value("penalised_loss", "The loss with its penalty", LOSS_SLIPS, loss=4),
        L2.gradients("weight_gradients", "Gradients of the weights", keeping=None, dW2=4, dW1=4),
        L2.gradients("bias_gradients", "Gradients of the biases", keeping=("dW2", "dW1"), db2=1, db1=1),
        Question(
            "training_losses",
            "Training with a penalty",
            (Line("losses", 3, "the losses that train returns"),),
            TRAINING,
            values(trained, follow=follow_training, explain=explain_slips(TRAINING_SLIPS)),
        ),
        Question(
            "strength_table",
            "Several strengths compared",
            (
                Line("train_accuracy", 1, "training accuracy"),
                Line("test_accuracy", 1, "test accuracy"),
                Line("squared_weights", 1, "sum of the squared weights"),
            ),
            STUDY,
            values(studied, follow=follow_study, explain=explain_slips(STUDY_SLIPS)),
        ),
    ),
    written=(Written("effect", "What the penalty does to the boundary", 5),),
    parts={
        "loss": ("penalised_loss",),
        "gradients": ("weight_gradients", "bias_gradients"),
        "train": ("training_losses",),
        "effect": ("strength_table", "effect"),
    },
)
