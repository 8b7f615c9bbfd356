"""What ``train_sgd`` does with a network, watched call by call, and how the orders of the examples are judged.

Randomness is judged from the sequence of visited examples alone, without any assumption on the generator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from autograder.exercise import RIGHT, Judge, Line, Reply, Verdict
from autograder.marking.compare import whole_numbers
from autograder.marking.judges import at_every_challenge

EXAMPLES = 30
"""Examples in the data on which orders are recorded."""


# What is asked ------------------------------------------------------------------------------------------------------


def recorded(student, given):
    """What ``train_sgd`` does with a network, once with a stand-in for ``train_epoch`` and once with the student's own.

    So a slip in ``train_epoch`` is not charged again. Noted are the example of each step and whether its target came
    with it, the learning rates, the parameters around every epoch, and the losses. The stand-in makes no steps: it
    moves the parameters somewhere.
    """
    names, epochs = ("W1", "b1", "W2", "b2"), int(given["epochs"])

    def noted(epoch):
        visited, labelled, rates, before = [], [], [], []
        net = student.SimpleNeuralNetwork(given["W1"].shape[1], given["W1"].shape[0], given["W2"].shape[0])
        for name in names:
            setattr(net, name, given[name].copy())
        backward, update = net.backward_pass, net.update_parameters

        def note(X, Y):
            for x, y in zip(np.transpose(X), np.transpose(Y), strict=True):
                distance = np.max(np.abs(given["X"] - x[:, None]), axis=0)
                visited.append(int(np.argmin(distance)) if np.min(distance) < 1e-3 else -1)
                labelled.append(bool(np.array_equal(y, given["Y"][:, visited[-1]])))
                before.append([np.array(getattr(net, name), dtype=float) for name in names])

        def noting_backward(X, Y):
            if np.shape(X) == (len(given["X"]), 1):
                note(X, Y)
            else:
                visited.append(-1)
                before.append([np.array(getattr(net, name), dtype=float) for name in names])
            backward(X, Y)

        def noting_update(learning_rate):
            rates.append(float(learning_rate))
            update(learning_rate)

        def stand_in(network, X, Y, learning_rate, order):
            note(np.take(X, order, axis=1), np.take(Y, order, axis=1))
            rates.append(float(learning_rate))
            for name in names:
                setattr(network, name, 0.9 * getattr(network, name) + 0.01)

        student.train_epoch = epoch or stand_in
        net.backward_pass, net.update_parameters = noting_backward, noting_update
        losses = student.train_sgd(net, given["X"].copy(), given["Y"].copy(), epochs, float(given["learning_rate"]))
        found = {"visited": visited, "losses": losses, "labelled": all(labelled), "rates": sorted({*rates})[:9]}
        per_epoch = len(visited) // epochs if len(visited) % epochs == 0 else 0
        if per_epoch:
            between = [*before[::per_epoch], [np.array(getattr(net, name), dtype=float) for name in names]]
            found |= {f"path_{name}": np.array([point[k] for point in between]) for k, name in enumerate(names)}
        return found

    own = getattr(student, "train_epoch", None)
    try:
        found = noted(None)
    except Exception:  # it may call its own train_epoch in another way than the task does
        found = {}
    try:
        found |= {f"own_{name}": value for name, value in noted(own).items()} if own else {}
    except Exception:
        if not found:
            raise
    return found


# How orders are judged ----------------------------------------------------------------------------------------------


def neighbours_kept(first: Sequence[int], second: Sequence[int]) -> int:
    """How many pairs that stand next to each other in one order do so in the other, the ends joined to a ring.

    Reading backwards or starting elsewhere keeps all of them. Two independent random orders keep about two, in good
    approximation distributed like a Poisson variable with mean 2.
    """
    rings = [{frozenset(pair) for pair in zip(order, [*order[1:], order[0]])} for order in (first, second)]
    return len(rings[0] & rings[1])


KEPT = EXAMPLES // 2
"""From so many of 30 kept neighbours on, an order is no fresh shuffle of the other one.

