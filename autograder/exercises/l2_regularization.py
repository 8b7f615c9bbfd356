"""Sheet 3: weight decay, in the loss, in the gradients and in training.

The student writes ``L2Network(SimpleNeuralNetwork)`` with a penalty of reg_lambda / (2 m) times the sum of the squared
weights, trains it, and measures what several strengths do to a network of 50 hidden units that overfits without.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from autograder.exercise import Challenge, Exercise, Probe, Question, Reply, Values, Verdict, Written, lines
from autograder.exercises.networks import NetworkTask
from autograder.exercises.reports import NOTED, OURS, Training, accuracies, accuracy_slips, misused, noted, repeated
from autograder.exercises.shared import draw_point, gradient_challenges, in_arrays, noisy_moons
from autograder.exercises.stated import Fact, stated
from autograder.marking.compare import compare
from autograder.marking.judges import remembered, values
from autograder.marking.slips import Slip, explain_slips, first_of
from autograder.truth import descent

ACTIVATIONS, LOSS = ("sigmoid", "sigmoid"), "bce"

LOSSES = (
    ("penalty-missing", "data"),
    ("penalty-halved", "data + reg_lambda / (4 * m) * (sum(W1**2) + sum(W2**2))"),
    ("penalty-doubled", "data + reg_lambda / m * (sum(W1**2) + sum(W2**2))"),
    ("penalty-not-divided-by-m", "data + reg_lambda / 2 * (sum(W1**2) + sum(W2**2))"),
    ("penalty-sign-wrong", "data - reg_lambda / (2 * m) * (sum(W1**2) + sum(W2**2))"),
    ("bias-penalised", "data + reg_lambda / (2 * m) * (sum(W1**2) + sum(W2**2) + sum(b1**2) + sum(b2**2))"),
    ("penalty-of-one-layer-only", "data + reg_lambda / (2 * m) * sum(W1**2)"),
    ("penalty-of-one-layer-only", "data + reg_lambda / (2 * m) * sum(W2**2)"),
    ("penalty-not-squared", "data + reg_lambda / (2 * m) * (sum(abs(W1)) + sum(abs(W2)))"),
    ("penalty-not-squared", "data + reg_lambda / (2 * m) * (sum(W1) + sum(W2))"),
    ("penalty-of-the-norm", "data + reg_lambda / (2 * m) * (sqrt(sum(W1**2)) + sqrt(sum(W2**2)))"),
    ("penalty-of-mean-squares", "data + reg_lambda / (2 * m) * (mean(W1**2) + mean(W2**2))"),
    ("penalty-of-the-sum-squared", "data + reg_lambda / (2 * m) * (sum(W1)**2 + sum(W2)**2)"),
)
"""Wrong losses: ``data`` is the cross-entropy."""


def with_strength(rng: np.random.Generator) -> list[Challenge]:
    """The usual points, each with a strength of its own."""
    points = zip(gradient_challenges(rng, ACTIVATIONS, LOSS), (4.0, 0.7, 1.3, 2.1))
    return [Challenge({**point.given, "reg_lambda": np.array(strength)}, point.shown) for point, strength in points]


L2 = NetworkTask(
    "L2Network",
    ACTIVATIONS,
    LOSS,
    penalty="half-lambda-over-m",
    own_forward=False,
    losses=LOSSES,
    drawn=with_strength,
)


# Training with a penalty --------------------------------------------------------------------------------------------


def training(student, given):
    """The losses that ``train`` returns, and those that the student's own loss and gradients give step by step."""

    def fresh():
        net = student.L2Network(given["W1"].shape[1], given["W1"].shape[0], given["W2"].shape[0])
        for name in ("W1", "b1", "W2", "b2"):
            setattr(net, name, given[name].copy())
        return net

    def flat(found):
        """One number per epoch, also where each came as an array with a single entry."""
        return None if found is None else [n.item() if isinstance(n, np.ndarray) and n.size == 1 else n for n in found]

    epochs, rate, strength = int(given["epochs"]), float(given["learning_rate"]), float(given["reg_lambda"])
    yield {"losses": flat(fresh().train(given["X"], given["Y"], epochs, rate, strength))}
    net, own = fresh(), []
    net.reg_lambda = strength
    for _ in range(epochs):
        net.forward_pass(given["X"])
        own.append(net.compute_loss(given["Y"]))
        net.backward_pass(given["X"], given["Y"])
        net.update_parameters(rate)
    yield {"own_losses": flat(own)}


