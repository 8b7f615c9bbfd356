"""From repairs to places in the record: each is looked at here before it is believed, and changes no mark."""

from __future__ import annotations

import ast
import hashlib
import json
import logging
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from autograder.exercise import Exercise, Probe, parsed
from autograder.locate.agreement import agree, both
from autograder.locate.beside import right_beside
from autograder.locate.job import Draw, further, points
from autograder.locate.locate import NotRun, Piece, Repair, Run, Solution, own_numbers, search, solutions
from autograder.locate.quantities import WORKED_OUT
from autograder.locate.words import sentence
from autograder.marking import LineMark, QuestionMark
from autograder.marking.spans import LINE_END, Place, Span, blank_before, offsets, span_of
from autograder.sandbox import Job

log = logging.getLogger(__name__)

LOOKED_AT = frozenset({"wrong", "raised"})
"""A line with another status has no value that could be mended."""

SHOWN_ENTRIES = 24
"""So many entries may a value of the small example have to be shown beside the place."""

FORMS = frozenset({"value", "transpose", "keepdims", "summed", "averaged", "condition", "axis"})
"""Repairs that say what a name should hold, and not how the code is to be changed."""

MOST_KEPT = 2000

Found = Mapping[str, list[Repair]]
"""The repairs of a notebook by probe."""

Solved = Callable[..., "Code"]
"""The course's solution, as it is, or with these edits."""

BESIDE = ("_after", "_again")
"""How answers end that a line is charged for which does not ask for them itself."""


@dataclass(frozen=True)
class Code:
    """A notebook as it is run: its job, and for every cell that a person may have written its number and grade id."""

    job: Job
    own: Mapping[int, str]

    @property
    def digest(self) -> str:
        """The same for equal code."""
        told = json.dumps([[cell.source for cell in self.job.cells], sorted(self.own)])
        return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


class Locator:
    """Looks for places; what it knows of an exercise, or of equal code, it does not work out again."""

    def __init__(self, run: Run) -> None:
        """Run jobs with ``run``, which raises NotRun for one that it leaves out."""
        self._run, self._lock = run, threading.Lock()
        self.remarks: list[str] = []
        """For authors: where a named mistake and a place differ, so that it is not claimed; where a search failed."""
        self._solutions: dict[tuple[str, int, str, str, Draw], Solution | None] = {}
        self._found: dict[tuple[str, int, str, tuple[str, ...]], tuple[Found, Mapping[str, Solution]]] = {}

    def attach(
        self, exercise: Exercise, seed: int, questions: Sequence[QuestionMark], code: Code, solved: Solved
    ) -> tuple[QuestionMark, ...]:
        """The same marks with places; ``solved`` is the course's solution, as it is or with other choices. What fails
        costs a place, nothing else."""
        marks = tuple(questions)
        try:
            return self._attach(exercise, seed, marks, code, solved)
        except NotRun:
            return marks
        except Exception:
            log.exception("no place was looked for in a notebook of %s", exercise.name)
            return marks

    def _attach(
        self, exercise: Exercise, seed: int, questions: tuple[QuestionMark, ...], code: Code,
        solved: Solved,
    ) -> tuple[QuestionMark, ...]:  # fmt: skip
        begun = {exercise.question(q.id).probe.name for q in questions if any(line.points for line in q.lines)}
        asked = [
            q for q in questions
            if any(_is_looked_at(line, exercise.question(q.id).probe.name in begun) for line in q.lines)
        ]  # fmt: skip
        probes = list({exercise.question(q.id).probe.name: exercise.question(q.id).probe for q in asked}.values())
        if not probes:
            return questions
        known = self._known(exercise, seed, probes, solved, points)
        key = _called(exercise, probes), seed, code.digest, tuple(sorted(known))

        def remark(text: str) -> None:
            self.remarks.append(f"{exercise.name}: {text}")

        if key not in self._found:
            sources = [code.job.cells[number].source for number in code.own]
            lost = {line.name for q in questions for line in q.lines if line.points < line.max_points}
            chosen = [name for name in exercise.choices if name not in lost]
            beside = {
                one.name: {"trusted": right_beside(exercise, questions, one, sources), "choices": chosen}
                for one in probes
            }
            repaired, right, other = search(code.job, sorted(code.own), probes, known, self._run, beside, remark)
            for edits in exercise.chosen_otherwise if other else ():
                known = {**known, **self._known(exercise, seed, other, partial(solved, edits), points)}
                again, also_right, left = search(code.job, sorted(code.own), other, known, self._run, beside, remark)
                repaired, right, other = {**repaired, **again}, right + also_right, left
            right = [probe for probe in right if not repaired[probe.name] and further(probe, seed)[0]]
            if right:  # as far as it was asked: it is asked more
                more = self._known(exercise, seed, right, solved, further)
                known = {**known, **more}
                repaired |= search(code.job, sorted(code.own), right, more, self._run, beside, remark)[0]
            with self._lock:
                if len(self._found) >= MOST_KEPT:
                    self._found.clear()
                self._found[key] = repaired, known
        found, known = self._found[key]
        made = []
        for question in questions:
            repairs = found.get(exercise.question(question.id).probe.name, [])
            agreeing = [one for one in repairs if agree(_named(question, one, known), one.kind)]
            for one in repairs:
                named = ", ".join(_named(question, one, known))
                if one not in agreeing and named:
                    remark(f"not claimed in {question.id}, for {named} is named, but {one.kind} mends it")
            others = {line.name for other in questions if other is not question for line in other.lines}
            is_begun = exercise.question(question.id).probe.name in begun
            made.append(_with_places(question, agreeing, known, code, others, is_begun))
        return tuple(made)

    def _known(
        self, exercise: Exercise, seed: int, probes: Sequence[Probe], solved: Solved, draw: Draw
    ) -> Mapping[str, Solution]:
        solution = solved()
        keys = {one.name: (_called(exercise, [one]), seed, solution.digest, one.name, draw) for one in probes}
        missing = [probe for probe in probes if keys[probe.name] not in self._solutions]
        if missing:
            found = solutions(exercise, seed, solution.job, sorted(solution.own), self._run, missing, draw)
            with self._lock:
                for probe in missing:
                    self._solutions[keys[probe.name]] = found.get(probe.name)
        return {name: one for name, key in keys.items() if (one := self._solutions[key]) is not None}


