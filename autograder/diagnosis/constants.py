"""Constants that were solved for, in words: alpha, lambda, m, or a number that is the same at every point."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from autograder.diagnosis.grammar import SCALES, choice_points
from autograder.diagnosis.spec import Pass
from autograder.diagnosis.steps import Penalty

CLOSE = 1e-7
NEAR_ONE = 1e-3  # a factor nearer to 1 than this is measured, but called nothing
FAR = 1e4  # one further from 1 than this, too: values that tell nothing give such

OF_TERM = {
    "G.T": ("result-transposed",),
    "p*G": ("multiplied-instead-of-subtracted",),
    "p*B": ("multiplied-instead-of-subtracted",),
    "total": ("gradient-collapsed-to-one-number",),
    "E": ("bias-not-summed-over-batch",),
    "E over units": ("bias-summed-over-units",),
    "E over units flat": ("bias-summed-over-units",),
}
BY_KIND = {
    ("W", "B"): ("bias-gradient-for-weights",),
    ("W", "B flat"): ("bias-gradient-for-weights", "row-and-column-to-a-matrix"),
    ("b", "B flat"): ("row-and-column-to-a-matrix",),
    ("b", "G"): ("weight-gradient-for-bias",),
    ("b", "total"): ("bias-summed-over-everything",),
}


@dataclass(frozen=True)
class Coefficients:
    """``others`` and the gradient ``term`` with their constants, group by group (the term's last); ``end`` says what
    became of the sum.
    """

    others: tuple[str, ...]
    term: str
    end: str
    values: Sequence[tuple[float, ...]]
    groups: Sequence[Sequence[int]]

    def of(self, name: str) -> list[float] | None:
        """The constants of one term, or None when it is not there."""
        if name == self.term and name:
            return [v[-1] for v in self.values]
        if name in self.others:
            return [v[self.others.index(name)] for v in self.values]
        return None


SOLVED = frozenset(
    {
        "another-parameter-added",
        "another-parameter-updated",
        "constant-added",
        "data-term-missing",
        "parameter-scaled",
        "rate-added-not-multiplied",
        "wrong-factor",
        *(mistake for ids in (*OF_TERM.values(), *BY_KIND.values()) for mistake in ids),
    }
)
"""Mistakes that are named where constants are solved for; most of them have no option in the grammar."""

Words = tuple[list[str], list[str]]


def translate(passes: Sequence[Pass], parameter: str, found: Coefficients) -> tuple[tuple[str, ...], list[str]] | None:
    """The mistakes that the constants stand for, and facts with numbers; None when they mean nothing."""
    cs = [passes[group[0]] for group in found.groups]
    update = cs[0].spec.result == "update"
    steps = [-c.rate if update else 1.0 for c in cs]  # what the gradient is multiplied by
    ids: list[str] = []
    facts: list[str] = []
    kind = parameter[0]
    added = _rate_added(cs, found)
    if added:
        steps = found.of(found.term) or steps
    for name in (found.term, *found.others):
        if name in ("p", "1", "other", "other new", "p*p", "p.T", ""):
            continue
        ids += BY_KIND.get((kind, name), OF_TERM.get(name, ()))
    if "p.T" in found.others or (found.end.startswith("first") and found.term != "E"):
        ids.append("row-and-column-to-a-matrix")
    elif found.end == "transposed":
        ids.append("result-transposed")
    elif found.end == "flat":
        ids.append("wrong-shape")
    parts = [
        (["rate-added-not-multiplied"], []) if added else _constant(cs, steps, found.of("1")),
        _data(cs, steps, found, parameter),
        _own(passes, cs, steps, found, parameter),
        _other(cs, steps, found, parameter),
        _second(steps, found),
    ]
    for part in parts:
        if part is None:
            return None
        ids += part[0]
        facts += part[1]
    return tuple(dict.fromkeys(ids)), facts


def _all(values: Sequence[float], wanted: Sequence[float]) -> bool:
    return len(values) == len(wanted) and all(abs(v - w) <= CLOSE * max(abs(w), abs(v)) for v, w in zip(values, wanted))


def _near(values: Sequence[float], wanted: Sequence[float]) -> bool:
    return all(abs(v - w) <= NEAR_ONE * abs(w) for v, w in zip(values, wanted))


def _one_number(values: Sequence[float]) -> bool:
    return _all(values, [values[0]] * len(values))


def _rate_added(cs: Sequence[Pass], found: Coefficients) -> bool:
    """Whether the rate stands beside the gradient, as in p - alpha + g."""
    constant, term = found.of("1"), found.of(found.term)
    return (
        cs[0].spec.result == "update"
        and constant is not None
        and term is not None
        and _all([abs(t) for t in term], [1.0] * len(cs))
        and _all([abs(v) for v in constant], [c.rate for c in cs])
    )


def _constant(cs: Sequence[Pass], steps: Sequence[float], constant: list[float] | None) -> Words | None:
    if constant is None:
        return [], []
    if any(c.decay for c in cs):
        for strengths in ([c.decay for c in cs], [c.reg_lambda for c in cs]):
            if _all(constant, [s * strength for s, strength in zip(steps, strengths)]):
                return ["penalty-without-weights"], []
    if _one_number(constant):
        return ["constant-added"], [f"{constant[0]:.6g} is added to every entry."]
    return None


def factors(c: Sequence[Pass]) -> Iterator[tuple[tuple[str, ...], list[float]]]:
    """Every known factor, and where m differs between the points also products of two."""
    known: list[tuple[str, tuple[str, ...], list[float]]] = []
    for point in SCALES:
        for option in choice_points(c[0].spec)[point]:
            values = [option.apply(one) for one in c]
            if option.mistakes and all(v is not None for v in values):
                known.append((point, option.mistakes, [float(v) for v in values]))
    for _, mistakes, row in known:
        yield mistakes, row
    apart = len({one.m for one in c}) > 1
    for (first, one, a), (second, two, b) in combinations(known, 2):
        if first != second and (apart or "sign-flipped" in (*one, *two)):
            yield (*one, *two), [x * y for x, y in zip(a, b)]


def _data(cs: Sequence[Pass], steps: Sequence[float], found: Coefficients, parameter: str) -> Words | None:
    term = found.of(found.term) if found.term else None
    if term is None:
        return ["data-term-missing"], []
    ratios = [t / s for t, s in zip(term, steps)]
    if _all(ratios, [1.0] * len(cs)):
        return [], []
    known = [(list(mistakes), values) for mistakes, values in factors(cs)]
    for mistakes, values in known:
        if _all(ratios, values):
            return mistakes, []
    called = [[1.0] * len(cs), *(values for _, values in known)]
    plausible = 1 / FAR <= abs(ratios[0]) <= FAR and not any(_near(ratios, values) for values in called)
    if _one_number(ratios) and plausible:
        return ["wrong-factor"], [f"The term of the data is {ratios[0]:.6g} times the right one."]
    return None


def _own(
    passes: Sequence[Pass], cs: Sequence[Pass], steps: Sequence[float], found: Coefficients, parameter: str
) -> Words | None:
    """What is left of the parameter itself."""
    update = cs[0].spec.result == "update"
    decays = [c.decay if parameter[0] == "W" else 0.0 for c in cs]
    name = "p.T" if "p.T" in found.others else "p"
    own = found.of(name)
    start = 1.0 if update else 0.0
    if own is None:
        for other in ("other", "other new"):
            if update and _all(found.of(other) or [], [1.0] * len(cs)):
                return ["another-parameter-updated"], []
        if "other new" in found.others:
            return None
        if update:
            return ["parameter-assigned-not-updated"], []
        return (["penalty-missing"] if any(decays) else []), []
    amounts = [(v - start) / s for v, s in zip(own, steps)]  # of p in the gradient
    if all(abs(a - d) <= CLOSE * max(abs(d), 1e-3) for a, d in zip(amounts, decays)):
        return [], []
    if any(decays) and all(abs(a) <= CLOSE for a in amounts):
        return ["penalty-missing"], []
    layer = int(parameter[1:])
    point = "penalty" if parameter[0] == "W" else "bias-penalty"
    for option in choice_points(cs[0].spec).get(point, ()):
        assert isinstance(option, Penalty)
        if not option.mistakes or any(abs(option.scale(c) - 1) > 0 for c in cs):
            continue
        added = [option.apply(c, layer) for c in cs]
        if all(
            np.shape(v) == c.value(parameter).shape
            and np.abs(v - a * c.value(parameter)).max() <= CLOSE * np.abs(v).max()
            for v, a, c in zip(added, amounts, cs)
        ):
            return list(option.mistakes), []
    if _one_number(own):
        said = f"The old {parameter} enters {own[0]:.6g} times." if update else f"{own[0]:.6g} {parameter} is added."
        return ([] if not found.term else ["parameter-scaled"]), [said]
    return None


def _other(cs: Sequence[Pass], steps: Sequence[float], found: Coefficients, parameter: str) -> Words | None:
    other = found.of("other")
    if other is None:
        return [], []
    if _all(other, [s * c.decay for s, c in zip(steps, cs)]) and any(c.decay for c in cs):
        return (["bias-gets-the-weights-penalty"] if parameter[0] == "b" else ["penalty-of-another-layer"]), []
    if "p" not in found.others and _all(other, [1.0] * len(cs)):
        return [], []  # said by what is left of the parameter itself
    if _one_number(other):
        name = ("b" if parameter[0] == "W" else "W") + parameter[1:]
        return ["another-parameter-added"], [f"{other[0]:.6g} times {name} is added."]
    return None


def _second(steps: Sequence[float], found: Coefficients) -> Words | None:
    """A second term of the gradient: added like the first, or a number."""
    for name in found.others:
        if name in ("p", "1", "other", "other new", "p.T"):
            continue
        values = found.of(name) or []
        ratios = [v / s for v, s in zip(values, steps)]
        if name == "p*p":
            return [], []
        if not _one_number(ratios):
            return None
        if not _all([abs(r) for r in ratios], [1.0] * len(ratios)):
            return [], [f"It is added {ratios[0]:.6g} times."]
    return [], []