def _trainings(rng: np.random.Generator) -> list[Challenge]:
    found = []
    for hidden, examples, epochs, rate, strength in ((4, 7, 4, 0.5, 0.9), (5, 9, 6, 0.3, 1.7), (3, 8, 8, 0.8, 0.6)):
        how = in_arrays({"epochs": epochs, "learning_rate": rate, "reg_lambda": strength})
        found.append(Challenge(draw_point(rng, (2, hidden, 1), ACTIVATIONS, LOSS, examples) | how))
    return found


def _losses(given: Values, *, strength: float | None = None, shown: float | None = None, more: int = 0) -> np.ndarray:
    """The loss of every epoch, before its update: trained and shown with the given strength where no other is named."""
    due = float(given["reg_lambda"])
    strength, shown = due if strength is None else strength, due if shown is None else shown
    state: descent.State = {name: given[name] for name in descent.PARAMETERS}
    found = []
    for _ in range(int(given["epochs"]) + more):
        found.append(descent.loss(state, given["X"], given["Y"], reg_lambda=shown))
        gradient = descent.gradients(state, given["X"], given["Y"], reg_lambda=strength)
        state = descent.step(state, gradient, float(given["learning_rate"]))
    return np.array(found)


@remembered
def trained(given: Values) -> dict[str, np.ndarray]:
    """The penalised loss of every epoch, before its update."""
    return {"losses": _losses(given)}


