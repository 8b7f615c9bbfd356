"""Answers side by side: blanks, equal ones and nearly equal ones, each beside what is most like it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapidfuzz import fuzz, process

ALIKE = 92.0
"""From which likeness in percent two answers are in one group, if they also name the same numbers."""

_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")


def normal(text: str) -> str:
    """The words of an answer: capitals, spacing and punctuation between words do not matter."""
    return " ".join(re.findall(r"[^\W_]+|[-+*/=<>^]", text.casefold()))


def groups(texts: Sequence[str], alike: float = ALIKE) -> list[list[int]]:
    """The answers by their places, in groups; blanks come first, then like beside like.

    Every member is alike to the first of its group, and names the same numbers as it: one digit may be all that is
    wrong.
    """
    words = [normal(text) for text in texts]
    numbers = [sorted(_NUMBER.findall(text)) for text in texts]
    blank = [at for at, one in enumerate(words) if not one]
    found: list[list[int]] = []
    for at, one in enumerate(words):
        if not one:
            continue
        for group in found:
            same = one == words[group[0]]
            if numbers[at] == numbers[group[0]] and (same or fuzz.ratio(one, words[group[0]]) >= alike):
                group.append(at)
                break
        else:
            found.append([at])
    return ([blank] if blank else []) + _by_likeness(found, words)


def _by_likeness(found: list[list[int]], words: Sequence[str]) -> list[list[int]]:
    """Largest group first, then always the one most alike to the last."""
    left = sorted(found, key=lambda group: (-len(group), group[0]))
    ordered = left[:1]
    left = left[1:]
    while left:
        best = process.extractOne(
            words[ordered[-1][0]], [words[group[0]] for group in left], scorer=fuzz.token_set_ratio
        )
        ordered.append(left.pop(best[2]))
    return ordered