def _called(exercise: Exercise, probes: Iterable[Probe]) -> str:
    """The exercise, and the numbers of the student who has other ones than those of the sheet."""
    numbers = next(filter(None, (own_numbers(exercise, probe) for probe in probes)), None)
    return f"{exercise.name} {exercise.personal.in_words(numbers)}" if numbers and exercise.personal else exercise.name


def _is_looked_at(line: LineMark, begun: bool) -> bool:
    """Whether a line has a value that could be mended, or none where the rest of what is asked with it is right."""
    return line.points < line.max_points and (line.status in LOOKED_AT or (begun and line.status == "missing"))


def _named(question: QuestionMark, repair: Repair, known: Mapping[str, Solution]) -> tuple[str, ...]:
    """The mistakes that are named in the lines that a repair mends, or that are about all that is answered."""
    others = known[repair.probe].asked["exact"][0].keys() - set(repair.mends)
    lines = [line for line in question.lines if line.name not in others and line.points < line.max_points]
    return tuple(dict.fromkeys(name for line in lines for name in line.mistakes))


def _with_places(
    question: QuestionMark, repairs: Sequence[Repair], known: Mapping[str, Solution], code: Code, elsewhere: set[str],
    begun: bool,
) -> QuestionMark:  # fmt: skip
    if not repairs:
        return question
    asked = {line.name for line in question.lines}
    charged = {line.name for line in question.lines if line.points < line.max_points}
    others = [one for one in repairs if not asked & set(one.mends) and any(n.endswith(BESIDE) for n in one.mends)]
    mended = {name for one in repairs for name in one.mends}
    answered = {name for one in repairs for name in known[one.probe].asked["exact"][0]}

    used: dict[Place, Repair] = {}

    def place(line: LineMark) -> Place | None:
        if not _is_looked_at(line, begun):
            return None
        first = next((one for one in repairs if {line.name, f"own_{line.name}"} & set(one.mends)), None)
        if first is None and line.name not in mended and others:
            first = others[0]  # the line is charged for what else the method changes, or gives the next time
        if first is None and line.name not in answered:
            # the line is about all that is answered, but for what other questions have lines for
            first = next((one for one in repairs if not set(one.mends) <= elsewhere), None)
        if first is None:  # the line is right by itself, and does not fit with what no line is charged for
            fitting = (one for one in repairs if line.name in one.beside and not charged & set(one.mends))
            first = next((one for one in fitting if agree(line.mistakes, one.kind)), None)
        made = None if first is None else to_place(first, known[first.probe], code)
        if made is None or first is None:
            return None
        named = _named(question, first, known) or (
            line.mistakes if first in others or line.name in first.beside else ()
        )
        made = replace(made, text=both(made.text, named))
        used[replace(made, got=None, expected=None)] = first
        small = question.example is not None and np.size(first.expected) <= SHOWN_ENTRIES
        return made if small else replace(made, got=None, expected=None)

    lines = tuple(replace(line, place=place(line)) for line in question.lines)
    sound = dict.fromkeys(one for repair in used.values() for one in _sound(repair, code))
    return replace(question, lines=lines, sound=tuple(sound))


def _sound(repair: Repair, code: Code) -> Iterator[Span]:
    """The pieces of the same statement that give what they should, as far as they stand in what was handed in."""
    source = code.job.cells[repair.cell].source
    for piece in repair.sound:
        span = _span(code.own[repair.cell], source, piece)
        if span is not None and offsets(source, span) is not None:
            yield replace(span, given=piece.given.id if piece.given is not None and piece.given.text else None)


