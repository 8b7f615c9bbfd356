"""The picture of a computation: forward values, gradients and updates as nodes, with what was found at each.

Nodes come from the names of the marked lines (``Z1``, ``dW2``, ``b1_new`` ...), whatever the exercise. What lies
between them and was not asked is drawn faintly, so that the chain can be followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from autograder.marking import LineMark, Marks, QuestionMark

STATES = {
    "right": ("✓", "right"),
    "first": ("✗", "the first wrong value: look here"),
    "wrong": ("✗", "wrong as well"),
    "follows": ("↳", "follows from your earlier values, no points lost"),
    "missing": ("–", "no value"),
    "open": ("", "not asked"),
}
"""Every state of a node with its sign and its words."""

LEAST = 4
"""Fewest marked nodes for which a picture says more than the table."""

_NAME = re.compile(r"(d?)([zawb])([1-9])(_new)?", re.IGNORECASE)
_WIDTH, _HEIGHT = 74, 34
_COLUMN, _ROW = 98, 62


@dataclass(frozen=True)
class Node:
    """One value: its name, where it is drawn (column and row) and what was found."""

    name: str
    column: float
    row: float
    state: str = "open"


@dataclass(frozen=True)
class Graph:
    """The nodes in the order of the computation, the edges between their names, and the titles of its questions."""

    nodes: tuple[Node, ...]
    forward: tuple[tuple[str, str], ...]
    backward: tuple[tuple[str, str], ...]
    title: str = ""

    def named(self, state: str) -> list[str]:
        """The names of the nodes in this state, in the order of the computation."""
        return [node.name for node in self.nodes if node.state == state]


def canonical(name: str) -> str | None:
    """The name of the node that a line stands for, or None.

    >>> canonical("dz1"), canonical("w2_NEW"), canonical("returned")
    ('dZ1', 'W2_new', None)
    """
    if name == "loss":
        return "loss"
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    derivative, letter, layer, new = found.groups()
    letter = "b" if letter in "bB" else letter.upper()
    if new and (derivative or letter in "ZA"):
        return None
    return f"{derivative.lower()}{letter}{layer}{'_new' if new else ''}"


def node_name(line: LineMark) -> str | None:
    """The name of the node that a line marks; lines about the shape of a value mark none."""
    return None if line.label.startswith("shape") else canonical(line.name)


def graphs(marks: Marks) -> list[Graph]:
    """One graph per computation of a notebook: questions are joined until a name comes a second time.

    Where something went wrong, what is right throughout is left out; else only the largest is drawn.
    """
    joined: list[list[QuestionMark]] = []
    seen: set[str] = set()
    for question in marks.questions:
        names = {name for line in question.lines if (name := node_name(line))}
        if not names:
            continue
        if not joined or names & seen:
            joined.append([])
            seen = set()
        joined[-1].append(question)
        seen |= names
    made = [(graph([line for question in group for line in question.lines]), group) for group in joined]
    drawn = [
        replace(one, title=", ".join(dict.fromkeys(question.title for question in group)))
        for one, group in made
        if one is not None
    ]
    telling = [one for one in drawn if any(one.named(state) for state in ("first", "wrong", "follows", "missing"))]
    return telling or sorted(drawn, key=lambda one: -len(one.named("right")))[:1]


def graph(lines: Sequence[LineMark]) -> Graph | None:
    """The graph of these lines, or None when too few of them are values of a network."""
    found = {name: line for line in lines if (name := node_name(line))}
    if len(found) < LEAST:
        return None
    layers = max((int(digits[0]) for name in found if (digits := re.findall(r"\d", name))), default=0)
    if not layers:
        return None
    places = dict(_places(layers, found))
    states = _states(found, places)
    nodes = tuple(Node(name, *places[name], states.get(name, "open")) for name in places)
    return Graph(nodes, tuple(_forward(layers, places)), tuple(_backward(layers, places)))


def _places(layers: int, found: Mapping[str, LineMark]) -> Iterator[tuple[str, tuple[float, float]]]:
    """Every node with its place, in the order of the computation."""
    backward = any(name.startswith("d") for name in found)
    new = any(name.endswith("_new") for name in found)
    yield "X", (0, 1)
    for layer in range(1, layers + 1):
        left = 2 * layer - 1
        yield f"W{layer}", (left - 0.42, 0)
        yield f"b{layer}", (left + 0.42, 0)
        yield f"Z{layer}", (left, 1)
        yield f"A{layer}", (left + 1, 1)
    yield "loss", (2 * layers + 1, 1)
    for layer in range(layers, 0, -1):
        left = 2 * layer - 1
        if backward or new:
            yield f"dA{layer}", (left + 1, 2)
            yield f"dZ{layer}", (left, 2)
            yield f"dW{layer}", (left - 0.42, 3)
            yield f"db{layer}", (left + 0.42, 3)
    for layer in range(layers, 0, -1):
        if new:
            yield f"W{layer}_new", (2 * layer - 1.42, 4)
            yield f"b{layer}_new", (2 * layer - 0.58, 4)


def _states(found: Mapping[str, LineMark], order: Iterable[str]) -> dict[str, str]:
    states: dict[str, str] = {}
    first = True
    for name in order:
        line = found.get(name)
        if line is None:
            continue
        if line.status == "correct":
            states[name] = "follows" if line.own else "right"
        elif line.status == "wrong":
            states[name] = "first" if first else "wrong"
            first = False
        else:
            states[name] = "missing"
    return states


def _forward(layers: int, places: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for layer in range(1, layers + 1):
        yield ("X" if layer == 1 else f"A{layer - 1}", f"Z{layer}")
        yield f"W{layer}", f"Z{layer}"
        yield f"b{layer}", f"Z{layer}"
        yield f"Z{layer}", f"A{layer}"
    yield f"A{layers}", "loss"


def _backward(layers: int, places: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    if f"dZ{layers}" not in places:
        return
    yield "loss", f"dA{layers}"
    for layer in range(layers, 0, -1):
        yield f"dA{layer}", f"dZ{layer}"
        yield f"dZ{layer}", f"dW{layer}"
        yield f"dZ{layer}", f"db{layer}"
        if layer > 1:
            yield f"dZ{layer}", f"dA{layer - 1}"
        for letter in "Wb":
            if f"{letter}{layer}_new" in places:
                yield f"d{letter}{layer}", f"{letter}{layer}_new"


def in_words(drawn: Graph) -> list[str]:
    """The same as sentences, for those who do not see the picture."""
    said = []
    for state in ("first", "wrong", "follows", "missing", "right"):
        names = drawn.named(state)
        if names:
            said.append(f"{STATES[state][1][0].upper()}{STATES[state][1][1:]}: {', '.join(names)}.")
    return said


def svg(drawn: Graph, number: int = 1) -> Markup:
    """The picture as inline SVG with a title and a description; its colours come from the page's styles."""
    at = {node.name: node for node in drawn.nodes}
    width = (max(node.column for node in drawn.nodes) + 1) * _COLUMN + 30
    height = (max(node.row for node in drawn.nodes) + 1) * _ROW
    parts = [
        Markup(
            '<svg class="graph" viewBox="0 0 {w:g} {h:g}" width="{w:g}" height="{h:g}" role="img" '
            'aria-labelledby="g{n}t g{n}d"><title id="g{n}t">The computation, forward and backward</title>'
            '<desc id="g{n}d">{words}</desc><defs>'
        ).format(w=width, h=height, n=number, words=" ".join(in_words(drawn)) or "Nothing here was answered.")
    ]
    for kind in ("forward", "backward"):
        parts.append(
            Markup(
                '<marker id="g{}{}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
                '<path class="head {}" d="M0 0 8 4 0 8z"/></marker>'
            ).format(number, kind, kind)
        )
    parts.append(Markup("</defs>"))
    for kind, edges in (("forward", drawn.forward), ("backward", drawn.backward)):
        for start, end in edges:
            x1, y1, x2, y2 = _between(at[start], at[end])
            parts.append(
                Markup(
                    '<line class="edge {}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" marker-end="url(#g{}{})"/>'
                ).format(kind, x1, y1, x2, y2, number, kind)
            )
    for node in drawn.nodes:
        x, y = _centre(node)
        parts.append(
            Markup(
                '<g class="node {}"><rect x="{:.1f}" y="{:.1f}" width="{}" height="{}" rx="8"/>'
                '<text x="{:.1f}" y="{:.1f}">{}</text></g>'
            ).format(
                f"{node.state} small" if node.name.endswith("_new") else node.state,
                x - _WIDTH / 2,
                y - _HEIGHT / 2,
                _WIDTH,
                _HEIGHT,
                x,
                y + 5,
                " ".join(word for word in (STATES[node.state][0], _label(node.name)) if word),
            )
        )
    parts.append(Markup("</svg>"))
    return Markup().join(parts)


def _label(name: str) -> str:
    return f"new {name[:-4]}" if name.endswith("_new") else name


def _centre(node: Node) -> tuple[float, float]:
    return 15 + (node.column + 0.5) * _COLUMN, (node.row + 0.5) * _ROW


def _between(start: Node, end: Node) -> tuple[float, float, float, float]:
    """From the border of one box to the border of another, along the line through their centres."""
    (x1, y1), (x2, y2) = _centre(start), _centre(end)

    def reach(dx: float, dy: float) -> float:
        return min((_WIDTH / 2 + 2) / abs(dx) if dx else 9.0, (_HEIGHT / 2 + 2) / abs(dy) if dy else 9.0)

    share = reach(x2 - x1, y2 - y1)
    return x1 + share * (x2 - x1), y1 + share * (y2 - y1), x2 - share * (x2 - x1), y2 - share * (y2 - y1)
