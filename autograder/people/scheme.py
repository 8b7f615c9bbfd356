"""A mark scheme as boxes to tick: read from the words that stand in the reference, never worth more than the part."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_MARKERS = re.compile(r"=== BEGIN MARK SCHEME ===\n(.*?)=== END MARK SCHEME ===", re.DOTALL)
_WORTH = re.compile(r"(\d+(?:\.5)?) points?\b")
_IN_ALL = re.compile(r"\((\d+) points(?: in all)?[;)]|\((\d+) points in all\)")
_ONE_EACH = re.compile(r"\(1(?: point)?\)[.;:]?")


@dataclass(frozen=True)
class Box:
    """One line of a scheme that can be ticked: what it is known by, what it is worth, its words."""

    key: str
    points: float
    words: str

    def plain(self) -> dict[str, Any]:
        """As it is kept with a mark."""
        return {"key": self.key, "points": self.points, "words": self.words}


@dataclass(frozen=True)
class Scheme:
    """The boxes of a part, worth the part's points in all, and what else the scheme says."""

    boxes: tuple[Box, ...]
    notes: str = ""


def parse(source: str, points: float) -> Scheme:
    """The scheme in the source of a part's cell. What its words leave open becomes boxes of a point without words.

    >>> parse("=== BEGIN MARK SCHEME ===\\n- 2 points: the mask. One (1); two (1).\\n=== END MARK SCHEME ===", 2).boxes
    (Box(key='1a', points=1.0, words='the mask. One'), Box(key='1b', points=1.0, words='two'))
    """
    found = _MARKERS.search(source)
    boxes: list[Box] = []
    notes: list[str] = []
    number = 0
    for block in _blocks(found[1] if found else ""):
        words = re.sub(r"\s+", " ", block.removeprefix("- ")).strip()
        start = _WORTH.match(words)
        if not block.startswith("- ") or start is None:
            notes.append(block)
            continue
        number += 1
        head, colon, rest = words.partition(":")
        everything = _IN_ALL.search(head)
        worth = float(next(filter(None, everything.groups()))) if everything else float(start[1])
        # "1 point: ..." is known by its colon; "3 points, one for each remedy: ..." keeps what it says before it
        said = rest.strip() if colon and head == start[0] else words
        boxes += _split(str(number), worth, said)
    missing = points - sum(box.points for box in boxes)
    if missing < 0:  # more than the part is worth: the words are shown, and points are given freely
        return Scheme((), "\n\n".join(_blocks(found[1] if found else "")))
    while missing > 0:
        boxes.append(Box(f"more{len(boxes) + 1}", min(1.0, missing), "a further point, see the notes"))
        missing -= min(1.0, missing)
    return Scheme(tuple(boxes), "\n\n".join(notes))


def _blocks(text: str) -> Iterator[str]:
    """Bullets and paragraphs, each with the lines that belong to it."""
    block: list[str] = []
    for line in text.splitlines():
        if (line.startswith("- ") or not line.strip()) and block:
            yield "\n".join(block)
            block = []
        if line.strip():
            block.append(line)
    if block:
        yield "\n".join(block)


def _split(key: str, worth: float, words: str) -> list[Box]:
    """Boxes of one bullet: one for every "(1)" in it, where these are all its points; else one for every point."""
    parts = [part.strip(" ;.") for part in _ONE_EACH.split(words)]
    if worth > 1 and len(_ONE_EACH.findall(words)) == worth:
        if parts[-1]:
            parts[-2] += f" ({parts[-1]})"
        return [Box(f"{key}{chr(97 + at)}", 1.0, part) for at, part in enumerate(parts[: int(worth)])]
    if worth <= 1 or worth != int(worth):
        return [Box(key, worth, words.rstrip("."))]
    return [
        Box(f"{key}{chr(97 + at)}", 1.0, words.rstrip(".") if not at else f"one more of line {key}: {words[:60]} …")
        for at in range(int(worth))
    ]


def total(scheme: Scheme, ticked: Collection[str], free: float, most: float) -> float:
    """The points of ticked boxes and free points, never below zero nor above the part's."""
    points = sum(box.points for box in scheme.boxes if box.key in set(ticked)) + free
    return max(0.0, min(points, most))


def revised(scheme: Scheme, changes: Sequence[Mapping[str, Any]]) -> Scheme:
    """The scheme with other words or another worth for some boxes."""
    by_key = {str(one["key"]): one for one in changes}
    boxes = tuple(
        Box(box.key, float(by_key[box.key]["points"]), str(by_key[box.key]["words"])) if box.key in by_key else box
        for box in scheme.boxes
    )
    return Scheme(boxes, scheme.notes)
