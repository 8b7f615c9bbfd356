"""The guide as a page: its prose is that of the notebook, and where a cell draws there is a picture that moves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import nbformat
from markupsafe import Markup

from autograder.course import CourseError
from autograder.views.prose import markdown

PICTURES = {
    "descent_picture": "Twelve steps down a parabola, with the learning rate that you choose",
    "chain_picture": "The loss for many weights, and its slope at the weight that you choose",
    "boundary_picture": "A small network that learns to tell the moons apart",
    "special_picture": "Two moons and the straight line that one layer draws between them",
    "deep_picture": "What is left of an error signal, layer by layer",
    "ising_picture": "A lattice of spins at the temperature that you choose",
}
"""Cells that draw, by name, with what their picture on the page shows; ``page/guide.js`` draws it."""

AFTER = {"fork": ("graph", "A computational graph: values run forward, slopes run back, one step at a time")}
"""Pictures that the notebook does not have, and the cell that each comes after."""

LEFT_OUT = ("title", "slider_text")
"""Cells about the notebook itself."""

WORDS = {
    "with three learning rates": "with the learning rate that you choose",
    "The next cell draws the loss": "The picture shows the loss",
    "The next cell trains a network of scikit-learn with 8 hidden tanh units and draws what it has learned": (
        "The picture trains a network with as many hidden tanh units as you choose and shows what it has learned"
    ),
    'the black line on which the network answers "one half"': (
        'where the two colours meet: there the network answers "one half"'
    ),
    "In words: the boundary bends around both moons, more than 95 % of the training points are on their side of it, "
    "and the loss falls": "With 8 units the boundary bends around both moons. The loss falls",
    "when the boundary begins to bend.": "when the boundary begins to bend. With one unit it can only be straight.",
    "The next cell simulates two lattices of 32 x 32 spins": "The picture simulates a lattice of 32 x 32 spins",
}
"""What the notebook says about its cells, and what the page says about its pictures."""


@dataclass(frozen=True)
class Section:
    """A heading with its address, and what stands below it: prose, and pictures by name with a title."""

    id: str
    title: Markup
    parts: tuple[tuple[str, Markup | str], ...]


def sections(notebook: Path) -> list[Section]:
    """The sections of the guide. Raises CourseError when a sentence of ``WORDS`` or a picture is no longer there."""
    cells = {cell.metadata["nbgrader"]["grade_id"]: cell for cell in nbformat.read(notebook, as_version=4).cells}
    text = {name: cell.source for name, cell in cells.items() if cell.cell_type == "markdown" and name not in LEFT_OUT}
    for said, instead in WORDS.items():
        pattern = r"\s+".join(map(re.escape, said.split()))  # wherever its lines end
        found = [name for name, source in text.items() if re.search(pattern, source)]
        if len(found) != 1:
            raise CourseError(f"the guide no longer says {said!r}: mend autograder/site/guide.py")
        text[found[0]] = re.sub(pattern, instead, text[found[0]])
    gone = [name for name in (*PICTURES, *AFTER) if name not in cells]
    if gone:
        raise CourseError(f"the guide has no cell {gone[0]}: mend autograder/site/guide.py")
    made: list[Section] = []
    for name in cells:
        parts: list[tuple[str, Markup | str]] = []
        if name in text:
            title, rest = _heading(text[name])
            if title:
                made.append(Section(name, title, ()))
            parts.append(("", _prose(rest)))
            if name in AFTER:
                parts.append(AFTER[name])
        elif name in PICTURES:
            parts.append((name, PICTURES[name]))
        if made and parts:
            last = made[-1]
            made[-1] = Section(last.id, last.title, (*last.parts, *parts))
    return made


def _heading(text: str) -> tuple[Markup, str]:
    first, _, rest = text.partition("\n")
    return (Markup.escape(first.lstrip("# ")), rest) if first.startswith("## ") else (Markup(""), text)


def _prose(text: str) -> Markup:
    """Markdown, with the names of exercises in place of links to their notebooks, which are not here."""
    made = markdown(re.sub(r"\[([^\]]+)\]\((?!https?:)[^)]*\)", r"\1", text))
    return Markup(re.sub(r"<(/?)h([45])>", lambda tag: f"<{tag[1]}h3>", made))
