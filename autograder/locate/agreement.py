"""Whether a named mistake and a repair of the code can be about the same slip; where they differ nothing is claimed."""

from __future__ import annotations

from collections.abc import Sequence

from autograder.mistakes import MISTAKES

OPEN = frozenset(
    {"value", "value-transposed", "name", "argument", "index", "condition", "comparison", "copy", "deleted", "early",
     "late", "into", "out", "assigned", "item", "also", "returns", "unchanged", "keyword", "omitted", "local", "in",
     "deep", "float", "blind", "handed", "begins", "entries", "calls", "kept",
     "backwards", "at", "turned", "each", "entry", "renamed",
     "shared", "anew", "brackets", "nested", "size",
     "letters", "rows", "items", "lacking", "unkept", "inherited", "option", "around", "target",
     "moved", "carried", "beside", "one", "restored", "replaced", "default", "raised", "here"}
)  # fmt: skip
"""Repairs that say what is due, or where a statement belongs: any mistake may be behind that."""

SPEAKS_OF = {
    "sign": {"sign", "without", "exchanged", "operator", "factor", "number", "term"},
    "transposed": {"transpose", "transposed", "exchanged", "operator", "without"},
    "not-summed": {"summed", "averaged", "axis", "keepdims", "function"},
    "1-over-m": {"factor", "averaged", "function", "operator", "without", "number", "summed"},
    "factor-2": {"factor", "operator", "without", "number"},
    "learning-rate-missing": {"factor", "operator", "number"},
    "derivative-missing": {"factor", "operator", "without"},
    "bias-forgotten": {"term", "operator", "without"},
}
"""The repairs, by their first word, that can mend a mistake whose id holds these words."""


def agree(mistakes: Sequence[str], kind: str) -> bool:
    """Whether a repair of this kind can be about one of the mistakes that are named. With none it can.

    >>> agree(("sign-flipped",), "exchanged"), agree(("sign-flipped",), "transpose"), agree((), "transpose")
    (True, False, True)
    """
    what = kind.split()[0]
    if what == "changed":
        return any("in-place" in id for id in mistakes)
    known = [repairs for id in mistakes for words, repairs in SPEAKS_OF.items() if words in id]
    return what in OPEN or len(known) < len(mistakes) or not known or any(what in one for one in known)


def both(text: str, mistakes: Sequence[str]) -> str:
    """One sentence that says the place and the mistake."""
    if len(mistakes) != 1 or mistakes[0] not in MISTAKES or not text.endswith("."):
        return text
    return f"{text[:-1]} ({MISTAKES[mistakes[0]].title})."
