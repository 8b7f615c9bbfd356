"""Facts that a student states in a word, a number or a short list of them; why they are so stays with a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.exercise import RIGHT, Line, Question, Reply, Verdict
from autograder.exercises.shared import filled_in
from autograder.marking.compare import as_numbers
from autograder.marking.judges import line_by_line

Stated = str | float | Sequence[str | float]


@dataclass(frozen=True)
class Fact:
    """One fact: its points, what people call it, what is true, and a hint for whatever is not.

    ``true`` is computed when it is asked for; ``also`` are other right answers. A number may be off by ``within`` of
    itself. A list with one wrong entry earns half, unless the same stands in every place of it.
    """

    points: float
    label: str
    true: Callable[[], Stated]
    hint: str
    also: tuple[Stated, ...] = ()
    within: float = 0.005


def stated(id: str, title: str, facts: Mapping[str, Fact]) -> Question:
    """The question that asks for facts by their names."""

    @line_by_line
    def judge(name: str, reply: Reply) -> Verdict:
        fact, got = facts[name], reply.values.get(name)
        if got is None:
            return Verdict("missing", message=f"`{name}` is not filled in yet.")
        shares = [_share(got, right, fact.within) for right in (fact.true(), *fact.also)]
        if max(shares) == 1:
            return RIGHT
        if max(shares) < 0:
            return Verdict("wrong", message=f"`{name}` {_form(fact.true())}.")
        told = f"One entry of `{name}` is not right." if max(shares) else f"`{name}` is not right."
        return Verdict("wrong", share=max(shares), message=told, hint=fact.hint)

    asked = tuple(Line(name, fact.points, fact.label) for name, fact in facts.items())
    return Question(id, title, asked, filled_in(facts, called=id), judge)


def _share(got: Any, right: Stated, within: float) -> float:
    """How much of the points an answer earns beside a right one; less than 0 where it is of another form."""
    if isinstance(right, str | float | int):
        if isinstance(right, str) != isinstance(got, str):
            return -1
        return float(_same(got, right, within))
    entries = got.tolist() if hasattr(got, "tolist") else got
    if not isinstance(entries, list | tuple) or len(entries) != len(right):
        return -1
    wrong = sum(not _same(one, two, within) for one, two in zip(entries, right))
    constant = len({str(entry) for entry in entries}) == 1
    return 1.0 if not wrong else 0.5 if wrong == 1 and not constant else 0.0


def _same(got: Any, right: str | float, within: float) -> bool:
    if isinstance(right, str):
        return isinstance(got, str) and _bare(got) == _bare(right)
    number = as_numbers(got)
    if isinstance(number, str) or number.size != 1:
        return False
    return abs(float(number.item()) - right) <= (within * abs(right) if right else 1e-15)


def _bare(text: str) -> str:
    """A text without what people write in different ways: capitals, spaces, signs of a product, dashes."""
    return "".join(text.casefold().replace("*", "").replace("-", " - ").split())


def _form(right: Stated) -> str:
    if isinstance(right, str):
        return "has to be one of the words of the text, in quotes"
    if isinstance(right, float | int):
        return "has to be one number"
    return f"has to be a list of {len(right)} {'words' if isinstance(right[0], str) else 'numbers'}"
