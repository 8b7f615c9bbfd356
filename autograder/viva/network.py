"""Questions about a network that a student has written: its units, its examples, and what a small change does to it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograder.exercise import Exercise, Probe, Question, Values
from autograder.marking.compare import compare
from autograder.marking.judges import usable
from autograder.truth import Network
from autograder.truth.functions import SCALAR
from autograder.views.viva import Asked, short
from autograder.viva.changes import STEPS, Nudge, both, doubled, nudged, shows
from autograder.viva.points import drawn_network, hidden_points, moved, single, stream, twice, until

GRADIENTS = ("dW1", "db1", "dW2", "db2")


@dataclass(frozen=True)
class Plan:
    """What the class is asked: one point, and the same point changed in several ways."""

    exercise: str
    network: Network
    probe: Probe
    point: Values
    nudges: tuple[Nudge, ...]
    of: str

    @property
    def points(self) -> list[Values]:
        """Everything that is asked, in order: as it is, twice, moved, and each example alone."""
        changed = [moved(self.point, one.name, one.at, one.by) for one in self.nudges]
        alone = [single(self.point, k) for k in range(self.point["X"].shape[1])]
        return [self.point, twice(self.point), *changed, *alone]


def plan(exercise: Exercise, probes: Collection[str], seed: int, student: str) -> Plan | None:
    """A point of the student's own for the class of this exercise; None where no backward pass of a class is there.

    The probe is the one that marks the gradients; it reads the activations, too. ``probes`` names those that found
    something to mark.
    """
    question = next((one for one in exercise.questions if asks_gradients(one) and one.probe.name in probes), None)
    if question is None or question.network is None:
        return None
    rng = stream(seed, student, exercise.name, "network")
    example = hidden_points(question.probe, rng)[0]
    declared = question.network(example)
    network = replace(declared, sizes=_sizes(drawn_network(declared, example, rng)))
    point = until(lambda: drawn_network(declared, example, rng), lambda one: _tells(network, one))
    if point is None:
        return None
    read = ("Z1", "A1", "Z2", "A2")
    probe = replace(question.probe, settings={**question.probe.settings, "read": read}, called="viva")
    nudges = [_nudge(network, point, rng, told) for told in (True, False)]
    of = str(question.probe.settings["cls"])
    return Plan(exercise.name, network, probe, point, tuple(one for one in nudges if one), of)


def asks_gradients(question: Question) -> bool:
    """Whether a question is about the backward pass of a class."""
    settings = question.probe.settings
    return settings.get("what") == "gradients" and {"read", "cls"} <= settings.keys()


def _sizes(point: Values) -> tuple[int, ...]:
    layers = sum(name[0] == "W" for name in point)
    return (point["W1"].shape[1], *(point[f"W{layer}"].shape[0] for layer in range(1, layers + 1)))


def slopes(network: Network, point: Values, *, exact: bool = True) -> np.ndarray:
    """The derivative of the hidden activation at every unit and example."""
    ones = np.ones((network.sizes[1], point["X"].shape[1]))
    return network.evaluate(point, {"dA1": ones}, exact=exact)["dZ1"]


def _least(values: np.ndarray) -> int | None:
    """The place of the one smallest size, by a clear margin."""
    size = np.abs(values)
    order = np.argsort(size)
    return int(order[0]) if size[order[0]] < 0.6 * size[order[1]] else None


def _most(values: np.ndarray) -> int | None:
    size = np.abs(values)
    order = np.argsort(-size)
    return int(order[0]) if size[order[0]] > 1.25 * size[order[1]] else None


def _tells(network: Network, point: Values) -> bool:
    """Whether questions at this point have one answer, and no unit stands at a kink."""
    found = network.evaluate(point, exact=False)
    slope = slopes(network, point, exact=False)
    clear = any(_least(column) is not None for column in slope.T)
    return clear and bool(np.all(np.abs(found["Z1"]) > 0.2)) and (
        len(found["dZ2"]) > 1 or _most(found["dZ2"][0]) is not None
    )  # fmt: skip


def _nudge(network: Network, point: Values, rng: np.random.Generator, told: bool) -> Nudge | None:
    """A change of a parameter that shows in the loss; without ``told`` one that can be worked out from A2 and Y."""
    before = network.evaluate(point, exact=False)
    last = f"b{network.depth}"
    names = rng.permutation(network.parameters) if told else [last]
    for name in names:
        at = tuple(int(rng.integers(size)) for size in np.shape(point[name]))
        one = Nudge(str(name), (at[0], at[1]), float(rng.choice(STEPS)), told)
        after = network.evaluate(moved(point, one.name, one.at, one.by), exact=False)
        if shows(before[f"d{name}"][one.at] * one.by, (float(before["loss"]), float(after["loss"]))):
            return one
    return None


def asked(plan: Plan, answers: Sequence[Values]) -> Iterator[Asked]:
    """The questions, from what the student's code answered at the points of the plan.

    They are about the network that the forward pass is of: where it fits none, nothing is asked about it.
    """
    own = [usable(answer) for answer in answers]
    network = _fitting(plan, own)
    if network is None:
        return
    exact = [network.evaluate(point) for point in plan.points]
    yield from _unit(plan, network)
    alone = len(plan.nudges) + 2
    yield from _example(plan, exact, own[0], own[alone:], exact[alone:])
    for name in GRADIENTS:
        if _has(own[0], exact[0], name):
            yield from _twice(plan, network, name, exact, own)
    for number, nudge in enumerate(plan.nudges, 2):
        name = f"d{nudge.name}"
        if "own_loss" in own[0] and "own_loss" in own[number] and _has(own[0], exact[0], name):
            yield from _nudged(plan, nudge, exact[0], exact[number], own[0], own[number])


def _has(own: Mapping[str, np.ndarray], exact: Mapping[str, np.ndarray], name: str) -> bool:
    return name in own and own[name].shape == exact[name].shape


def _fitting(plan: Plan, own: Sequence[Mapping[str, np.ndarray]]) -> Network | None:
    """The network that the student's forward pass is of: the declared one, or one with another hidden activation."""
    others = [replace(plan.network, activations=(name, *plan.network.activations[1:])) for name in SCALAR]
    for network in [plan.network, *others]:
        exact = [network.evaluate(point, exact=False) for point in plan.points[:2]]
        if all(compare(mine.get(name), one[name]).equal
               for mine, one in zip(own, exact) for name in ("A1", "A2")):  # fmt: skip
            return network
    return None