def to_place(repair: Repair, solution: Solution, code: Code) -> Place | None:
    """The place of a repair, if it lies in what was handed in."""
    if repair.cell not in code.own:
        return None
    source = code.job.cells[repair.cell].source
    span = _span(code.own[repair.cell], source, repair)
    if span is None or offsets(source, span) is None:
        return None
    due = repair.due if repair.due is not None and repair.due.text else None
    given = repair.given if repair.given is not None and repair.given.text else None
    # what gave this its value is at fault, or nothing can be said: nothing is claimed
    is_silent = due is None and repair.kind.startswith("value") and _is_whole(span.code)
    elementary = due is not None and due.level < WORKED_OUT
    form = repair.kind.split("-")[0] in FORMS
    unknown = given is None if repair.kind == "value" else repair.given is None
    is_silent = is_silent or (unknown and not elementary and form and _is_set(span.code, code))
    if is_silent and not repair.here:
        return None
    kind = "here" if is_silent else repair.kind
    omitted = repair.kind.split()[-1] if repair.kind.startswith("omitted") else ""
    if omitted and "." not in omitted and _may_be_set(omitted, code):  # of another object others are given theirs
        return None
    if index := _indexed(source, span):
        span, due, given = index, None, None
    text = sentence("index" if index else kind, span.code, due, given, solution.table)
    return Place(
        span.cell, span.line, span.end_line, span.col, span.end_col, span.code, given.id if given else None,
        visit=repair.visit + 1 if repair.visit >= 0 else None, due=due.id if due else None, text=text,
        got=repair.got, expected=repair.expected,
    )  # fmt: skip


def _parsed(source: str) -> ast.Module | None:
    try:
        return parsed(source)
    except (SyntaxError, ValueError):
        return None


def _is_whole(code: str) -> bool:
    """Whether it is a name, or a collection of what others worked out; numbers that were typed are at fault alone."""
    tree = _parsed(code)
    node = tree.body[0] if tree and len(tree.body) == 1 else None
    if not isinstance(node, ast.Expr):
        return False
    is_typed = not any(isinstance(one, ast.Name) for one in ast.walk(node))
    if isinstance(node.value, ast.ListComp):
        return not any(isinstance(one, ast.BinOp) for one in ast.walk(node.value.elt))  # else it works something out
    return isinstance(node.value, (ast.Name, ast.Attribute, ast.Tuple, ast.List, ast.Dict)) and not is_typed


def _is_set(name: str, code: Code) -> bool:
    """Whether it is a name or an attribute to which some cell gives a value, or a list of such names: what is worked
    out there is at fault."""
    if re.fullmatch(r"\[\w+(, *\w+)*,?\]|\(\w+(, *\w+)+,?\)", name):
        return all(_is_set(one, code) for one in re.findall(r"\w+", name))
    is_name = re.fullmatch(r"(self\.)?[^\W\d]\w*", name)
    way = re.compile(rf"(?<![\w.]){re.escape(name)}\b\s*(,[^=\n]*)?([-+*/@]|\*\*)?=(?!=)")
    return bool(is_name) and any(way.search(code.job.cells[number].source) for number in code.own)


def _may_be_set(attribute: str, code: Code) -> bool:
    """Whether some cell may give the attribute its value in a way of its own."""
    ways = re.compile(rf"\.{re.escape(attribute)}\b[^=\n]*=(?!=)|\bsetattr\b|__dict__|\bvars\(|\bexec\b")
    return any(ways.search(code.job.cells[number].source) for number in code.own)


def _indexed(source: str, span: Span) -> Span | None:
    """The expression ``a[i]`` in whose index a span stands: a number there says which one, and means nothing else."""
    for node in ast.walk(_parsed(source) or ast.Module([], [])):
        if isinstance(node, ast.Subscript):
            inner, outer = span_of(span.cell, source, node.slice), span_of(span.cell, source, node)
            if inner and outer and (inner.line, inner.col) <= (span.line, span.col) and (
                (span.end_line, span.end_col) <= (inner.end_line, inner.end_col)
            ):  # fmt: skip
                return outer
    return None


def _span(cell: str, source: str, repair: Repair | Piece) -> Span | None:
    """The piece of the source between two positions, made larger until its brackets are balanced."""
    lines = LINE_END.split(source)
    blank = blank_before(source)
    if lines[blank : blank + 1] and lines[blank][:1].isspace():
        return None
    line, end_line = repair.line + blank, repair.end_line + blank
    if not 1 <= line <= end_line <= len(lines):
        return None
    end_col = repair.end_col if repair.end_col >= 0 else len(lines[line - 1].split("#")[0].rstrip().encode())
    node = ast.Constant(0, lineno=line, end_lineno=end_line, col_offset=repair.col, end_col_offset=end_col)
    span = span_of(cell, source, node)
    if span is None or not span.code.strip():
        return None
    if line != end_line:
        return span
    text, start, end = lines[line - 1], span.col, span.end_col
    while _depth(text[start:end]) > 0 and text[end : end + 1] in (")", " "):
        end += 1
    while _depth(text[start:end]) < 0 and start and text[start - 1] in "( ":
        start -= 1
    return Span(cell, line, line, start, end, text[start:end])


def _depth(code: str) -> int:
    """How many brackets are open at the end."""
    return code.count("(") - code.count(")")
