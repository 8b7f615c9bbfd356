"""The finger on the line: where in the student's own code it goes wrong, in words and as a listing of their cell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from keyword import iskeyword
from typing import Any

from markupsafe import Markup, escape
from nbformat import NotebookNode
from pygments.lexers import PythonLexer
from pygments.token import STANDARD_TYPES, _TokenType

from autograder.marking import LineMark, Marks, Place, QuestionMark, Span, with_lines
from autograder.marking.spans import LINE_END, offsets

LONGEST_CODE = 80
"""So many characters of code stand in a sentence; the listing has all of them."""

AROUND = 4
"""So many lines before and after what is marked are in a listing."""

WHOLE = 24
"""A cell of so many lines is shown whole."""


def where(span: Span, *, cell: bool = True) -> str:
    """The lines of a span in words, with the cell where that is not plain to see.

    >>> where(Span("network", 12, 12, 4, 9, "a @ b"))
    'cell network, line 12'
    """
    lines = f"line {span.line}" if span.line == span.end_line else f"lines {span.line} to {span.end_line}"
    if isinstance(span, Place) and (span.visit or 1) > 1:
        lines += f" (pass {span.visit})"
    if not cell:
        return lines
    return f"cell {span.cell}, {lines}" if span.cell else f"a cell that you added, {lines}"


def sentence(place: Place, *, cell: bool = True) -> str:
    """One sentence: where, what it gives and what is due; or only where to look, when that is all that is told."""
    said = where(place, cell=cell)
    told = place.text or f"Look at this {'expression' if _is_expression(place) else 'statement'}: `{short(place.code)}`"
    return f"{said[:1].upper()}{said[1:]}: {told}"


def _is_expression(place: Place) -> bool:
    return not place.code.lstrip().startswith(("for ", "if ", "while ", "return ", "def ", "with ")) and (
        " = " not in place.code
    )


def short(code: str, limit: int = LONGEST_CODE) -> str:
    """Code on one line, as much of it as a sentence can hold."""
    flat = " ".join(code.replace("`", "'").split())
    return flat if len(flat) <= limit else f"{flat[: limit - 1].rstrip()}…"


_TOKEN = re.compile(
    r"""\#[^\n]* | (?P<text>'[^'\n]*'|"[^"\n]*") | \d[\w.]*
    | (?P<path>[^\W\d]\w*(?:\s*\.\s*[^\W\d]\w*)*)(?=\s*(?P<call>\()?)(?=\s*(?P<set>=(?!=))?) | \S""",
    re.VERBOSE,
)
_OF_ARRAYS = {"T", "shape", "size", "ndim", "real"}
_NOT_CHOSEN = {"np", "numpy", "self"}


def shape(code: str) -> str:
    """The code without what students choose freely: spaces, comments, and names but those of functions.

    >>> shape("self.A1 * (1 - self.A1)") == shape("a*(1-a)  # f'") != shape("a * (1 - b)")
    True
    """
    known: dict[str, str] = {}
    kept: list[str] = []
    for token in _TOKEN.finditer(code):
        names = [name.strip() for name in (token["path"] or "").split(".")]
        if token["path"] is None or iskeyword(names[0]) or (token["set"] and kept):  # the name of an argument
            kept += [token[0]] if not token[0].startswith("#") else []
            continue
        of_it: list[str] = []
        while len(names) > 1 and (names[-1] in _OF_ARRAYS or (token["call"] and not of_it)):
            of_it.insert(0, names.pop())
        if token["call"] and not of_it:
            kept.append(names[0])
        elif token["call"] and names[0] in _NOT_CHOSEN:
            kept += of_it
        else:
            kept += [known.setdefault(".".join(names), f"${len(known)}"), *of_it]
    return " ".join(kept)


def places(question: QuestionMark) -> list[tuple[LineMark, Place]]:
    """Every place of a question once, with the first line that goes wrong there."""
    found: dict[tuple[Any, ...], tuple[LineMark, Place]] = {}
    for line in question.lines:
        if line.place is not None and line.status != "correct":
            found.setdefault(_key(line.place), (line, line.place))
    return list(found.values())


def first(question: QuestionMark) -> str:
    """The sentence on the first place; empty when there is none."""
    return next((sentence(place) for _, place in places(question)), "")


def told_at(question: QuestionMark) -> dict[str, str]:
    """By the name of a line, the sentence on its place: said once, at the first line that goes wrong there."""
    return {line.name: sentence(place) for line, place in places(question)}


def _key(place: Place) -> tuple[Any, ...]:
    return place.cell, place.line, place.col, place.end_line, place.end_col, place.visit, place.due


def hint_only(marks: Marks) -> Marks:
    """The same marks with the places and without what is due there: a hint and no more."""

    def hint(_: QuestionMark, line: LineMark) -> LineMark:
        place = line.place and replace(line.place, due=None, given=None, text="", got=None, expected=None)
        return replace(line, place=place)

    told = with_lines(marks, hint)
    return replace(
        told,
        questions=tuple(
            replace(question, sound=tuple(replace(span, given=None) for span in question.sound))
            for question in told.questions
        ),
    )


@dataclass(frozen=True)
class Row:
    """One line of a listing: its number, its code with everything marked, and what is said below it."""

    number: int
    code: Markup
    notes: tuple[str, ...] = ()
    pointed: bool = False


@dataclass(frozen=True)
class Listing:
    """A student's cell as it is shown: its number in the notebook, and runs of its lines, what is between left out."""

    number: int
    runs: tuple[tuple[Row, ...], ...]
    sound: bool
    cut: bool


def find_cell(notebook: NotebookNode, span: Span) -> tuple[int, str] | None:
    """The number and the source of the cell in which a span stands; None when it stands in none."""
    for number, cell in enumerate(notebook.cells, 1):
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if cell.cell_type == "code" and name == span.cell and offsets(cell.source, span):
            return number, cell.source
    return None


def listings(
    notebook: NotebookNode, question: QuestionMark, *, around: int = AROUND, whole: int = WHOLE
) -> list[Listing]:
    """The cells of the student in which a question goes wrong, as far as they are worth looking at."""
    by_cell: dict[int, tuple[str, list[Place]]] = {}
    for _, place in places(question):
        if found := find_cell(notebook, place):
            by_cell.setdefault(found[0], (found[1], []))[1].append(place)
    made = []
    for number, (source, pointed) in by_cell.items():
        sound = [span for span in question.sound if find_cell(notebook, span) == (number, source)]
        made.append(listing(number, source, pointed, sound, around=around, whole=whole))
    return made


def listing(
    number: int,
    source: str,
    pointed: Sequence[Place],
    sound: Sequence[Span],
    *,
    around: int = AROUND,
    whole: int = WHOLE,
) -> Listing:
    """One cell with its places and what is sound in it. Spans whose text does not stand in the source are left out."""
    pointed = [place for place in pointed if offsets(source, place)]
    sound = [span for span in sound if offsets(source, span)]
    lines = marked_lines(source, pointed, sound)
    least = max((place.end_line for place in pointed), default=1)
    while len(lines) > least and not str(lines[-1]).strip():
        lines.pop()
    notes: dict[int, list[str]] = {}
    for place in pointed:
        notes.setdefault(place.end_line, []).append(sentence(place, cell=False))
    shown = range(1, len(lines) + 1) if len(lines) <= whole else _near(pointed, around, len(lines))
    within = {line for place in pointed for line in range(place.line, place.end_line + 1)}
    runs: list[list[Row]] = []
    for line in shown:
        if not runs or runs[-1][-1].number != line - 1:
            runs.append([])
        runs[-1].append(Row(line, lines[line - 1], tuple(notes.get(line, ())), line in within))
    return Listing(number, tuple(map(tuple, runs)), bool(sound), len(shown) < len(lines))


def _near(pointed: Sequence[Place], around: int, last: int) -> list[int]:
    near = {
        line
        for place in pointed
        for line in range(place.line - around, place.end_line + around + 1)
        if 1 <= line <= last
    }
    return sorted(near)


def marked_lines(source: str, pointed: Sequence[Span], sound: Sequence[Span]) -> list[Markup]:
    """The source line by line, coloured and escaped, with these spans marked and every other character as it is."""
    lines = LINE_END.split(source)
    flat = "\n".join(lines)  # the spans still hold: they count lines and columns
    starts = [0, *accumulate(len(line) + 1 for line in lines)]
    at, fine = ([_flat(starts, span) for span in spans] for spans in (pointed, sound))
    styles = list(_styles(flat))
    ends = {start - 1 for start in starts[1:]}  # of lines
    edges = sorted({0, *starts[:-1], *ends}.union(*at, *fine, *(style[:2] for style in styles)))
    colours = {start: colour for start, _, colour in styles}
    colour = ""
    inside: tuple[tuple[int, int], ...] = ()
    rows: list[list[Markup]] = [[]]
    for start, end in pairwise(edges):
        colour = colours.get(start, colour)
        here = () if start in ends else tuple(span for span in at if span[0] <= start < span[1])
        if here != inside:
            rows[-1] += [Markup("</mark>")] * bool(inside) + [Markup("<mark>")] * bool(here)
            inside = here
        if start in ends:
            rows.append([])
        else:
            rows[-1].append(
                _piece(flat[start:end], colour, [span[1] == end for span in fine if span[0] <= start < span[1]])
            )
    rows[-1] += [Markup("</mark>")] * bool(inside)
    return [Markup("").join(row) for row in rows]


def _piece(text: str, colour: str, sound: Sequence[bool]) -> Markup:
    """A piece of code in its colour; ``sound`` has for every sound span around it whether that ends here."""
    html = Markup('<span class="{}">{}</span>').format(colour, text) if colour else escape(text)
    return Markup('<span class="sound{}">{}</span>').format(" ends" * any(sound), html) if sound else html


def _flat(starts: Sequence[int], span: Span) -> tuple[int, int]:
    return starts[span.line - 1] + span.col, starts[span.end_line - 1] + span.end_col


def _styles(text: str) -> Iterator[tuple[int, int, str]]:
    """Every piece of the text, from end to end, with the name of its colour."""
    for start, token, piece in PythonLexer().get_tokens_unprocessed(text):
        yield start, start + len(piece), _class(token)


def _class(token: _TokenType) -> str:
    while token not in STANDARD_TYPES and token.parent is not None:
        token = token.parent
    return str(STANDARD_TYPES.get(token, ""))
