"""Other solutions of an exercise: right ones in another style, and wrong ones with the marks that they must lose.

They stand beside the reference script, in ``reference/<sheet>/<exercise>_variants.py``, as two tuples ``RIGHT`` and
``WRONG``. A variant says what it changes in the solved notebook: whole cells, or a few words of one. What is not
held against a question stands in a mapping ``ALLOWED``, with the reason.

Where a mistake is, its edits say: what they have put there, or where they have taken something out, is at fault. What
else may be pointed at, and what is at fault in a cell that is written anew, stands in ``FAULTS``: id to cell to texts.
A mistake that lies at no place of the code stands in ``UNPLACED``, with the reason. Where the reference computes long,
``QUICK`` names a right variant that computes less: wrong ones and shams are made from it.
"""

from __future__ import annotations

import runpy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autograder.course import CourseError
from autograder.exercise import Exercise


@dataclass(frozen=True)
class Variant:
    """One other way to fill in the notebook.

    ``cells`` replaces whole cells by grade id. ``edits`` replaces words inside solved cells; each must occur exactly
    as often as it is listed. ``loses`` maps ``question`` or ``question.line`` to the points that must be lost there;
    nothing else may be; where the draw of the data decides between a few amounts, it names them all in a tuple.
    ``named`` maps ``question.line`` to the mistakes that must be named there, ``statuses`` a question to its status
    when that is neither right nor wrong.
    """

    id: str
    title: str
    cells: Mapping[str, str] = field(default_factory=dict)
    edits: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    loses: Mapping[str, float | tuple[float, ...]] = field(default_factory=dict)
    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    statuses: Mapping[str, str] = field(default_factory=dict)

    @property
    def slip(self) -> bool:
        """Whether it is a single slip: one edit of the solution."""
        return sum(map(len, self.edits.values())) == 1 and not self.cells

    def apply(self, solved: Mapping[str, str]) -> dict[str, str]:
        """The sources of all solution cells of this variant, by grade id.

        Raises ValueError when an edit does not fit the solution: the variant would test something else.
        """
        sources = {**solved, **self.cells}
        for cell, edits in self.edits.items():
            for old, new in edits:
                if sources[cell].count(old) != 1:
                    raise ValueError(f"{self.id}: {old!r} occurs {sources[cell].count(old)} times in the cell {cell}")
                sources[cell] = sources[cell].replace(old, new)
        return sources

    def faults(self, solved: Mapping[str, str]) -> dict[str, list[tuple[int, int]]]:
        """The pieces of its cells that are at fault, as offsets: what its edits have changed. Whole cells have none.

        Where words were taken out the piece is empty, and lies where they stood.
        """
        found: dict[str, list[tuple[int, int]]] = {}
        for cell, edits in self.edits.items():
            source, pieces = {**solved, **self.cells}[cell], list[tuple[int, int]]()
            for old, new in edits:
                at, longer = source.find(old), len(new) - len(old)
                alike = _alike(old, new)
                rest = _alike(old[alike:][::-1], new[alike:][::-1])
                pieces = [(a + longer, b + longer) if a > at else (a, b) for a, b in pieces]
                pieces.append((at + alike, at + len(new) - rest))
                source = source.replace(old, new)
            found[cell] = pieces
        return found


def _alike(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    return next((n for n, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))


@dataclass(frozen=True)
class Variants:
    """All variants of one exercise.

    ``allowed`` gives reasons: for a line (``question.line``) that a sham may earn, for an argument that may be ignored
    (``function ignores argument``), and for a wrong variant of one edit that may cost more than a single slip.
    A reason that begins with "open:" says what is not right yet. ``quick`` is the right variant whose cells stand in
    the place of the reference's in shams, and in wrong variants wherever these have no edits, not even none.
    """

    right: tuple[Variant, ...]
    wrong: tuple[Variant, ...]
    allowed: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    unplaced: Mapping[str, str] = field(default_factory=dict)
    quick: str = ""

    def around(self, solved: Mapping[str, str], variant: Variant | None = None) -> dict[str, str]:
        """The right cells that shams, or this wrong variant, are made from: edits are those of the reference."""
        cells = {one.id: one for one in self.right}[self.quick].apply(solved) if self.quick else solved
        return {**cells, **{name: solved[name] for name in (variant.edits if variant else ()) if name in solved}}

    def at_fault(self, variant: Variant, solved: Mapping[str, str]) -> dict[str, list[tuple[int, int]]]:
        """The pieces of the cells of a wrong variant at which its place may be, as offsets; none if it has no place.

        Raises ValueError when a text of ``faults`` does not stand in its cell just once, or nothing says where it is.
        """
        if variant.id in self.unplaced:
            return {}
        sources, found = variant.apply(solved), variant.faults(solved)
        for cell, texts in self.faults.get(variant.id, {}).items():
            for text in texts:
                if sources[cell].count(text) != 1:
                    raise ValueError(f"{text!r} occurs {sources[cell].count(text)} times in the cell {cell}")
                start = sources[cell].index(text)
                found.setdefault(cell, []).append((start, start + len(text)))
        if not found:
            raise ValueError("no edit, and nothing in FAULTS or UNPLACED, says where its mistake is")
        return found

    def find(self, variant_id: str) -> Variant:
        """The variant with this id. Raises KeyError when there is none."""
        for variant in (*self.right, *self.wrong):
            if variant.id == variant_id:
                return variant
        raise KeyError(variant_id)


def right(variant_id: str, title: str, **cells: str) -> Variant:
    """A right solution in another style: the cells that it writes differently, by grade id."""
    return Variant(variant_id, title, cells=cells)


def wrong(
    variant_id: str,
    title: str,
    *,
    edits: Mapping[str, Sequence[tuple[str, str]]] | None = None,
    cells: Mapping[str, str] | None = None,
    loses: Mapping[str, float | tuple[float, ...]],
    named: Mapping[str, tuple[str, ...] | str] | None = None,
    statuses: Mapping[str, str] | None = None,
) -> Variant:
    """A wrong solution: what it changes, what that must cost, and what the student must be told."""
    names = {line: (ids,) if isinstance(ids, str) else tuple(ids) for line, ids in (named or {}).items()}
    return Variant(variant_id, title, cells or {}, edits or {}, loses, names, statuses or {})


def untouched(exercise: Exercise) -> dict[str, float]:
    """What the untouched stub must lose: everything that the machine marks."""
    return {question.id: question.points for question in exercise.questions}


def load_variants(root: Path, exercise: Exercise) -> Variants:
    """The variants of an exercise. Raises CourseError when their file is missing or does not define both tuples."""
    path = root / "reference" / exercise.sheet / f"{exercise.name}_variants.py"
    if not path.is_file():
        raise CourseError(f"reference/{exercise.sheet}/{path.name} is missing: write RIGHT and WRONG variants there.")
    found = runpy.run_path(str(path))
    try:
        allowed, faults, unplaced = (found.get(name, {}) for name in ("ALLOWED", "FAULTS", "UNPLACED"))
        quick = found.get("QUICK", "")
        return Variants(tuple(found["RIGHT"]), tuple(found["WRONG"]), allowed, faults, unplaced, quick)
    except KeyError as missing:
        raise CourseError(f"reference/{exercise.sheet}/{path.name} does not define {missing}.") from None
