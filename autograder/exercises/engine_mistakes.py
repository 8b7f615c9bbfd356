"""Known mistakes in an engine that differentiates: local rules, the walk back, and what was stretched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from autograder.exercise import Reply, Values, Verdict
from autograder.marking.compare import compare
from autograder.marking.slips import At, Slip


def _made(at: At, value: float, *back: float) -> np.ndarray:
    return np.array([value, *back, *[0.0] * (2 - len(back))])


def _power(at: At, slope: float) -> np.ndarray:
    return _made(at, at.a**at.n, slope)


def _tanh(at: At, slope: float) -> np.ndarray:
    return _made(at, np.tanh(at.a), slope)


SLIPS = (
    Slip("upstream-missing", "add", lambda at: _made(at, at.a + at.b, 1.0, 1.0)),
    Slip("value-for-derivative", "add", lambda at: _made(at, at.a + at.b, at.g * at.a, at.g * at.b)),
    Slip("one-path-only", "add", lambda at: _made(at, at.a + at.b, at.g)),
    Slip("own-factor", "mul", lambda at: _made(at, at.a * at.b, at.g * at.a, at.g * at.b)),
    Slip("upstream-missing", "mul", lambda at: _made(at, at.a * at.b, at.b, at.a)),
    Slip("one-path-only", "mul", lambda at: _made(at, at.a * at.b, at.g * at.b)),
    Slip("exponent-forgotten", "pow", lambda at: _power(at, at.g * at.a ** (at.n - 1))),
    Slip("exponent-not-lowered", "pow", lambda at: _power(at, at.g * at.n * at.a**at.n)),
    Slip("upstream-missing", "pow", lambda at: _power(at, at.n * at.a ** (at.n - 1))),
    Slip("upstream-missing", "tanh", lambda at: _tanh(at, 1 - np.tanh(at.a) ** 2)),
    Slip("square-missing", "tanh", lambda at: _tanh(at, at.g * (1 - np.tanh(at.a)))),
    Slip("pre-activation-in-derivative", "tanh", lambda at: _tanh(at, at.g * (1 - at.a**2))),
    Slip("sigmoid-derivative-with-tanh", "tanh", lambda at: _tanh(at, at.g * np.tanh(at.a) * (1 - np.tanh(at.a)))),
    Slip("derivative-at-activation", "tanh", lambda at: _tanh(at, at.g * (1 - np.tanh(np.tanh(at.a)) ** 2))),
    Slip("upstream-missing", "exp", lambda at: _made(at, np.exp(at.a), np.exp(at.a))),
    Slip("activation-derivative-missing", "exp", lambda at: _made(at, np.exp(at.a), at.g)),
    Slip("value-for-derivative", "exp", lambda at: _made(at, np.exp(at.a), at.g * at.a)),
)


def walked(given: Values, name: str, how: str, outputs: Sequence[int] = (-1,)) -> np.ndarray:
    """The gradients of all nodes of a graph by walks from these nodes, one after the other, wrong in some way."""
    edges = given[name]
    mine = [edges[edges[:, 0] == node] for node in range(int(edges[-1, 0]) + 1)]
    parents, slopes = [[int(k) for k in of[:, 1]] for of in mine], [of[:, 2].tolist() for of in mine]
    grad = np.zeros(len(parents))

    def give(node: int) -> None:
        for parent, slope in zip(parents[node], slopes[node]):
            grad[parent] = slope * grad[node] + (0 if "overwritten" in how else grad[parent])

    def early(node: int) -> None:
        for parent, slope in zip(parents[node], slopes[node]):
            grad[parent] += slope * grad[node]
            early(parent)

    for output in outputs:
        last = len(parents) + output
        grad[last] = 1.0 if "output kept" not in how else grad[last] + 1.0
        if "early" in how:
            early(last)
        elif "in breadth" in how:
            order = [last]
            for node in order:
                order += [parent for parent in parents[node] if parent not in order]
                give(node)
        else:
            for node in _order(parents, last, how):
                give(node)
    return grad


def _order(parents: list[list[int]], last: int, how: str) -> list[int]:
    """Every node before its parents: from the last to the first, or as a search in depth finds them."""
    if "in depth" not in how:
        return list(reversed(range(last + 1)))
    order: list[int] = []

    def visit(node: int) -> None:
        for parent in parents[node][:: -1 if "turned" in how else 1]:
            if parent not in order:
                visit(parent)
        if node not in order:
            order.append(node)

    visit(last)
    return order[::-1]


def explain_walks(replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """Names what a wrong walk gives at every challenge."""
    orders = ("", "in depth", "in depth, turned")
    known = [("gradient-overwritten", f"overwritten {order}") for order in orders]
    known += [("gives-before-all-has-arrived", how) for how in ("early", "in breadth")]
    found = {}
    if any(isinstance(deep := reply.values.get("deep"), str) and deep == "RecursionError" for reply in replies):
        found["deep"] = Verdict.named("walk-calls-itself")
    for line, graph, output in (("leaf", "leaf", -1), ("node", "node", -1), ("twice", "leaf", -2)):
        tried = [(id, how, (output,)) for id, how in known]
        if line == "twice":
            kept = [how for order in orders for how in (order, f"{order} output kept")]
            tried += [("gradients-left-over", how, (-1, -2)) for how in kept]
        fitting = {
            id
            for id, how, outputs in tried
            if all(compare(reply.values.get(line), walked(reply.given, graph, how, outputs)).equal for reply in replies)
        }
        if len(fitting) == 1:
            found[line] = Verdict.named(*fitting)
    return found


SUMS = (
    Slip("stretched-not-summed", "column front", lambda at: at.g),
    Slip("stretched-not-summed", "both", lambda at: at.deep),
    Slip("mean-for-sum", "column", lambda at: at.g.mean(axis=1, keepdims=True)),
    Slip("mean-for-sum", "front", lambda at: at.g.mean(axis=0)),
    Slip("mean-for-sum", "both", lambda at: at.deep.mean(axis=(0, 2))[:, None]),
    Slip("one-path-only", "column", lambda at: at.g[:, :1]),
    Slip("one-path-only", "front", lambda at: at.g[0]),
    Slip("one-path-only", "both", lambda at: at.deep[0, :, :1]),
)