def _unit(plan: Plan, network: Network) -> Iterator[Asked]:
    slope, at = slopes(network, plan.point), network.evaluate(plan.point)
    k = next((k for k, column in enumerate(slope.T) if _least(column) is not None), None)
    if k is None or network.activations[0] == "linear":
        return
    unit = _least(slope[:, k])
    assert unit is not None
    z, a, least = at["Z1"][unit, k], at["A1"][unit, k], slope[unit, k]
    what = "is off" if least == 0 else "is nearly saturated" if least < 0.1 else "lets least through"
    others = ", ".join(short(one) for one in np.delete(slope[:, k], unit))
    yield Asked(
        "unit", 1, plan.exercise,
        f"Example {k + 1} goes through your `{plan.of}` with these numbers. Which hidden unit lets the least of the "
        "error back, and what does that mean for its row of `dW1`?",
        f"Unit {unit + 1} {what}: z = {short(z)}, a = {short(a)}, and the slope there is {short(least)}; the others "
        f"have {others}. From this example its row of `dW1` gets the error times that slope: "
        f"{'nothing' if least == 0 else 'little'}.",
        tables=((f"x, example {k + 1}", plan.point["X"][:, [k]]), ("W1", plan.point["W1"]), ("b1", plan.point["b1"])),
        check={"point": plan.point, "k": k, "unit": unit, "slopes": slope[:, k]},
    )  # fmt: skip


def _example(
    plan: Plan, exact: Sequence[Values], all_of_them: Mapping[str, np.ndarray],
    own: Sequence[Mapping[str, np.ndarray]], alone: Sequence[Values],
) -> Iterator[Asked]:  # fmt: skip
    signal = exact[0]["dZ2"]
    k = _most(signal[0])
    if len(signal) > 1 or k is None or not all(_has(mine, one, "db2") for mine, one in zip(own, alone)):
        return
    theirs = [float(mine["db2"].item()) for mine in own]
    whole = float(all_of_them["db2"].item()) if _has(all_of_them, exact[0], "db2") else None
    same = both(np.array(theirs), signal[0]) and (whole is None or both(np.array([whole]), exact[0]["db2"].ravel()))
    due, way = float(exact[0]["db2"].item()), "up" if exact[0]["db2"].item() < 0 else "down"
    told = ", ".join(short(one) for one in signal[0])
    yield Asked(
        "example", 1, plan.exercise,
        f"Your `{plan.of}` answers `A2` to four examples, whose targets are `Y`. Which example counts most in `db2`? "
        "Which way does a step of gradient descent move `b2`?",
        f"Example {k + 1}: the error signals dZ2 are {told}. Their mean is db2 = {short(due)}, so b2 goes {way}.",
        own="" if same else (
            f"Their own code gives db2 = {', '.join(map(short, theirs))} for the examples one at a time"
            + ("." if whole is None else f", and {short(whole)} for all.")
        ),
        tables=(("A2", exact[0]["A2"]), ("Y", plan.point["Y"])),
        check={"point": plan.point, "k": k, "signals": signal[0], "own": theirs},
    )  # fmt: skip


def _twice(
    plan: Plan, network: Network, name: str, exact: Sequence[Values], own: Sequence[Mapping[str, np.ndarray]]
) -> Iterator[Asked]:
    if not _has(own[1], exact[1], name):
        return
    why = ""
    if network.penalty and name[1] == "W":
        why = " The part from the data stays; that of the penalty, lambda/m times the weights, halves."
    yield from doubled(plan.exercise, f"your `{plan.of}` gives", plan.point, name, [one[name] for one in exact[:2]],
                       [one[name] for one in own[:2]], why)  # fmt: skip


def _nudged(
    plan: Plan, nudge: Nudge, before: Values, after: Values, own: Mapping[str, np.ndarray],
    then: Mapping[str, np.ndarray],
) -> Iterator[Asked]:  # fmt: skip
    name = f"d{nudge.name}"
    shown: list[tuple[str, Any]] = [("A2", before["A2"]), ("Y", plan.point["Y"])]
    real = float((then["own_loss"] - own["own_loss"]).item())
    yield from nudged(
        plan.exercise, f"your `{plan.of}`", plan.point, nudge, float(before[name][nudge.at]),
        (float(before["loss"]), float(after["loss"])), own[name],
        tables=[(f"your {name}", own[name])] if nudge.told else shown, own_change=real,
    )  # fmt: skip
