"""Functions that train a network and report what came out: they are asked with a network of ours.

So a slip in the student's own class is not charged again, a report that follows from nothing is worth nothing, and a
function shows what it makes of each of its arguments: our network notes with what it was made and trained.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.exercise import Challenge, Judge, Probe, Reply, Values, Verdict
from autograder.exercises.shared import moons
from autograder.marking.judges import Truth, remembered, values
from autograder.marking.slips import Slip, explain_slips, first_of


class Network:
    """A network of ours with the methods of the course's own: sent as text, so that functions can train it.

    It holds nothing that is asked anywhere: the hidden units are arctan, the "gradient" is the slope of the loss along
    one random direction, and the penalty is a mean. ``made`` counts the networks, and ``noted`` has a row for every
    training: the number of the network and all arguments.
    """

    made = 0
    noted: list[list[float]] = []  # noqa: RUF012  (this text is sent as it is)
    reg_lambda = 0.0

    def __init__(self, input_size, hidden_size, output_size, *, rng=None, weight_scale=1.0):
        """Without a seed it takes 0: what a function reports never depends on luck."""
        seed = -2 if rng is None else rng if isinstance(rng, (int, np.integer)) else -1
        self.note = [self.made, input_size, hidden_size, output_size, seed, weight_scale]
        type(self).made += 1
        self.rng = np.random.default_rng(0 if rng is None else rng)
        self.W1 = weight_scale * self.rng.standard_normal((hidden_size, input_size))
        self.b1 = np.zeros((hidden_size, 1))
        self.W2 = weight_scale * self.rng.standard_normal((output_size, hidden_size))
        self.b2 = np.zeros((output_size, 1))

    def forward_pass(self, X):
        """Store Z1, A1, Z2, A2 and return A2."""
        self.Z1 = self.W1 @ X + self.b1
        self.A1 = np.arctan(self.Z1)
        self.Z2 = self.W2 @ self.A1 + self.b2
        self.A2 = 1 / (1 + np.exp(-self.Z2))
        return self.A2

    def compute_loss(self, Y):
        """The cross-entropy of the last forward pass, and a penalty."""
        each = np.logaddexp(0, self.Z2) - Y * self.Z2
        return float(each.sum() / Y.shape[1] + self.reg_lambda * np.abs(self.W1).mean())

    def backward_pass(self, X, Y):
        """The slope of the loss along a random direction, times that direction."""
        names, losses = ("W1", "b1", "W2", "b2"), []
        before = [getattr(self, name) for name in names]
        way = [self.rng.integers(0, 2, part.shape) / 2 - 0.25 for part in before]
        for sign in (1, -1):
            for name, part, step in zip(names, before, way):
                setattr(self, name, part + sign * step)
            self.forward_pass(X)
            losses.append(self.compute_loss(Y))
        for name, part, step in zip(names, before, way):
            setattr(self, name, part)
            setattr(self, "d" + name, (losses[0] - losses[1]) * step)

    def update_parameters(self, learning_rate):
        """Move along the direction."""
        for name in ("W1", "b1", "W2", "b2"):
            setattr(self, name, getattr(self, name) - learning_rate * getattr(self, "d" + name))

    def train(self, X, Y, epochs, learning_rate, reg_lambda=0.0):
        """The loss of every epoch, taken before its update."""
        self.reg_lambda, losses = reg_lambda, []
        self.noted.append([*self.note, epochs, learning_rate, X.shape[1], reg_lambda])
        for _ in range(epochs):
            self.forward_pass(X)
            losses.append(self.compute_loss(Y))
            self.backward_pass(X, Y)
            self.update_parameters(learning_rate)
        return losses

    def predict(self, X):
        """Labels."""
        return (self.forward_pass(X) > 0.5).astype(int)


OURS = inspect.getsource(Network)
"""The text of that class, for the settings of a probe."""


NOTED = (
    "number", "input_size", "hidden_size", "output_size", "seed", "weight_scale", "epochs", "learning_rate", "examples",
    "reg_lambda",
)  # fmt: skip
"""What a row of ``noted`` holds."""

Training = Mapping[str, Any]
"""One such row by name."""

NO_SEED, GENERATOR = -2, -1
"""What stands for the seed where there was none, and where there was a generator in its place."""


def noted(values: Values) -> list[Training] | None:
    """The trainings of our network; None where none is noted, or nothing that could be repeated."""
    try:
        found = [dict(zip(NOTED, map(float, row), strict=True)) for row in values["noted"]]
        for one in found:
            one |= {name: int(one[name]) for name in (*NOTED[:5], "epochs", "examples")}
    except (KeyError, OverflowError, TypeError, ValueError):
        return None
    small = all(
        min(one[name] for name in NOTED[1:4]) >= 1
        and max(one[name] for name in NOTED[1:4]) <= 100
        and 1 <= one["epochs"] <= 1000
        for one in found
    )
    return [*found] if 1 <= len(found) <= 20 and small else None


def repeated(trainings: Sequence[Training], data: Values) -> Iterator[tuple[Network, list[float], str]]:
    """Our network after each of these trainings, its losses, and the half of the data that it was trained on."""
    networks: dict[int, Network] = {}
    ours = type("Network", (Network,), {"made": 0, "noted": []})
    for one in trainings:
        half = "_test" if one["examples"] == data["X_test"].shape[1] else ""
        sizes, seed = [one[name] for name in NOTED[1:4]], None if one["seed"] < 0 else one["seed"]
        with np.errstate(all="ignore"):
            made = ours(*sizes, rng=seed, weight_scale=one["weight_scale"])
        network = networks.setdefault(one["number"], made)
        arguments = one["epochs"], one["learning_rate"], one["reg_lambda"]
        with np.errstate(all="ignore"):
            losses = network.train(data[f"X{half}"], data[f"Y{half}"], *arguments)
        yield network, losses, half


def accuracies(network: Network, data: Values) -> tuple[float, float]:
    """The accuracies on the training and on the test data."""
    on_train, on_test = (float(np.mean(network.predict(data[f"X{h}"]) == data[f"Y{h}"])) for h in ("", "_test"))
    return on_train, on_test


def misused(replies: Sequence[Reply], due: Callable[[Values], Sequence[Training]], whole: str) -> Verdict | None:
    """The first argument that does not reach our network as it should; ``whole`` is the one that is our network."""
    for reply in replies:
        found, wanted = noted(reply.values), due(reply.given)
        if found is None:
            return Verdict.named("argument-ignored", title=_IGNORED.format(whole))
        for got, right in zip(found, wanted):
            for name in NOTED:
                if got[name] != right[name] and not (name == "seed" and got[name] == GENERATOR):
                    return _misused(name, got, right)
    return None


_IGNORED = "your function does not use its argument `{}`"


def _misused(name: str, got: Training, right: Training) -> Verdict:
    if name in NOTED[1:4]:
        sizes, asked = (tuple(one[name] for name in NOTED[1:4]) for one in (got, right))
        return Verdict("wrong", message=f"Your network is made with the sizes {sizes}; {asked} are asked for.")
    if name == "seed" and got[name] == NO_SEED:
        return Verdict.named("seed-missing")
    if name in _KNOWN:
        return Verdict.named(_KNOWN[name])
    return Verdict.named("argument-ignored", title=_IGNORED.format(name))


_KNOWN = {
    "number": "same-network-for-every-strength",
    "examples": "trained-on-test-data",
    "weight_scale": "default-weight-scale",
}


# Training on the moons ----------------------------------------------------------------------------------------------


def trained_on_moons(student, given, *, cls, ours):
    """What ``train_on_moons`` reports of a network of ours, and how it made and trained that.

    Where it trains another one, the student's own class is trained directly: are these its numbers?
    """
    epochs, rate, seed = int(given["epochs"]), float(given["learning_rate"]), int(given["seed"])
    X, Y, X_test, Y_test = given["X"], given["Y"], given["X_test"], given["Y_test"]
    scope = {"np": np}
    exec(ours, scope)
    reported = student.train_on_moons(scope["Network"], epochs, rate, seed)
    if not isinstance(reported, (tuple, list, np.ndarray)) or len(reported) != 3:
        raise ValueError("train_on_moons must return three numbers: final loss, training and test accuracy")
    yield {"final_loss": reported[0], "train_accuracy": reported[1], "test_accuracy": reported[2]}
    yield {"noted": scope["Network"].noted}
    if not scope["Network"].noted:
        net = getattr(student, cls)(2, 4, 1, rng=seed)
        losses = net.train(X, Y, epochs, rate)
        yield {"own_first": float(losses[0]), "own_last": float(losses[-1])}
        yield {"own_train": float(np.mean((net.forward_pass(X) > 0.5) == (Y > 0.5)))}
        yield {"own_test": float(np.mean((net.forward_pass(X_test) > 0.5) == (Y_test > 0.5)))}


def report_on_moons(cls: str, trainings: Sequence[tuple[int, float]]) -> tuple[Probe, Judge]:
    """What asks for the report at some numbers of epochs and learning rates, and how it is marked."""

    def drawn(rng: np.random.Generator) -> list[Challenge]:
        fixed = ({"epochs": np.array(epochs), "learning_rate": np.array(rate)} for epochs, rate in trainings)
        return [Challenge(moons() | one | {"seed": rng.integers(1, 10_000)}) for one in fixed]

    probe = Probe(trained_on_moons, drawn, {"cls": cls, "ours": OURS}, "training")
    judge = values(reported, follow=follow_report, explain=first_of(explain_report, explain_slips(REPORT_SLIPS)))
    return probe, judge


@remembered
def reported(given: Values) -> dict[str, Any]:
    """The right report of our network; ``final_loss`` is the last that ``train`` returns, before its update."""
    return _report(given, wanted(given))


def wanted(given: Values) -> list[Training]:
    """With what the network has to be made and trained."""
    rest = float(given["learning_rate"]), given["X"].shape[1], 0.0
    return [dict(zip(NOTED, (0, 2, 4, 1, int(given["seed"]), 1.0, int(given["epochs"]), *rest), strict=True))]


def _report(given: Values, trainings: Sequence[Training]) -> dict[str, Any]:
    *_, (network, losses, half) = repeated(trainings, given)
    on_train, on_test = accuracies(network, given)
    network.forward_pass(given[f"X{half}"])
    return {
        "final_loss": losses[-1],
        "first_loss": losses[0],
        "loss_after": network.compute_loss(given[f"Y{half}"]),
        "train_accuracy": on_train,
        "test_accuracy": on_test,
    }


def follow_report(given: Values, own: Values) -> Sequence[Mapping[str, Any]]:
    """The loss may be taken before or after the last update.

    Where an argument is not used as it should be, the loss is charged with that, and the accuracies follow. So they do
    where the network is not of the class that is handed over, if it is one that learned something.
    """
    exact, trainings = reported(given), noted(own)
    readings: list[Mapping[str, Any]] = [{**exact, "final_loss": exact["loss_after"]}]
    if trainings and trainings != wanted(given):
        readings.append({**_report(given, trainings), "final_loss": np.nan})
    if "own_test" in own and own["own_last"] < own["own_first"] and own["own_train"] > _always_one_answer(given):
        readings.append({"train_accuracy": own["own_train"], "test_accuracy": own["own_test"], "final_loss": np.nan})
    return readings


def _always_one_answer(given: Values) -> float:
    share = float(np.mean(given["Y"]))
    return max(share, 1 - share)


def explain_report(replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """Which argument is not used as it should be: it is charged at the loss."""
    verdict = misused(replies, wanted, "network_class")
    return {"final_loss": verdict} if verdict else {}


def accuracy_slips(truth: Truth) -> Iterator[Slip]:
    """Known wrong accuracies: in percent, or those of the other half of the data."""
    for name, other in (("train_accuracy", "test_accuracy"), ("test_accuracy", "train_accuracy")):
        yield Slip("percent", name, lambda v, name=name: 100 * truth(v.given)[name])
        yield Slip("tested-on-training-data", name, lambda v, other=other: truth(v.given)[other])


def shares_of_wrong(truth: Truth) -> Iterator[Slip]:
    """The shares of wrong answers in the place of accuracies."""
    for name in ("train_accuracy", "test_accuracy"):
        yield Slip("share-of-wrong", name, lambda v, name=name: 1 - truth(v.given)[name])


REPORT_SLIPS = (
    Slip("first-loss", "final_loss", lambda v: reported(v.given)["first_loss"]),
    *accuracy_slips(reported),
    *shares_of_wrong(reported),
)
"""Wrong reports of a training that is right."""
