"""Mistakes that the chosen points cannot tell apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autograder.diagnosis.explanation import same, tokens_at
from autograder.diagnosis.grammar import choice_points, run_mutated
from autograder.diagnosis.spec import Array, Point, Spec, forward


def aliases(spec: Spec, points: Sequence[Point]) -> tuple[tuple[str, str], ...]:
    """Pairs of different single mistakes that give the same answers at all ``points``: choose other challenges.

    Each is written ``choice-point=option``. Options that are one mistake in two spellings are not aliases.
    """
    seen: dict[str, tuple[tuple[str, ...], list[dict[str, Array]]]] = {}
    for point, options in choice_points(spec).items():
        for option in options:
            if not option.mistakes:
                continue
            try:
                answers = [_mutated(spec, p, point, option.name) for p in points]
            except ValueError:
                continue
            seen[f"{point}={option.name}"] = (tuple(tokens_at(point, option)), answers)
    right = [_mutated(spec, p, None, "") for p in points]
    pairs = []
    items = [(k, t, a) for k, (t, a) in seen.items() if not _equal(a, right)]
    for index, (name, tokens, answers) in enumerate(items):
        for other, other_tokens, other_answers in items[index + 1 :]:
            if set(tokens) != set(other_tokens) and _equal(answers, other_answers):
                pairs.append((name, other))
    return tuple(pairs)


def _mutated(spec: Spec, point: Point, choice: str | None, option: str) -> dict[str, Array]:
    return run_mutated(forward(spec, point.inputs), {choice: option} if choice else {})


def _equal(one: Sequence[Mapping[str, Array]], two: Sequence[Mapping[str, Array]]) -> bool:
    return all(a.keys() == b.keys() and all(same(a[k], b[k], 1e-7) for k in a) for a, b in zip(one, two))
