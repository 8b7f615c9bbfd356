"""Sheet 5: an engine that differentiates: operations with their rules, the walk back, and arrays that were stretched.

The walk is asked on graphs that the probe makes itself, out of nodes with linear rules, so that it does not depend on
the operations. What is true there comes from one system of linear equations, without any walk.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy as sp

from autograder.exercise import Challenge, Exercise, Probe, Question, Values, Written, lines
from autograder.exercises.engine_mistakes import SLIPS, SUMS, explain_walks
from autograder.exercises.shared import of_order_one
from autograder.marking.judges import remembered, values
from autograder.marking.slips import explain_slips

LONG = 3000
"""So many nodes has the chain."""


# What is asked ------------------------------------------------------------------------------------------------------


def operations(student, given):
    """For each operation: its value, and what its rules give back to each parent, in the order a, b."""
    operation = {
        "add": lambda a, b: a + b,
        "mul": lambda a, b: a * b,
        "pow": lambda a, b: a ** float(given["n"]),
        "tanh": lambda a, b: a.tanh(),
        "exp": lambda a, b: a.exp(),
    }
    for name, function in operation.items():
        a, b = student.Value(float(given["a"])), student.Value(float(given["b"]))
        try:
            made = function(a, b)
            back = [0.0, 0.0]
            for parent, rule in zip(made.parents, made.rules):
                which = [k for k, one in enumerate((a, b)) if one is parent]
                if not which:
                    raise ValueError("a parent of the value is none of the values that it was made from")
                back[which[0]] = back[which[0]] + np.asarray(rule(given["g"].copy()), dtype=float)
            found = np.array([np.asarray(part, dtype=float).reshape(()) for part in (made.data, *back)])
        except Exception as error:
            found = error
        yield {name: found}


def walks(student, given):
    """The gradients of the last node of a graph by all nodes: three graphs, and of the first then another node's."""

    def graph(edges):
        nodes = []
        for node in range(int(edges[-1, 0]) + 1):
            mine = edges[edges[:, 0] == node]
            rules = tuple(lambda g, slope=float(slope): slope * g for slope in mine[:, 2])
            nodes.append(student.Value(1.0, tuple(nodes[int(k)] for k in mine[:, 1]), rules))
        return nodes

    first, second = graph(given["leaf"]), graph(given["node"])
    for name, nodes, output in (("leaf", first, -1), ("twice", first, -2), ("node", second, -1)):
        try:
            found = student.gradients(nodes[output], list(nodes))
        except Exception as error:
            found = error
        yield {name: found}
    chain = [student.Value(1.0)]
    for slope in given["chain"].tolist():
        chain.append(student.Value(1.0, (chain[-1],), (lambda g, slope=slope: slope * g,)))
    try:
        found = student.gradients(chain[-1], [chain[0]])
    except RecursionError:
        found = "RecursionError"
    yield {"deep": found}


def _numbers(rng: np.random.Generator) -> list[Challenge]:
    points = [Challenge({"a": 2.0, "b": -3.0, "n": 3, "g": np.array(0.5)}, shown=True)]
    for n in (2, 4, -2):
        a, b, g = of_order_one(rng, 3)
        points.append(Challenge({"a": a, "b": b, "n": n, "g": np.array(g)}))
    return points


def _graph(rng: np.random.Generator, parents: list[list[int]], shown: bool) -> np.ndarray:
    """The edges, one in a row: from which node, to which parent, and the slope."""
    ends = np.array([(node, parent) for node, of in enumerate(parents) for parent in of])
    slopes = np.resize([2.0, 3.0, -1.0, 4.0], len(ends)) if shown else of_order_one(rng, len(ends))
    return np.column_stack([ends, slopes])


LEAF = [[], [], [0, 1], [0], [2, 3]]
"""A leaf that feeds two nodes; nothing else feeds more than one."""

NODES = (
    [[], [0, 0], [1], [1, 2], [3, 1]],
    [[], [0], [1, 0], [2, 1], [2, 2, 3], [1, 4, 3]],
    [[], [], [1, 0], [2, 1], [3, 2], [4, 3, 2], [5, 2, 4]],
    [[], [0, 0], [1, 0], [2, 1], [1, 3], [3, 4, 2], [2, 5]],
)
"""Graphs with inner nodes that feed several, also the same one twice, and that a walk may reach too early."""


def _graphs(rng: np.random.Generator) -> list[Challenge]:
    points = []
    for shown, parents in zip((True, False, False, False), NODES):
        given: dict[str, Any] = {}
        for name, of in (("leaf", LEAF), ("node", parents)):
            given[name] = _graph(rng, of, shown)
        slopes = np.ones(LONG) if shown else np.exp(rng.normal(size=LONG) / 100) * rng.choice([-1.0, 1.0], LONG)
        points.append(Challenge({**given, "chain": slopes}, shown))
    return points


