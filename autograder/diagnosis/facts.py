"""What can be measured about a wrong answer, without guessing why it is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product

import numpy as np

from autograder.diagnosis.spec import Array, Pass, Point, Spec

EXACT = 1e-9


def measure(
    spec: Spec,
    passes: Sequence[Pass],
    parameter: str,
    got: Sequence[Array],
    expected: Sequence[Array],
    points: Sequence[Point],
) -> tuple[tuple[str, ...], str | None]:
    """Facts about the answers for one parameter at all points, in plain sentences, and the factor if there is one.

    Shapes are those of the arrays that were given, whatever the layout is in which they are compared.
    """
    name = spec.answer_name(parameter)
    if any(value.dtype.kind not in "fiub" for value in got):
        return (f"{name} does not hold real numbers (dtype {got[0].dtype}).",), None
    for value, want, point in zip(got, expected, points):
        if value.shape != want.shape:
            shape = point.shapes.get(name, np.shape(point.answers[name]))
            due = point.shapes.get(parameter, np.shape(point.inputs[parameter]))
            fact = f"{name} has shape {shape}; {due} was expected."
            return (fact, *_reshaped(name, got, expected)), None
    if not all(np.isfinite(value).all() for value in got):
        bad = sum(int((~np.isfinite(value)).sum()) for value in got)
        return (f"{name} holds {bad} values that are NaN or infinite, of {sum(v.size for v in got)}.",), None
    got = [value.astype(float) for value in got]
    if not any(value.any() for value in got):
        return (f"Every entry of {name} is zero.",), None
    facts: list[str] = []
    # An update is compared by its step: the factor of W_new itself would say nothing.
    steps = [(v - c.value(parameter), w - c.value(parameter)) for v, w, c in zip(got, expected, passes)]
    pairs = steps if spec.result == "update" else list(zip(got, expected))
    what = name if spec.result == "gradients" else f"The step from {parameter} to {name}"
    if not any(np.abs(a).max() > 1e-14 for a, _ in pairs):
        return (f"{name} is {parameter}, unchanged.",), None
    factor = _factor(passes, pairs)
    if factor:
        return (f"{what} is {factor} times the right one, in every entry.",), factor
    error = max(np.abs(a - b).max() / max(np.abs(b).max(), 1e-300) for a, b in pairs)
    if error < 1e-5:
        facts.append(f"{name} is right to about {error:.0e} of its size: it may have been rounded.")
    if got[0].shape[0] == got[0].shape[1] and all(_close(a.T, b) for a, b in pairs):
        facts.append(f"{what} is the transpose of the right one.")
    if all(_close(np.abs(a), np.abs(b)) for a, b in pairs):
        facts.append(f"Only signs differ in {name}.")
    facts += _where(spec, passes, parameter, name, pairs)
    if spec.result == "gradients" and parameter[0] == "W":
        extra = [(a - b, c.w[int(parameter[1:])]) for (a, b), c in zip(pairs, passes)]
        multiple = _factor(passes, extra)
        if multiple:
            facts.append(f"The difference from the right {name} is {multiple} times {parameter}, in every entry.")
    if all(a.size > 1 and np.ptp(a - b) <= EXACT * np.abs(a).max() for a, b in pairs):
        facts.append(f"Every entry of {name} is off by the same amount.")
    return tuple(facts), None


def _close(a: Array, b: Array) -> bool:
    return bool(np.abs(a - b).max() <= EXACT * max(np.abs(a).max(), np.abs(b).max(), 1e-300))


def _reshaped(name: str, got: Sequence[Array], expected: Sequence[Array]) -> list[str]:
    if all(a.ndim == 2 and a.T.shape == b.shape and 1 not in b.shape and _close(a.T, b) for a, b in zip(got, expected)):
        return [f"{name} holds the right numbers, transposed."]
    if all(a.size == b.size and _close(a.ravel(), b.ravel()) for a, b in zip(got, expected)):
        return [f"The numbers in {name} are right; only the shape is not."]
    return []


def _factor(passes: Sequence[Pass], pairs: Sequence[tuple[Array, Array]]) -> str | None:
    """The number that turns the second array into the first at every point, in terms of m, n, h, o where one fits."""
    factors = []
    if sum(a.size for a, _ in pairs) < 2:
        return None
    for a, b in pairs:
        square = float((b * b).sum())
        s = float((a * b).sum()) / square if square else 0.0
        if s == 0 or np.abs(a - s * b).max() > EXACT * np.abs(a).max():
            return None
        factors.append(s)
    if all(abs(s - 1) < EXACT for s in factors):
        return None
    named = _in_terms_of_sizes(passes, factors)
    fraction = Fraction(factors[0]).limit_denominator(1000)
    constant = all(abs(s - factors[0]) <= EXACT * abs(s) for s in factors)
    is_fraction = constant and abs(float(fraction) - factors[0]) <= EXACT * abs(factors[0])
    if is_fraction:
        # 2 and 1/2 have causes enough of their own: no size is read into them.
        return f"{fraction} (= {named})" if named and abs(fraction) not in (2, Fraction(1, 2)) else str(fraction)
    if named:
        return named
    return f"{factors[0]:.6g}" if constant else None


def _in_terms_of_sizes(passes: Sequence[Pass], factors: Sequence[float]) -> str | None:
    """A product such as ``-2m`` or ``1/o`` that equals the factor at every point; the simplest one first."""
    sizes = []
    for c in passes:
        layers = {"m": c.m, "n": c.a[0].shape[0]}
        layers |= {"h" if c.spec.depth == 2 else f"h{k}": c.w[k].shape[0] for k in range(1, c.spec.depth)}
        sizes.append(layers | {"o": c.o})
    names = list(sizes[0])
    candidates = []
    for powers in product((0, 1, -1, 2, -2), repeat=len(names)):
        if sum(map(abs, powers)) <= 2:
            for number in (1, 2, Fraction(1, 2), -1, -2, Fraction(-1, 2)):
                candidates.append((sum(map(abs, powers)) + (abs(number) != 1), powers, number))
    candidates.sort(key=lambda item: item[0])
    for weight, powers, number in candidates:
        if weight and any(powers):
            values = [float(number) * np.prod([s[k] ** p for k, p in zip(names, map(float, powers))]) for s in sizes]
            if all(abs(v - s) <= EXACT * abs(s) for v, s in zip(values, factors)):
                return _written(names, powers, Fraction(number))
    return None


def _written(names: Sequence[str], powers: Sequence[int], number: Fraction) -> str:
    top = [name if p == 1 else f"{name}^2" for name, p in zip(names, powers) if p > 0]
    bottom = [name if p == -1 else f"{name}^2" for name, p in zip(names, powers) if p < 0]
    if abs(number.numerator) != 1 or not top:
        top.insert(0, str(abs(number.numerator)))
    if number.denominator != 1:
        bottom.insert(0, str(number.denominator))
    text = " ".join(top) + (f"/({' '.join(bottom)})" if len(bottom) > 1 else "/" + bottom[0] if bottom else "")
    return f"-{text}" if number < 0 else text


def _where(
    spec: Spec, passes: Sequence[Pass], parameter: str, name: str, pairs: Sequence[tuple[Array, Array]]
) -> list[str]:
    """Which rows, columns or entries are wrong, when not all of them are, and the same ones at every point."""
    wrong = [np.abs(a - b) > EXACT * max(np.abs(b).max(), np.abs(a).max()) for a, b in pairs]
    layer = int(parameter[1:])
    facts = []
    if layer < spec.depth and not all(w.all() for w in wrong):
        rows = [w.any(axis=1) for w in wrong]
        for words, test in (("only where", np.all), ("only in units for which some example has", np.any)):
            negative = [test(c.z[layer] < 0, axis=1) for c in passes]
            if any(n.any() for n in negative) and all((r == n).all() for r, n in zip(rows, negative)):
                facts.append(f"{name} is wrong {words} Z{layer} < 0.")
                return facts
    if any(w.shape != wrong[0].shape or (w != wrong[0]).any() for w in wrong) or wrong[0].all():
        return facts
    mask = wrong[0]
    for axis, word in ((1, "row"), (0, "column")):
        lines = mask.any(axis=axis)
        if not lines.all() and (mask.all(axis=axis) == lines).all() and mask.shape[1 - axis] > 1:
            listed = ", ".join(str(i + 1) for i in np.flatnonzero(lines))
            several = lines.sum() > 1
            facts.append(f"Only {word}{'s' if several else ''} {listed} of {name} {'are' if several else 'is'} wrong.")
            return facts
    facts.append(f"{int(mask.sum())} of the {mask.size} entries of {name} are wrong, the others are right.")
    return facts
