"""A network that students write, described once: its class, its layers, its loss. The questions follow from that.

A :class:`NetworkTask` knows the exact values, what follows from a student's own, and the grammar of mistakes; each of
its methods is one kind of question about the class. Probes are sent as text, with the settings as their defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from autograder.diagnosis import Spec
from autograder.exercise import Challenge, Judge, Line, Probe, Question, Values
from autograder.exercises.reports import report_on_moons
from autograder.exercises.shared import (
    draw_point,
    follow_network,
    gradient_challenges,
    keeping_parameters,
    network_for,
    returning,
)
from autograder.marking.compare import compare
from autograder.marking.gradients import explain_gradients
from autograder.marking.judges import Explain, remembered, values
from autograder.marking.slips import At, Slip, explain_slips, first_of, worked_out
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


def asked_at_a_point(student, given, *, cls, numbers, read, what):
    """What the class computes at given parameters, in the order in which it does; an error loses what comes later.

    Activations are read before anything else can change them.
    """
    net = getattr(student, cls)(given["W1"].shape[1], given["W1"].shape[0], given["W2"].shape[0])
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
        try:
            net.backward_pass(given["X"], given["Y"])
        finally:
            yield {name: getattr(net, name, None) for name in ("dW2", "db2", "dW1", "db1")}
            yield {name + "_after": getattr(net, name, None) for name in ("W1", "b1", "W2", "b2")}


def updated(student, given, *, cls):
    """The parameters after one update with gradients that are given."""
    net = getattr(student, cls)(given["W1"].shape[1], given["W1"].shape[0], given["W2"].shape[0])
    for name in ("W1", "b1", "W2", "b2"):
        setattr(net, name, given[name].copy())
        setattr(net, "d" + name, given["d" + name].copy())
    net.update_parameters(float(given["learning_rate"]))
    return {name + "_new": getattr(net, name, None) for name in ("W1", "b1", "W2", "b2")}


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
    grammar; the class then has a strength ``reg_lambda``. ``own_forward`` says that the forward pass is the student's:
    what follows from their own activations is right then. ``drawn`` draws the points at which the class is asked, and
    ``slips`` are known wrong values that the grammar does not know. ``adjust`` may change the verdicts of the grammar.
    """

    cls: str
    activations: tuple[str, str]
    loss: str
    penalty: str = "none"
    own_forward: bool = True
    drawn: Callable[[np.random.Generator], Sequence[Challenge]] | None = None
    slips: Sequence[Slip] = ()
    adjust: Callable[[Explain], Explain] | None = None

    # What is true and what follows

    def network(self, given: Values) -> Network:
        """The symbolic network for the shapes of a challenge."""
        return network_for(given, self.activations, self.loss, penalty=self.penalty != "none")

    @cached_property
    def truth(self) -> Callable[[Values], Mapping[str, np.ndarray]]:
        """Exact activations, loss and gradients; ``forward_pass`` returns the output activations."""
        return remembered(lambda given: returning(self.network(given).evaluate(given)))

    def follow(self, given: Values, own: Values) -> Sequence[Mapping[str, np.ndarray]]:
        """What follows from the student's own activations."""
        return [returning(results, own) for results in follow_network(self.network(given), given, own)]

    @cached_property
    def judge(self) -> Judge:
        """Marks against the exact values or what follows, with the mistakes of the grammar."""
        explain = explain_gradients(Spec(self.activations[:-1], self.activations[-1], self.loss, self.penalty))
        explain = self.adjust(explain) if self.adjust else explain
        if self.slips:
            explain = first_of(explain, explain_slips(self.slips))
        return values(self.truth, follow=self.follow if self.own_forward else None, explain=explain, of="self")

    # What is asked

    def points(self, rng: np.random.Generator) -> Sequence[Challenge]:
        """One shown and three hidden points, as they are drawn for every network."""
        return gradient_challenges(rng, self.activations, self.loss)

    @cached_property
    def probes(self) -> Mapping[str, Probe]:
        """What asks the class at every point for its ``forward`` pass, its ``loss`` or its ``gradients``."""
        settings = {
            "cls": self.cls,
            "numbers": ("reg_lambda",) if self.penalty != "none" else (),
            "read": FORWARD if self.own_forward else (),
        }
        draw = self.drawn or self.points
        without_targets = partial(_keeping, draw, "Y")
        return {
            what: Probe(asked_at_a_point, drawn, settings | {"what": what}, what)
            for what, drawn in (("forward", without_targets), ("loss", draw), ("gradients", draw))
        }

    def forward(self, id: str, title: str, **points: float) -> Question:
        """Activations of both layers, and what ``forward_pass`` returns."""
        return Question(id, title, lines(points), self.probes["forward"], self.judge)

    def loss_value(self, id: str, title: str, slips: Sequence[Slip] = (), **points: float) -> Question:
        """The value of ``compute_loss``; with ``slips`` it is no matter of the grammar."""
        judge = values(self.truth, explain=explain_slips(slips)) if slips else self.judge
        return Question(id, title, lines(points), self.probes["loss"], judge)

    def gradients(self, id: str, title: str, *, keeping: Sequence[str] | None = (), **points: float) -> Question:
        """Gradients of any layers; an error of the backward pass does not lose those that were stored before it.

        A backward pass that moves parameters costs half of the last line, unless a gradient of the question, or one of
        the others that ``keeping`` names, is wrong. None asks nothing about that.
        """
        judge = self.judge
        if keeping is not None:
            judge = keeping_parameters(judge, others=[Line(name, 0) for name in keeping])
        return Question(id, title, lines(points), self.probes["gradients"], judge)

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
        return Question(id, title, lines(points, labels), Probe(updated, drawn, {"cls": self.cls}, "update"), judge)

    @cached_property
    def moved(self) -> Callable[[Values], Mapping[str, np.ndarray]]:
        """theta - learning_rate * dtheta, with the gradients that are given."""

        def truth(given: Values) -> Mapping[str, np.ndarray]:
            net = self.network(given)
            data = {"X": np.zeros((net.sizes[0], 1)), "Y": np.zeros((net.sizes[-1], 1))}
            return net.evaluate(data | given, {f"d{name}": given[f"d{name}"] for name in PARAMETERS})

        return remembered(truth)

    def follow_update(self, given: Values, own: Values) -> Sequence[Mapping[str, np.ndarray]]:
        """The other parameters moved like W1 is, when that is a known wrong move: charged once.

        A parameter that is not moved at all is charged for each: nothing has been written for it.
        """
        readings = []
        for mistake, formula in UPDATES:
            wrong = {f"{name}_new": worked_out(formula.format(theta=name), At(given, {})) for name in PARAMETERS}
            first = wrong.pop("W1_new")
            if mistake != "parameter-never-updated" and compare(own.get("W1_new"), first).equal:
                readings.append({**self.moved(given), **wrong})
        return readings

    def report_on_moons(
        self, id: str, title: str, *, trainings: Sequence[tuple[int, float]], **points: float
    ) -> Question:
        """What ``train_on_moons`` reports of a network of ours, for some numbers of epochs and learning rates."""
        return Question(id, title, lines(points), *report_on_moons(self.cls, trainings))