def _stretched(rng: np.random.Generator) -> list[Challenge]:
    points = []
    for n, m, k in ((2, 3, 2), (4, 6, 3), (5, 3, 2), (3, 7, 5)):
        shown = (n, m) == (2, 3)
        g = np.arange(1.0, 7.0).reshape(2, 3) if shown else of_order_one(rng, n, m)
        deep = np.arange(12.0).reshape(2, 2, 3) if shown else of_order_one(rng, k, n, m)
        points.append(Challenge({"g": g, "deep": deep, "n": n, "m": m}, shown))
    return points


def sums(student, given):
    """sum_to_shape for a column, for axes that were not there, and for both at once."""
    n, m = int(given["n"]), int(given["m"])
    asked = {"column": (given["g"], (n, 1)), "front": (given["g"], (m,)), "both": (given["deep"], (n, 1))}
    for name, (g, shape) in asked.items():
        try:
            found = student.sum_to_shape(g.copy(), shape)
        except Exception as error:
            found = error
        yield {name: found}


# What is true -------------------------------------------------------------------------------------------------------


@remembered
def true_operations(given: Values) -> dict[str, np.ndarray]:
    """Values and slopes by sympy."""
    a, b = sp.symbols("a b")
    formulas = {"add": a + b, "mul": a * b, "pow": a ** int(given["n"]), "tanh": sp.tanh(a), "exp": sp.exp(a)}
    at = {a: sp.Float(float(given["a"]), 40), b: sp.Float(float(given["b"]), 40)}
    g = float(given["g"])
    return {
        name: np.array([float(f.subs(at)), g * float(f.diff(a).subs(at)), g * float(f.diff(b).subs(at))])
        for name, f in formulas.items()
    }


def true_walks(given: Values) -> dict[str, np.ndarray]:
    """One system of linear equations for each graph: at a node is 1 if it is the output, plus what comes back to it."""
    found = {}
    for name, graph, output in (("leaf", "leaf", -1), ("twice", "leaf", -2), ("node", "node", -1)):
        edges = _matrix(given[graph])
        found[name] = np.linalg.solve(np.eye(len(edges)) - edges.T, np.eye(len(edges))[output])
    return {**found, "deep": np.array([np.prod(given["chain"])])}


def _matrix(edges: np.ndarray) -> np.ndarray:
    """Slopes of row by column."""
    count = int(edges[-1, 0]) + 1
    found = np.zeros((count, count))
    np.add.at(found, (edges[:, 0].astype(int), edges[:, 1].astype(int)), edges[:, 2])
    return found


def true_sums(given: Values) -> dict[str, np.ndarray]:
    """Products with ones: what stretching is, turned round."""
    g, deep = given["g"], given["deep"]
    column = np.ones((1, g.shape[0])) @ g
    return {
        "column": g @ np.ones((g.shape[1], 1)),
        "front": column[0],
        "both": np.einsum("knm,m->n", deep, np.ones(deep.shape[2]))[:, None],
    }


# The questions ------------------------------------------------------------------------------------------------------

EXERCISE = Exercise(
    name="autodiff_engine",
    sheet="beyond",
    title="An engine that differentiates",
    minutes=90,
    difficulty=5,
    questions=(
        Question(
            "local_rules",
            "(a) Operations that remember",
            lines(add=(1, "+"), mul=(2, "*"), pow=(2, "**"), tanh=2, exp=1),
            Probe(operations, _numbers),
            values(true_operations, explain=explain_slips(SLIPS)),
        ),
        Question(
            "backward_walk",
            "(b) Backward",
            lines(
                leaf=(3, "a leaf that is used twice"),
                node=(3, "inner nodes that are used twice"),
                twice=(2, "a second call"),
                deep=(3, "a long chain"),
            ),
            Probe(walks, _graphs),
            values(true_walks, explain=explain_walks),
        ),
        Question(
            "stretched_sums",
            "(c) Arrays that are stretched",
            lines(column=(1, "an axis of length 1"), front=(1, "axes that were not there"), both=(1, "both")),
            Probe(sums, _stretched),
            values(true_sums, explain=explain_slips(SUMS)),
        ),
    ),
    written=(Written("engine_words", "(d) Why", 3),),
    parts={"a": ("local_rules",), "b": ("backward_walk",), "c": ("stretched_sums",), "d": ("engine_words",)},
)