P(Poisson(2) >= 15) is 3.9e-9 per pair of orders, and a submission is asked for 26 pairs (the natural order included):
about one right submission in ten million is refused."""


def with_either_epoch(judge: Judge) -> Judge:
    """What is right with the stand-in for ``train_epoch`` or with the student's own; the first among equals."""

    def judged(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        own = [
            replace(reply, values={name[4:]: value for name, value in reply.values.items() if name.startswith("own_")})
            for reply in replies
        ]
        first, second = judge(lines, replies), judge(lines, own)
        return {name: max(first[name], second[name], key=lambda verdict: verdict.share) for name in first}

    return judged


@at_every_challenge
def _orders(reply: Reply) -> dict[str, Verdict]:
    m, epochs = reply.given["X"].shape[1], int(reply.given["epochs"])
    found = whole_numbers(reply.values.get("visited"))
    visited = [] if found is None else found.tolist()
    passes = _passes(visited, m, epochs)
    if passes is RIGHT and reply.values.get("labelled") is not True:
        passes = Verdict.named("labels-left-behind")
    return {"each_once": passes, "fresh": _freshness(visited, m, epochs)}


def orders(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """Is every epoch a pass through all examples, and is every order fresh? No generator is assumed."""
    verdicts = dict(_orders(lines, replies))
    if all(verdict.share == 1 for verdict in verdicts.values()) and _one_stays(replies):
        verdicts["fresh"] = Verdict.named("one-example-stays")
    return verdicts


def _one_stays(replies: Sequence[Reply]) -> bool:
    """Whether a place holds the same example in all epochs of all challenges.

    With e epochs of m examples this happens to a right answer with a probability below m^(2 - e): 30^-9 for the 11
    epochs that are asked. Fewer epochs say nothing.
    """
    epochs = [np.reshape(reply.values["visited"], (-1, reply.given["X"].shape[1])) for reply in replies]
    together = np.vstack(epochs)
    return len(together) > 8 and bool(np.any(np.all(together == together[0], axis=0)))


def _passes(visited: Sequence[int], m: int, epochs: int) -> Verdict:
    if not visited:
        return Verdict("missing", message="No step was seen: `train_sgd` did not call the network's `backward_pass`.")
    if -1 in visited:
        told = "There are steps that do not use exactly one example."
        hint = "Every call of `backward_pass` should get one column of `X` and the same column of `Y`."
        return Verdict.named("all-examples-in-each-step", title=told, hint=hint)
    if len(visited) != m * epochs:
        told = f"{len(visited)} steps were made in {epochs} epochs with {m} examples: {m * epochs} are expected."
        return Verdict("wrong", message=told, hint="In one epoch every example has its turn once.")
    for start in range(0, len(visited), m):
        different = len(set(visited[start : start + m]))
        if different < m:
            told = f"In one epoch only {different} of {m} examples have their turn, some more than once."
            return Verdict.named("drawn-with-replacement", title=told)
    return RIGHT


def _freshness(visited: Sequence[int], m: int, epochs: int) -> Verdict:
    if not visited or -1 in visited or len(visited) % epochs or len(visited) // epochs < 2:
        return Verdict("wrong" if visited else "missing", message="There are no orders of single examples to look at.")
    size = len(visited) // epochs
    shuffled = [visited[start : start + size] for start in range(0, len(visited), size)]
    kept_needed = KEPT * size // m
    if any(neighbours_kept(list(range(size)), order) >= kept_needed for order in shuffled):
        told = "The examples come in the order in which they stand in `X`."
        hint = "Where is the order of an epoch made, and what is random about it?"
        return Verdict.named("not-shuffled", title=told, hint=hint)
    if any(neighbours_kept(a, b) >= kept_needed for a, b in combinations(shuffled, 2)):
        return Verdict.named("shuffled-once")
    return RIGHT