def follow_training(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """``train`` may be right with a wrong penalty, but not with none and not with losses that stand still."""
    theirs = own.get("own_losses")
    if theirs is None or theirs.ndim != 1 or np.ptp(theirs) == 0:
        return []
    without = _losses(given, strength=0.0, shown=0.0)
    return [] if compare(theirs, without).equal else [{"losses": theirs}]


def _stale(given: Values) -> np.ndarray:
    """The loss after the update without a new forward pass: old activations, new weights in the penalty."""
    penalties = _losses(given, more=1) - _losses(given, shown=0.0, more=1)
    return _losses(given, shown=0.0) + penalties[1:]


TRAINING_SLIPS = (
    Slip("strength-not-passed-on", "losses", lambda v: _losses(v.given, strength=0.0, shown=0.0)),
    Slip("losses-without-penalty", "losses", lambda v: _losses(v.given, shown=0.0)),
    Slip("loss-after-the-update", "losses", lambda v: _losses(v.given, more=1)[1:]),
    Slip("stale-forward-pass", "losses", lambda v: _stale(v.given)),
)


# Several strengths --------------------------------------------------------------------------------------------------

COLUMNS = ("train_accuracy", "test_accuracy", "squared_weights")


def study(student, given, *, ours, columns):
    """The columns of the student's table, made with a network of ours in the place of ``L2Network``."""
    strengths = [float(strength) for strength in given["lambdas"]]
    data = [given[name] for name in ("X", "Y", "X_test", "Y_test")]
    scope = {"np": np}
    exec(ours, scope)
    if not callable(student.L2Network):
        raise TypeError("L2Network must be a class")
    student.L2Network = scope["Network"]
    table = student.lambda_study(
        strengths, *data, int(given["epochs"]), float(given["learning_rate"]), int(given["seed"])
    )
    if table is None:
        return {}
    try:
        rows = [[float(number) for number in row] for row in table]
    except TypeError:
        raise ValueError("lambda_study must return a list with one row of three numbers per strength") from None
    if len(rows) != len(strengths) or any(len(row) != 3 for row in rows):
        raise ValueError("lambda_study must return one row of three numbers per strength")
    return {name: [row[k] for row in rows] for k, name in enumerate(columns)} | {"noted": scope["Network"].noted}


def _studies(rng: np.random.Generator) -> list[Challenge]:
    found = []
    for strengths, epochs, rate in (((0.0, 2.0, 0.5), 20, 0.5), ((4.0, 0.0, 0.6), 15, 0.8), ((3.0, 0.4, 1.5), 25, 0.3)):
        how = in_arrays({"lambdas": strengths, "epochs": epochs, "learning_rate": rate})
        data = noisy_moons(150, 97, int(rng.integers(1, 10_000)))
        found.append(Challenge(data | how | {"seed": rng.integers(1, 10_000)}))
    return found


def wanted(given: Values) -> list[Training]:
    """With what each network has to be made and trained."""
    fixed = 2, 50, 1, int(given["seed"]), 5.0, int(given["epochs"]), float(given["learning_rate"]), given["X"].shape[1]
    return [dict(zip(NOTED, (k, *fixed, float(strength)), strict=True)) for k, strength in enumerate(given["lambdas"])]


def _table(given: Values, trainings: Sequence[Training]) -> dict[str, np.ndarray]:
    rows = []
    for network, _, _ in repeated(trainings, given):
        W1, W2, b1, b2 = (np.sum(part**2) for part in (network.W1, network.W2, network.b1, network.b2))
        rows.append((*accuracies(network, given), W1 + W2, W1 + W2 + b1 + b2))
    return dict(zip((*COLUMNS, "squared_parameters"), np.array(rows).T))


@remembered
def studied(given: Values) -> dict[str, np.ndarray]:
    """Accuracies and the sum of the squared weights of our network after training with every strength."""
    return _table(given, wanted(given))


def follow_study(given: Values, own: Values) -> Sequence[Mapping[str, np.ndarray]]:
    """Where an argument is not used as it should be, the first column is charged with that, and the others follow."""
    trainings = noted(own)
    if not trainings or len(trainings) != len(given["lambdas"]):
        return []
    if trainings == wanted(given):
        return [studied(given)]
    return [_table(given, trainings) | {COLUMNS[0]: np.full(len(trainings), np.nan)}]


def explain_study(replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """Which argument is not used as it should be."""
    verdict = misused(replies, wanted, "L2Network")
    return {COLUMNS[0]: verdict} if verdict else {}


STUDY_SLIPS = (
    *accuracy_slips(studied),
    Slip("bias-penalised", "squared_weights", lambda v: studied(v.given)["squared_parameters"]),
)


# The questions ------------------------------------------------------------------------------------------------------

CHOICE = {
    "chosen_lambda": Fact(
        1, "the strength to choose", lambda: 0.1, "Which rows have the best test accuracy?", also=(0.01,)
    ),
    "nothing_left": Fact(
        1, "where nothing is left", lambda: 10.0, "Guessing is right for one half. Which row is nearest to that?"
    ),
}
"""Of the table of the notebook: its test computes it again."""

EXERCISE = Exercise(
    name="l2_regularization",
    sheet="training",
    title="L2 regularisation",
    minutes=60,
    difficulty=3,
    questions=(
        L2.loss_value("penalised_loss", "The loss with its penalty", loss=4),
        L2.gradients("weight_gradients", "Gradients of the weights", keeping=None, dW2=4, dW1=4),
        L2.gradients("bias_gradients", "Gradients of the biases", keeping=("dW2", "dW1"), db2=1, db1=1),
        Question(
            "training_losses",
            "Training with a penalty",
            lines(losses=(3, "the losses that train returns")),
            Probe(training, _trainings),
            values(trained, follow=follow_training, explain=explain_slips(TRAINING_SLIPS)),
        ),
        Question(
            "strength_table",
            "Several strengths compared",
            lines(
                train_accuracy=(1, "training accuracy"),
                test_accuracy=(1, "test accuracy"),
                squared_weights=(1, "sum of the squared weights"),
            ),
            Probe(study, _studies, {"ours": OURS, "columns": COLUMNS}),
            values(studied, follow=follow_study, explain=first_of(explain_study, explain_slips(STUDY_SLIPS))),
        ),
        stated("chosen_strength", "What the table says", CHOICE),
    ),
    written=(Written("effect", "What the penalty does to the boundary", 3),),
    parts={
        "loss": ("penalised_loss",),
        "gradients": ("weight_gradients", "bias_gradients"),
        "train": ("training_losses",),
        "effect": ("strength_table", "chosen_strength", "effect"),
    },
)
