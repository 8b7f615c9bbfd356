"""What no recipe explains, solved: p_new = c1 p + c2 T + ..., for few T, by least squares over all points.

T is the error of the layer times its operand in the ways and shapes that numpy makes of it; the error comes from the
mistakes that are already named, or from one new one. A claim needs three more numbers than constants, every constant
has to count, and each must be a known one at every point (alpha, lambda, m) or the same number at all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from autograder.diagnosis.constants import Coefficients, translate
from autograder.diagnosis.explanation import EXACT, SPARE, Explanation, tokens_at
from autograder.diagnosis.grammar import chain_points
from autograder.diagnosis.recover import polynomial, used_derivative
from autograder.diagnosis.search import Search, TooMany
from autograder.diagnosis.spec import Array, Pass
from autograder.diagnosis.wide import DUE, GENERAL

COUNTS = 1e-7  # part of the answer that a term must make up

Terms = tuple[str, ...]


@dataclass(frozen=True)
class _Error:
    """One error of the layer at every point, with what it takes to get it."""

    tokens: frozenset[str]
    ordered: tuple[str, ...]
    note: str
    values: tuple[Array, ...]


def _fixed_terms(c: Pass, parameter: str) -> dict[str, Array]:
    layer, own = int(parameter[1:]), c.value(parameter)
    terms = {"p": own, "1": np.ones(()), "p*p": own * own}
    if own.shape[0] != own.shape[1] or parameter[0] == "W":
        terms["p.T"] = own.T
    if c.spec.biases:
        terms["other"] = c.b[layer] if parameter[0] == "W" else c.w[layer]
    if c.spec.result == "update" and parameter[0] == "b" and layer in c.updated:
        terms["other new"] = c.updated[layer]
    return terms


Make = Callable[[Pass, int, Array], Array]

_WEIGHT_TERMS: Mapping[str, Make] = {
    "G": lambda c, at, e: e @ c.a[at - 1].T * c.scale,
    "G.T": lambda c, at, e: np.swapaxes(e @ c.a[at - 1].T, -1, -2) * c.scale,
    "p*G": lambda c, at, e: c.w[at] * (e @ c.a[at - 1].T) * c.scale,
    "B": lambda c, at, e: e.sum(axis=-1, keepdims=True) * c.scale,
    "B flat": lambda c, at, e: e.sum(axis=-1) * c.scale,
    "total": lambda c, at, e: e.sum(axis=(-1, -2), keepdims=True) * c.scale,
}
_BIAS_TERMS: Mapping[str, Make] = {
    "B": lambda c, at, e: e.sum(axis=-1, keepdims=True) * c.scale,
    "B flat": lambda c, at, e: e.sum(axis=-1) * c.scale,
    "p*B": lambda c, at, e: c.b[at] * e.sum(axis=-1, keepdims=True) * c.scale,
    "E": lambda c, at, e: e * c.scale,
    "E over units": lambda c, at, e: e.sum(axis=-2, keepdims=True) * c.scale,
    "E over units flat": lambda c, at, e: e.sum(axis=-2) * c.scale,
    "total": lambda c, at, e: e.sum(axis=(-1, -2), keepdims=True) * c.scale,
    "G": lambda c, at, e: e @ c.a[at - 1].T * c.scale,
}
_OTHERS: tuple[Terms, ...] = (("p",), (), ("p", "1"), ("other",), ("other new",), ("p", "other"), ("p.T",), ("1",))
_PLAIN: tuple[Terms, ...] = (("p",), (), ("p", "1"))

# What becomes of the result in the end, where it is not handed in as it is.
_ENDS: Mapping[str, Callable[[Array], Array]] = {
    "": lambda r: r,
    "first row": lambda r: r[..., 0, :],
    "first row kept": lambda r: r[..., :1, :],
    "first column": lambda r: r[..., :, 0],
    "first column kept": lambda r: r[..., :, :1],
    "transposed": lambda r: np.swapaxes(r, -1, -2),
    "flat": lambda r: r.reshape(*r.shape[:-2], -1),
}


@dataclass
class Solver:
    """One wrong parameter, as handed in at every point."""

    passes: Sequence[Pass]
    parameter: str
    raw: Sequence[Array]

    @property
    def layer(self) -> int:
        """The layer of the parameter."""
        return int(self.parameter[1:])

    @cached_property
    def _groups(self) -> list[list[int]]:
        """Points at which every constant is the same."""
        groups: dict[tuple[object, ...], list[int]] = {}
        for index, c in enumerate(self.passes):
            shapes = tuple(w.shape for w in c.w.values())
            groups.setdefault((c.m, c.learning_rate, c.reg_lambda, shapes), []).append(index)
        return list(groups.values())

    def errors(self, free: frozenset[str], cost: int) -> list[_Error]:
        """The errors of the layer that can be made at every point with ``cost`` new mistakes."""
        wide = cost > 0 or any(t.split("@")[0] in GENERAL for t in free)
        searches = [Search(self.passes, free, base, wide=wide) for base in range(len(self.passes))]
        names = chain_points(self.passes[0].spec, self.layer)
        tables = []
        for search in searches:
            table = dict[tuple[int, ...], Array]()
            for stack in search.chain(self.layer, cost):
                finite = np.isfinite(stack.values).all(axis=(1, 2))
                rows = map(tuple, stack.rows[finite].tolist())
                table.update(zip(rows, stack.values[finite]))
            tables.append(table)
        found = []
        for row in tables[0]:
            if all(row in table for table in tables):
                options = [(name, searches[0].grammar[name][i]) for name, i in zip(names, row)]
                ordered = tuple(t for name, option in options for t in tokens_at(name, option))
                notes = [
                    _note(self.passes[0], name, option.name)
                    for name, option in options
                    if set(option.mistakes) & set(GENERAL)
                ]
                values = tuple(table[row] for table in tables)
                found.append(_Error(frozenset(ordered), ordered, " ".join(notes), values))
        return found

    def explain(self, free: frozenset[str], most: int) -> list[Explanation]:
        """What gives the answer, with as few new mistakes in the error as possible, and no more than ``most``."""
        if any(value.dtype.kind != "f" or value.ndim > 2 or not np.isfinite(value).all() for value in self.raw):
            return []
        if len({value.ndim for value in self.raw}) > 1:
            return []
        for cost in range(most + 1):
            made = self._polynomial(free) if cost == 1 else None
            if made is not None:
                return [made]
            try:
                errors = self.errors(free, cost)
            except TooMany:
                return []
            found = self._merged(self._matches(errors, cost))
            if found:
                return found
        return []

    def _polynomial(self, free: frozenset[str]) -> Explanation | None:
        """The derivative of this layer as a polynomial, given what is known of the layers above."""
        spec = self.passes[0].spec
        if self.layer == spec.depth:
            return None
        for e in Solver(self.passes, f"W{self.layer + 1}", ()).errors(free, 0):
            made = polynomial(self.passes, self.parameter, self.raw, _carried(self.passes, self.layer, e), e.ordered)
            if made is not None:
                return made
        return None

    def _merged(self, matches: Iterator[Explanation]) -> list[Explanation]:
        best: dict[frozenset[str], Explanation] = {}
        for e in matches:  # a formula in two spellings is one
            best.setdefault(frozenset(t.split("=")[0] for t in e.tokens), e)
        found = list(best.values())
        named = [e for e in found if not any(t.split("@")[0] in GENERAL for t in e.tokens)]
        found = named or found
        fewest = min((len(e.tokens) for e in found), default=0)
        return [e for e in found if len(e.tokens) == fewest]

    # The fit

    def _matches(self, errors: Sequence[_Error], cost: int) -> Iterator[Explanation]:
        fixed = [_fixed_terms(c, self.parameter) for c in self.passes]
        makers = _WEIGHT_TERMS if self.parameter[0] == "W" else _BIAS_TERMS
        due = "G" if self.parameter[0] == "W" else "B"
        stacks = [np.stack([e.values[k] for e in errors]) for k in range(len(self.passes))] if errors else []
        made: dict[str, list[Array]] = {}
        for name, make in makers.items() if errors else ():
            if name in ("p*B",) and not self.passes[0].spec.biases:
                continue
            made[name] = [make(c, self.layer, stack) for c, stack in zip(self.passes, stacks)]
        if due in made:
            yield from self._pinned(errors, made[due])
        for others in _OTHERS if cost == 0 else _PLAIN:
            if any(name not in fixed[0] for name in others):
                continue
            terms = [[f[name] for name in others] for f in fixed]
            for name, moving in made.items():
                yield from self._fitted(errors, name, moving, others, terms)
        if cost == 0:
            if "p*G" in made:
                terms = [[f["p"], f["p*p"]] for f in fixed]
                yield from self._fitted(errors, "p*G", made["p*G"], ("p", "p*p"), terms)
            for others in (("p",), ("p", "1")):
                yield from self._fitted((), "", [], others, [[f[n] for n in others] for f in fixed])
            for second in (n for n in made if n != due):
                for index, e in enumerate(errors[:8]):
                    added = [[f["p"], v[index]] for f, v in zip(fixed, made[second])]
                    yield from self._fitted((e,), due, [v[index][None] for v in made[due]], ("p", second), added)

    def _pinned(self, errors: Sequence[_Error], moving: Sequence[Array]) -> Iterator[Explanation]:
        """The right update with one of these errors: no constant is solved for."""
        near = np.ones(len(errors), bool)
        for c, value, stack in zip(self.passes, self.raw, moving):
            if stack.shape[1:] != value.shape:
                return
            p = c.value(self.parameter)
            gradient = stack + (c.decay * p if self.parameter[0] == "W" else 0.0)
            got = p - c.rate * gradient if c.spec.result == "update" else gradient
            size = np.maximum(np.abs(got).max(axis=(-1, -2)), np.abs(value).max(initial=0.0))
            near &= np.abs(got - value).max(axis=(-1, -2)) <= EXACT * size
        if self._numbers < SPARE:
            return
        for index in np.flatnonzero(near):
            e = errors[int(index)]
            yield Explanation(None, e.tokens, e.ordered, (), (e.note,) if e.note else ())

    @cached_property
    def _numbers(self) -> int:
        return sum(np.unique(value).size for value in self.raw)

    def _fitted(
        self,
        errors: Sequence[_Error],
        name: str,
        moving: Sequence[Array],
        others: Terms,
        terms: Sequence[Sequence[Array]],
    ) -> Iterator[Explanation]:
        constants = len(others) + bool(name)
        if self._numbers < constants * len(self._groups) + SPARE:
            return
        count = max(len(errors), 1)
        arrays = [[*(t[None] for t in terms[k]), *([moving[k]] if name else [])] for k in range(len(self.raw))]
        try:
            shapes = [np.broadcast_shapes(*(a.shape[1:] for a in row)) for row in arrays]
        except ValueError:
            return
        for end, change in _ENDS.items():
            if end and len(shapes[0]) != 2:
                continue
            if (end == "") != all(s == v.shape for s, v in zip(shapes, self.raw)):
                continue
            try:
                changed = [[change(np.broadcast_to(a, (len(a), *s))) for a in row] for row, s in zip(arrays, shapes)]
            except (IndexError, ValueError):
                continue
            if any(row[0].shape[1:] != v.shape for row, v in zip(changed, self.raw)):
                continue
            solved = self._solve(changed, count, bool(name))
            for index, found in solved:
                e = errors[index] if name else None
                made = translate(self.passes, self.parameter, Coefficients(others, name, end, found, self._groups))
                if made is None:
                    continue
                local, facts = made
                tokens, note = (e.tokens, e.note) if e is not None else (frozenset(), "")
                ordered = e.ordered if e is not None else ()
                if not tokens and not local:
                    continue
                yield Explanation(
                    None,
                    tokens | frozenset(local),
                    (*ordered, *local),
                    tuple(local),
                    (*([note] if note else []), *facts),
                )

    def _solve(
        self, arrays: Sequence[Sequence[Array]], count: int, moves: bool
    ) -> list[tuple[int, list[tuple[float, ...]]]]:
        """For each error that fits: its index and the constants of every group."""
        near = np.ones(count, bool)
        for group in self._groups:
            y = np.concatenate([self.raw[k].ravel() for k in group])
            if moves:
                rows = [arrays[k][-1].reshape(len(arrays[k][-1]), -1) for k in group]
                t = np.concatenate([np.broadcast_to(r, (count, r.shape[1])) for r in rows], axis=1)
            fixed = len(arrays[0]) - moves
            if fixed:
                p = np.stack([np.concatenate([arrays[k][j][0].ravel() for k in group]) for j in range(fixed)], axis=1)
                q = np.linalg.qr(p)[0]
                left = y - q @ (q.T @ y)
                if moves:
                    t = t - (t @ q) @ q.T
            else:
                left = y
            if moves:
                squares = np.einsum("ij,ij->i", t, t)
                c = (t @ left) / squares
                rest = np.abs(left[None, :] - c[:, None] * t).max(axis=1)
            else:
                rest = np.array([np.abs(left).max()])
            near &= np.isfinite(rest) & (rest <= EXACT * np.abs(y).max())
            if not near.any():
                return []
        found = []
        for index in np.flatnonzero(near):
            constants = []
            for group in self._groups:
                y = np.concatenate([self.raw[k].ravel() for k in group])
                columns = [
                    np.concatenate([a[j][index if len(a[j]) > 1 else 0].ravel() for a in (arrays[k] for k in group)])
                    for j in range(len(arrays[0]))
                ]
                c, _, rank, _ = np.linalg.lstsq(np.stack(columns, axis=1), y, rcond=1e-12)
                parts = [abs(x) * np.abs(col).max() for x, col in zip(c, columns)]
                if rank < len(columns) or min(parts) <= COUNTS * np.abs(y).max():
                    break
                constants.append(tuple(float(x) for x in c))
            else:
                found.append((int(index), constants))
        return found


def _carried(passes: Sequence[Pass], layer: int, above: _Error) -> list[Array]:
    return [c.w[layer + 1].T @ v for c, v in zip(passes, above.values)]


def derivative_facts(
    passes: Sequence[Pass], layer: int, answers: Sequence[Mapping[str, Array]], free: frozenset[str]
) -> tuple[str, ...]:
    """Which numbers a hidden layer was multiplied with, where they can be solved for and one error reaches it."""
    above = Solver(passes, f"W{layer + 1}", ()).errors(free, 0)
    if not above:
        return ()
    return tuple(used_derivative(passes, layer, answers, _carried(passes, layer, above[0])))


def _note(c: Pass, point: str, formula: str) -> str:
    """What was multiplied with, and what is due."""
    layer = point.rpartition("-")[2]
    if not layer.isdecimal():
        return f"The output error is {formula}, up to a factor."
    return f"The error of layer {layer} is multiplied by {formula}; {DUE[c.activation(int(layer))]} is due."


def explain_solved(
    passes: Sequence[Pass], parameter: str, raw: Sequence[Array], free: frozenset[str], most: int = 1
) -> list[Explanation]:
    """All explanations of one parameter by solving, the simplest ones; none where nothing fits."""
    return Solver(passes, parameter, raw).explain(free, most)
