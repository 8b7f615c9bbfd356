"""One sentence about a place: what stands there gives, and what is due."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autograder.locate.quantities import ELEMENTARY, FOREIGN, Quantity

SENTENCES = {
    "transpose": "{code} has to be transposed.",
    "transposed part": "In {code} one of the two has to be transposed.",
    "exchanged": "In {code} the two sides are exchanged.",
    "exchanged factors": "In {code} two factors stand in each other's place.",
    "default": "{code} is made once: what one call leaves in it is there in the next; each call is due a new one.",
    "keepdims": "{code} lacks an axis: numpy then combines it with a matrix in another way.",
    "axis": "{code} goes along the wrong axis, or does not keep it.",
    "index": "{code} takes another one than is due here: look at the index.",
    "condition": "{code} has to be the other way round here.",
    "entries": "{code} decides for all entries at once: here each of them is due its own decision.",
    "early": "{code} stands too early: something below it comes first.",
    "late": "{code} stands too late: something above it comes after it.",
    "into": "{code} belongs into the loop, at every pass.",
    "out of": "{code} stands in the loop or the branch and belongs behind it.",
    "deleted": "{code} is too much here.",
    "without": "In {code} a part is too much.",
    "without sign": "In {code} the sign is too much.",
    "also": "{code} lacks one of what is asked for.",
    "item": "{code} does not belong into this list.",
    "float": "{code} keeps whole numbers, which hold no fractions: `dtype=float` is due.",
    "blind": "{code} does not depend on anything that is given, and another answer is due each time.",
    "deep": "{code} is a call out of the function itself, once for each step: Python ends that after 1,000 steps.",
    "copy": "{code} is changed in place further on: a copy is due here.",
    "square": "{code} lacks its square here.",
    "in order": "In {code} two stand in each other's place.",
    "out before": "{code} stands in the loop and belongs before it.",
    "shared": "{code} gives several names one array: what changes one of them changes all; a copy is due.",
    "anew": "{code} changes the array itself, which something else holds, too: a new one is due.",
    "brackets": "In {code} brackets are missing, or stand elsewhere than is due.",
    "nested": "In {code} two steps are in the wrong order: what is done last comes first.",
    "summed": "{code} lacks its sum here.",
    "averaged": "{code} lacks its mean here.",
    "handed": "In {code} something else has to be handed on.",
    "sign": "{code} lacks a minus here.",
    "kept axis": "{code} loses an axis here: a number takes it away, a list with this number keeps it.",
    "backwards": "{code} stands the other way round: what is last has to be first.",
    "at the beginning": "{code} adds at the end; it has to stand at the beginning.",
    "at the end": "{code} adds at the beginning; it has to stand at the end.",
    "beside": "In {code} one of the two is due beside the other there, not instead of it.",
    "here": "{code} is right where it got its value, and not what is due here.",
    "raised": "An error is raised here, and an answer is due.",
    "turned": "In {code} the two sides of `=` are exchanged.",
}


def sentence(kind: str, code: str, due: Quantity | None, given: Quantity | None, table: Sequence[Quantity]) -> str:
    """What is said of a repair. ``code`` is the piece of the source."""
    quoted = f"`{shortened(code)}`"
    what, _, detail = kind.partition(" ")
    if kind in SENTENCES:
        return SENTENCES[kind].format(code=quoted)
    if what in ("factor", "term") and due is None:
        return f"{quoted} lacks a {what} here: `{detail}`."
    if what in ("factor", "term"):
        lacking = f": {detail}{' ' * bool(detail)}{due.text}" if due is not None and due.text else ""
        return f"{quoted} lacks a {what} here{lacking}."
    detail = shortened(detail, 40)
    if what == "comparison":
        return f"In {quoted} the comparison has to be `{detail}`."
    if what == "assigned":
        return f"In {quoted} it has to be `{detail}`."
    if what == "changed":
        return f"{quoted} changes `{detail}` in place, which belongs to whoever calls this: a copy is due."
    if what == "one":
        return f"In {quoted} an index that comes several times counts once: `{detail.split()[-1]}` is due."
    if what == "replaced":
        return f"Nothing in this class replaces `{detail}`: it is that of the class above."
    if what == "restored":
        return f"{quoted} moves `{detail}`, and nothing puts it back before the next pass."
    if what == "moved":
        return f"In {quoted} `{detail}` stands too early: it belongs where this is used."
    if what == "carried":
        return f"{quoted} does not carry on what it is handed: `{detail}` stay what they were."
    if what == "target":
        return f"{quoted} gives `{detail}` a value that is not its own."
    if what == "begins":
        return f"{quoted} lacks its first entry: `{detail}`."
    if what == "unchanged":
        return f"Nothing in this function gives `{detail}` another value: it is returned as it came in."
    if what == "returns":
        due_there = f": `return {detail}` is due at the end" if detail else ", nor is anything else changed"
        return f"Nothing is returned here{due_there}."
    if what == "calls":
        return f"Nothing in this function calls `{detail}`."
    if what == "each":
        return f"{quoted} takes all at once: each entry of `{detail}` is due its own pass."
    if what == "renamed":
        first, _, second = detail.partition(" ")
        return f"`self.{first}` and `self.{second}` stand in each other's place in this function."
    if what == "entry":
        return f"{quoted} is more than is asked for: `{detail}` is due here."
    if what == "keyword":
        return f"{quoted} lacks the argument `{detail}`."
    if what == "also":
        return f"{quoted} lacks one of what is asked for: `{detail}`."
    if what == "letters":
        return f"In {quoted} the letters have to be `{detail}`."
    if what == "rows":
        return f"{quoted} goes along the first axis of `{detail}` alone, not over all its entries."
    if what == "items":
        return f"In {quoted} these do not belong: `{detail}`."
    if what == "option":
        return f"In {quoted} the argument `{detail}` is too much."
    if what == "around":
        return f"{quoted} lacks a call around it: `{detail}`."
    if what == "lacking":
        return f"{quoted} lacks `{detail}`."
    if what == "unkept":
        return f"Nothing here keeps `{detail}` as `self.{detail}`."
    if what == "inherited":
        return f"{quoted} gives `self.{detail}` its value, which is not what is due here, and nothing changes it."
    if what in ("number", "name", "argument", "size"):
        return f"{quoted}: `{detail}` is due here."
    if what == "operator":
        return f"In {quoted} the operator has to be `{detail}`."
    if what == "function":
        return f"In {quoted} the {detail} is due."
    if what == "omitted":
        of_self = "" if "." in detail else "self."
        return f"Nothing in this function gives `{of_self}{detail}` its value."
    if what == "local":
        return f"This gives a value to the local name `{detail}`; `self.{detail}` stays what it was."
    if due is None or not due.text:
        return f"{quoted} is {given.text}, and something else is due here." if given and given.text else (
            f"{quoted} gives something else here than is due."
        )  # fmt: skip
    if _is_number(code):
        return f"{due.text[0].upper()}{due.text[1:]} is due here, not {quoted}."
    turned = "the transpose of " if kind == "value-transposed" else ""
    if given is None or not given.text:
        return f"{quoted} gives something else here: {turned}{due.text} is due."
    if kind == "value" and (factor := _factor(due, given, table)):
        return f"{quoted} is {given.text}. A factor is missing here: {factor}."
    if kind == "value" and (factor := _factor(given, due, table)):
        return f"{quoted} is {given.text}. One factor is too much here: {factor}."
    if kind == "value" and (term := _term(due, given, table)):
        return f"{quoted} is {given.text}. A term is missing here: {term}."
    return f"{quoted} is {given.text}. Here {turned}{due.text} is due."


def _is_number(code: str) -> bool:
    """Whether it is a number that was written down: it is what it is called."""
    try:
        return bool(np.isfinite(complex(code)))
    except ValueError:
        return False


def shortened(code: str, most: int = 80) -> str:
    """A piece of code on one line; a sentence in backticks holds no backtick."""
    line = " ".join(code.split()).replace("`", "'")
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _term(whole: Quantity, part: Quantity, table: Sequence[Quantity]) -> str:
    """What has to be added to the part, if that is one elementary quantity."""
    if [one.shape for one in whole.values] != [one.shape for one in part.values] or whole.values[0].ndim == 0:
        return ""
    missing = [a - b for a, b in zip(whole.values, part.values)]
    for one in table:
        fits = one.level < ELEMENTARY + 0.2 and one.text and one.values[0].ndim == missing[0].ndim
        if fits and all(
            np.shape(value)[:1] == gap.shape[:1] and np.shape(value)[1:] in (gap.shape[1:], (1,))
            and np.allclose(value, gap, rtol=1e-8, atol=1e-12)
            for value, gap in zip(one.values, missing)
        ):  # fmt: skip
            return one.text
    return ""


def _factor(whole: Quantity, part: Quantity, table: Sequence[Quantity]) -> str:
    """What the part has to be multiplied by, if that is one elementary quantity."""
    if whole.values[0].ndim == 0:
        return ""
    with np.errstate(all="ignore"):
        if [one.shape for one in whole.values] != [one.shape for one in part.values]:
            return ""
        ratios = [a / b for a, b in zip(whole.values, part.values)]
    if not all(np.all(np.isfinite(ratio)) for ratio in ratios):
        return ""
    for one in table:
        usual = one.level < ELEMENTARY + 0.2 and one.level < FOREIGN and one.text
        if usual and all(
            value.shape in ((), ratio.shape) and np.allclose(value, ratio, rtol=1e-8)
            for value, ratio in zip(one.values, ratios)
        ):
            return one.text
    return ""
