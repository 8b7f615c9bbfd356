"""Shapes in the letters of a sheet: a table of them is asked, and a wrong shape is told in them before any value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from autograder.exercise import RIGHT, Challenge, Judge, Line, Probe, Reply, Values, Verdict
from autograder.marking.compare import as_numbers
from autograder.marking.judges import line_by_line

SHAPES = {
    "dZ3": ("o", "m"),
    "dZ2": ("h2", "m"),
    "dZ1": ("h1", "m"),
    "dW3": ("o", "h2"),
    "dW2": ("h2", "h1"),
    "dW1": ("h1", "n"),
}
"""Shapes in the letters of the sheet."""


# The table ----------------------------------------------------------------------------------------------------------


def shape_table(student, given):
    """The table of shapes, each as the text "rows,columns"."""
    table = getattr(student, "shapes", None)
    if not isinstance(table, dict):
        return {}
    found = {}
    for name in ("dZ3", "dZ2", "dZ1", "dW3", "dW2", "dW1"):
        entry = table.get(name)
        if isinstance(entry, np.ndarray):
            entry = entry.tolist()
        if isinstance(entry, (tuple, list)) and len(entry) == 2 and all(isinstance(part, str) for part in entry):
            found[name] = entry[0].strip()[:20] + "," + entry[1].strip()[:20]
        elif entry is not None and entry is not Ellipsis and entry != (Ellipsis, Ellipsis):
            found[name] = "?"
    return found


SHAPE_TABLE = Probe(shape_table, lambda rng: [Challenge({}, shown=True)])


@line_by_line
def judge_shapes(name: str, reply: Reply) -> Verdict:
    """An entry of the table is the pair of letters, in order; capital letters are letters."""
    got = reply.values.get(name)
    got = got if got is None or isinstance(got, str) else "?"
    due = ",".join(SHAPES[name])
    if got is None:
        told = f'`{name}` is not filled in yet: give a pair of letters such as `("h1", "m")`.'
        return Verdict("missing", message=told)
    if got.lower() == due:
        return RIGHT
    if got.lower() == ",".join(reversed(SHAPES[name])):
        hint = "In this course the examples are columns, and a weight matrix has one row per unit."
        return Verdict.named("result-transposed", title="Rows and columns are exchanged.", hint=hint)
    if got == "?":
        return Verdict("wrong", message='A shape is a pair of letters, such as ("n", "m"): two texts in brackets.')
    what = "pre-activation" if name[1] == "Z" else "weight matrix"
    hint = f"A gradient has the shape of the {what} it belongs to."
    return Verdict("wrong", message=f"`{name}` does not have this shape.", hint=hint)


# Shapes in letters --------------------------------------------------------------------------------------------------


def _letters(given: Values) -> dict[int, str]:
    """The letter of each size of a challenge; sizes that stand for two letters have none."""
    found: dict[int, set[str]] = {}
    known = {"X": "nm", "Y": "om", "A1": ("h1", "m"), "A2": ("h2", "m"), "A3": "om"}
    known |= {"dZ1": ("h1", "m"), "dZ2": ("h2", "m"), "dZ3": "om", "W2": ("h2", "h1"), "W3": ("o", "h2")}
    for name, letters in known.items():
        for size, letter in zip(given[name].shape if name in given else (), letters):
            found.setdefault(size, set()).add(letter)
    return {size: letters.pop() for size, letters in found.items() if len(letters) == 1}


def _written(shape: Sequence[int], letters: Mapping[int, str]) -> str:
    return f"({', '.join(letters.get(size, str(size)) for size in shape)}{',' if len(shape) == 1 else ''})"


def shapes_first(name: str, judge: Judge) -> Judge:
    """The same judge, but a wrong shape is said in the letters of the sheet, and nothing about values."""

    def judged(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        verdicts = dict(judge(lines, replies))
        for reply in replies:
            got, letters = as_numbers(reply.values.get(name)), _letters(reply.given)
            if reply.shown or isinstance(got, str) or verdicts[name].share == 1.0:
                continue  # the small example is too small to tell its sizes apart
            sizes = {letter: size for size, letter in letters.items()}
            if not sizes.keys() >= set(SHAPES[name]):
                continue  # and a square one does not tell its letters apart
            needed = tuple(sizes[letter] for letter in SHAPES[name])
            if got.shape != needed:
                told = f"({', '.join(SHAPES[name])}) is needed, you have {_written(got.shape, letters)}."
                hint = "Which product, and which transpose, leads from the shapes that you have to this one?"
                mistake = "result-transposed" if got.shape == needed[::-1] else "other-shape"
                verdicts[name] = replace(
                    verdicts[name], message=f"`{name}`: {told}", hint=hint, mistakes=(mistake,), fingerprint=""
                )
                break
        return verdicts

    return judged
