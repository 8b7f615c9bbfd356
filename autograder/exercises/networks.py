"""A network that students write, described once: its class, its layers, its loss. The questions follow from that.

A :class:`NetworkTask` knows the exact values, what follows from a student's own, and the grammar of mistakes; each of
its methods is one kind of question about the class. Probes are sent as text, with the settings as their defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from autograder.diagnosis import Spec
from autograder.exercise import Challenge, Judge, Line, Probe, Question, Values
from autograder.exercises.reports import report_on_moons
from autograder.exercises.shared import (
    asked_again,
    draw_point,
    follow_network,
    gradient_challenges,
    keeping_parameters,
    network_for,
    returning,
    same_gradients_again,
)
from autograder.marking.compare import compare
from autograder.marking.differences import noting_differences
from autograder.marking.gradients import explain_gradients
from autograder.marking.judges import remembered, values
from autograder.marking.slips import (
    At,
    Slip,
    compiled,
    explain_slips,
    first_of,
    gives,
    slope,
    value_of,
    worked_out,
)
from autograder.truth import Network

FORWARD = ("Z1", "A1", "Z2", "A2")
PARAMETERS = ("W1", "b1", "W2", "b2")

LABELS = {
    "Z1": "Z1, hidden pre-activations",
    "A1": "A1, hidden activations",
    "Z2": "Z2, output pre-activations",
    "A2": "A2, outputs",
    "returned": "the value that forward_pass returns",
    "final_loss": "final loss",
    "train_accuracy": "training accuracy",
    "test_accuracy": "test accuracy",
}
"""What people call a line, where its name does not say it."""


def lines(points: Mapping[str, float], labels: Mapping[str, str] = LABELS) -> tuple[Line, ...]:
    """One line for every name, with its points."""
    return tuple(Line(name, worth, labels.get(name, name)) for name, worth in points.items())


# What is asked ------------------------------------------------------------------------------------------------------


def asked_at_a_point(student, given, *, cls, extra, numbers, read, what):
    """What the class computes at given parameters, in the order in which it does; an error loses what comes later.

    Activations are read before anything else can change them. The gradients of one point are asked a second time, of
    the same network, as training does.
    """
    import contextlib

    sizes = given["W1"].shape[1], given["W1"].shape[0], given["W2"].shape[0]
    net = getattr(student, cls)(*sizes, *(given[name].copy() for name in extra))
    for name in ("W1", "b1", "W2", "b2"):
        setattr(net, name, given[name].copy())
    for name in numbers:
        setattr(net, name, float(given[name]))
    returned = net.forward_pass(given["X"])
    yield {name: getattr(net, name, None) for name in read}
    if what == "forward":
        yield {"returned": returned}
    if what == "loss":
        loss = net.compute_loss(given["Y"])
        yield {"loss": loss.reshape(()) if isinstance(loss, np.ndarray) and loss.size == 1 else loss}
    if what == "gradients":
        with contextlib.suppress(Exception):  # the question about the loss tells the student
            yield {"own_loss": net.compute_loss(given["Y"])}
        passes, kind, forward = [], type(net), type(net).forward_pass

        def counted(self, *args, **options):
            passes.append(1)
            return forward(self, *args, **options)

        kind.forward_pass = counted
        try:
            net.backward_pass(given["X"], given["Y"])
        finally:
            kind.forward_pass = forward
            yield {"forward_passes": len(passes)}
            yield {name: getattr(net, name, None) for name in ("dW2", "db2", "dW1", "db1")}
            yield {name + "_after": getattr(net, name, None) for name in ("W1", "b1", "W2", "b2")}
        if given.get("again"):  # an update of rate 0 lies between: it may set gradients to zero
            names = ("W1", "b1", "W2", "b2")
            try:
                with contextlib.suppress(Exception):
                    net.update_parameters(0.0)
                for name in names:
                    setattr(net, name, given[name].copy())
                net.forward_pass(given["X"])
                net.backward_pass(given["X"], given["Y"])
                yield {"d" + name + "_again": getattr(net, "d" + name, None) for name in names}
            except Exception as error:
                yield {"d" + name + "_again": type(error).__name__ for name in names}


def updated(student, given, *, cls):
    """The parameters after one update with gradients that are given."""
    net = getattr(student, cls)(given["W1"].shape[1], given["W1"].shape[0], given["W2"].shape[0])
    for name in ("W1", "b1", "W2", "b2"):
        setattr(net, name, given[name].copy())
        setattr(net, "d" + name, given["d" + name].copy())
    net.update_parameters(float(given["learning_rate"]))
    return {name + "_new": getattr(net, name, None) for name in ("W1", "b1", "W2", "b2")}


# Wrong losses -------------------------------------------------------------------------------------------------------

SQUARED_ERROR = (
    ("half-in-loss", "sum(w * (A2 - Y)**2) / m / 2"),
    ("loss-mean-over-outputs", "sum(w * (A2 - Y)**2) / m / n_out"),
    ("loss-summed-over-examples", "sum(w * (A2 - Y)**2)"),
    ("root-of-loss", "sqrt(sum(w * (A2 - Y)**2) / m)"),
    ("absolute-error-in-loss", "sum(w * abs(A2 - Y)) / m"),
    ("not-squared", "sum(w * (A2 - Y)) / m"),
    ("cross-entropy-in-loss", "sum(Y * logaddexp(0, -Z2) + (1 - Y) * logaddexp(0, Z2)) / m"),
)
"""Wrong values of the mean squared error, sum(w * (A2 - Y)**2) / m with weights w of the outputs."""

WEIGHTED_ERROR = (
    *SQUARED_ERROR,
    ("output-weights-missing", "sum((A2 - Y)**2) / m"),
    ("output-weights-squared", "sum((w * (A2 - Y))**2) / m"),
    ("output-weights-normalised", "sum(w * (A2 - Y)**2) / m / sum(w)"),
)
"""The same for an error with a weight for every output."""


# Wrong forward passes ------------------------------------------------------------------------------------------------

_ACTIVATIONS = {"sigmoid": "sigma({0})", "tanh": "tanh({0})", "relu": "maximum({0}, 0)"}


def exchanged(z: str, a: str, sums: str, activation: str) -> tuple[Slip, Slip]:
    """The activation ``a`` stands where the pre-activation ``z`` belongs, and the other way round."""
    active = activation.format(f"({sums})")
    return (
        Slip("activation-and-pre-activation-exchanged", z, f"where(abs({a} - ({sums})) < 1e-4, {active}, {z} + 1)"),
        Slip("activation-and-pre-activation-exchanged", a, f"where(abs({z} - {active}) < 1e-4, {sums}, {a} + 1)"),
    )


def forward_slips(hidden: str, output: str) -> tuple[Slip, ...]:
    """Wrong pre-activations and activations of a network with one hidden layer."""
    found = [
        Slip("bias-forgotten", "Z1", "W1 @ X"),
        Slip("bias-forgotten", "Z2", "W2 @ A1"),
        Slip("pre-activations-for-activations", "Z2", "W2 @ Z1 + b2"),
    ]
    for name, z, activation in (("A1", "Z1", hidden), ("A2", "Z2", output)):
        if activation != "linear":
            found.append(Slip("activation-forgotten", name, z))
        if activation in ("sigmoid", "tanh"):
            once = _ACTIVATIONS[activation]
            found += exchanged(z, name, {"Z1": "W1 @ X + b1", "Z2": "W2 @ A1 + b2"}[z], once)
            found.append(Slip("activation-applied-twice", name, once.format(once.format(z))))
    if hidden in _ACTIVATIONS and hidden not in (output, "sigmoid"):
        found.append(Slip("hidden-activation-on-output", "A2", _ACTIVATIONS[hidden].format("Z2")))
    return tuple(found)


# Wrong updates ------------------------------------------------------------------------------------------------------

UPDATES = (
    ("sign-flipped", "{theta} + learning_rate * d{theta}"),
    ("learning-rate-missing", "{theta} - d{theta}"),
    ("learning-rate-squared", "{theta} - learning_rate**2 * d{theta}"),
    ("parameter-never-updated", "{theta}"),
    ("parameter-assigned-not-updated", "-learning_rate * d{theta}"),
    ("parameter-assigned-not-updated", "learning_rate * d{theta}"),
)
"""Wrong updates of one parameter, each with the id of its mistake."""

UPDATE_SLIPS = tuple(
    Slip(mistake, f"{name}_new", formula.format(theta=name)) for name in PARAMETERS for mistake, formula in UPDATES
)


def moved_alike(given: Values, own: Values, first: str) -> Iterator[Mapping[str, np.ndarray]]:
    """The other parameters moved like the first one is, when that is a known wrong move: charged once.

    A parameter that is not moved at all is charged for each: nothing has been written for it.
    """
    for mistake, formula in UPDATES:
        wrong = {f"{name}_new": worked_out(formula.format(theta=name), At(given, {})) for name in PARAMETERS}
        if compare(own.get(first), wrong.pop(first)).equal and mistake != "parameter-never-updated":
            yield wrong


# What follows from one description ----------------------------------------------------------------------------------


def _keeping(
    draw: Callable[[np.random.Generator], Sequence[Challenge]], name: str, rng: np.random.Generator
) -> list[Challenge]:
    """The same challenges, with one of their values for the judge alone."""
    return [challenge.keeping(name) for challenge in draw(rng)]


@dataclass(frozen=True, eq=False)
class NetworkTask:
    """The class that a student writes, and what it has to compute.

    ``activations`` and ``loss`` are those of :class:`autograder.truth.Network`. ``penalty`` names the one of the
    grammar; the class then has a strength ``reg_lambda``. ``extra`` names what else it is made with. ``own_forward``
    says that the forward pass is the student's: what follows from their own activations is right then. ``losses`` are
    known wrong losses, each the id of a mistake and a formula; it may use ``data``, the exact loss without its
    penalty, and ``w``, the weights of the outputs. One of them is charged where the loss is asked, and the gradients
    may be those of that loss. ``drawn`` draws the points at which the class is asked, and ``slips`` are other wrong
    values that the grammar does not know.
    """

    cls: str
    activations: tuple[str, str]
    loss: str
    penalty: str = "none"
    extra: tuple[str, ...] = ()
    own_forward: bool = True
    losses: Sequence[tuple[str, str]] = ()
    drawn: Callable[[np.random.Generator], Sequence[Challenge]] | None = None
    slips: Sequence[Slip] = ()

    # What is true and what follows

    def network(self, given: Values) -> Network:
        """The symbolic network for the shapes of a challenge."""
        return network_for(given, self.activations, self.loss, penalty=self.penalty != "none")

    @cached_property
    def truth(self) -> Callable[[Values], Mapping[str, np.ndarray]]:
        """Exact activations, loss and gradients; ``forward_pass`` returns the output activations."""
        return remembered(lambda given: returning(self.network(given).evaluate(given)))

    def follow(self, given: Values, own: Values) -> Sequence[Mapping[str, np.ndarray]]:
        """What follows from the student's own activations, and from their own loss where it is a known wrong one."""
        readings = list(follow_network(self.network(given), given, own))
        if (theirs := own.get("own_loss", own.get("loss"))) is not None:
            at = self._at(given, own)
            for _, formula in self.losses:
                if gives(theirs, value_of(formula, at)):
                    readings.append({**readings[0], **self._gradients_of(formula, at)})
        return [returning(results, own) for results in readings]

    def _at(self, given: Values, own: Values) -> At:
        """What a formula of a wrong loss may use."""
        data, m = self.truth(given)["loss"], given["X"].shape[1]
        if self.penalty != "none":
            data = data - given["reg_lambda"] / (2 * m) * (np.sum(given["W1"] ** 2) + np.sum(given["W2"] ** 2))
        known = {"data": data, "w": given.get("output_weights", 1.0), "n_out": len(given["W2"])}
        return At({**given, **known}, own)

    def _gradients_of(self, formula: str, at: At) -> Mapping[str, np.ndarray]:
        """The gradients of a wrong loss: its own slope at A2 carried back, and its slopes at the parameters themselves.

        None where the formula has no slope of its own, or cannot be differentiated.
        """
        known = {name: value for name, value in at.own.items() if name[0] in "ZA"}
        network = network_for(at.given, self.activations, self.loss)
        names = compiled(formula).co_names
        if not {"A2", *PARAMETERS} & set(names):
            return {}
        try:
            if "A2" in names:
                known["dA2"] = at["X"].shape[1] * slope(formula, at, "A2")
            found = network.evaluate(at.given, known, exact=False)
            direct = {f"d{name}": slope(formula, at, name) for name in PARAMETERS if name in names}
        except (AttributeError, KeyError, TypeError, ValueError):
            return {}
        return {f"d{name}": found[f"d{name}"] + direct.get(f"d{name}", 0) for name in PARAMETERS}

    @cached_property
    def judge(self) -> Judge:
        """Marks against the exact values or what follows, with the mistakes of the grammar."""
        explain = explain_gradients(Spec(self.activations[:-1], self.activations[-1], self.loss, self.penalty))
        wrong_losses = (Slip(id, "loss", partial(self._loss, formula)) for id, formula in self.losses)
        explain = first_of(explain, explain_slips((*self.slips, *forward_slips(*self.activations), *wrong_losses)))
        return values(self.truth, follow=self.follow, explain=explain, of="self")

    def _loss(self, formula: str, at: At) -> float:
        return worked_out(formula, self._at(at.given, at.own))

    # What is asked

    def points(self, rng: np.random.Generator) -> Sequence[Challenge]:
        """One shown and three hidden points, as they are drawn for every network."""
        return gradient_challenges(rng, self.activations, self.loss)

    @cached_property
    def probes(self) -> Mapping[str, Probe]:
        """What asks the class at every point for its ``forward`` pass, its ``loss`` or its ``gradients``."""
        settings = {
            "cls": self.cls,
            "extra": self.extra,
            "numbers": ("reg_lambda",) if self.penalty != "none" else (),
            "read": FORWARD if self.own_forward else (),
        }
        draw = self.drawn or self.points
        without_targets = partial(_keeping, draw, "Y")
        return {
            what: Probe(asked_at_a_point, drawn, settings | {"what": what}, what)
            for what, drawn in (("forward", without_targets), ("loss", draw), ("gradients", partial(asked_again, draw)))
        }

    def forward(self, id: str, title: str, **points: float) -> Question:
        """Activations of both layers, and what ``forward_pass`` returns."""
        return Question(id, title, lines(points), self.probes["forward"], self.judge, self.network)

    def loss_value(self, id: str, title: str, **points: float) -> Question:
        """The value of ``compute_loss``."""
        return Question(id, title, lines(points), self.probes["loss"], self.judge, self.network)

    def gradients(self, id: str, title: str, *, keeping: Sequence[str] | None = (), **points: float) -> Question:
        """Gradients of any layers; an error of the backward pass does not lose those that were stored before it.

        A backward pass that moves parameters costs half of the last line, unless a gradient of the question, or one of
        the others that ``keeping`` names, is wrong. None asks nothing about that. Other gradients at a second call cost
        the least line.
        """
        judge = noting_differences(self.judge)
        if keeping is not None:
            judge = keeping_parameters(judge, others=[Line(name, 0) for name in keeping])
        judge = same_gradients_again(judge)
        return Question(id, title, lines(points), self.probes["gradients"], judge, self.network)

    def update(self, id: str, title: str, **points: float) -> Question:
        """One update with given gradients."""

        def drawn(rng: np.random.Generator) -> list[Challenge]:
            found = []
            for sizes, rate in (((3, 4, 2), 0.3), ((2, 5, 3), 0.7), ((4, 3, 2), 1.6)):
                at, other = (draw_point(rng, sizes, self.activations, self.loss, 1) for _ in range(2))
                given = {name: at[name] for name in PARAMETERS} | {f"d{name}": other[name] for name in PARAMETERS}
                found.append(Challenge(given | {"learning_rate": np.array(rate)}))
            return found

        judge = values(self.moved, follow=self.follow_update, explain=explain_slips(UPDATE_SLIPS), of="self")
        labels = {f"{name}_new": f"{name} after the update" for name in PARAMETERS}
        probe = Probe(updated, drawn, {"cls": self.cls}, "update")
        return Question(id, title, lines(points, labels), probe, judge, self.network)

    @cached_property
    def moved(self) -> Callable[[Values], Mapping[str, np.ndarray]]:
        """theta - learning_rate * dtheta, with the gradients that are given."""

        def truth(given: Values) -> Mapping[str, np.ndarray]:
            net = self.network(given)
            data = {"X": np.zeros((net.sizes[0], 1)), "Y": np.zeros((net.sizes[-1], 1))}
            return net.evaluate({**data, **given}, {f"d{name}": given[f"d{name}"] for name in PARAMETERS})

        return remembered(truth)

    def follow_update(self, given: Values, own: Values) -> Sequence[Mapping[str, np.ndarray]]:
        """What follows from the way in which W1 is moved."""
        return [{**self.moved(given), **wrong} for wrong in moved_alike(given, own, "W1_new")]

    def report_on_moons(
        self, id: str, title: str, *, trainings: Sequence[tuple[int, float]], **points: float
    ) -> Question:
        """What ``train_on_moons`` reports of a network of ours, for some numbers of epochs and learning rates."""
        return Question(id, title, lines(points), *report_on_moons(self.cls, trainings))
