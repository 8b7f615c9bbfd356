"""The search: which recipes give exactly the student's numbers.

A recipe is one option at each choice point. For a bound on the number of new mistakes (0, 1, 2, 3), every chain of
options is evaluated at the first point as one stack of arrays. The scale is not searched: it is solved for, since an
answer g and a candidate C must satisfy g - penalty = s C, and s is looked up in a table. What survives is evaluated
again, from nothing, at every point. The work is bounded by the number of recipes, never by the clock.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from autograder.diagnosis.explanation import OWN_ERROR, Answer, Explanation, same, tokens_at
from autograder.diagnosis.grammar import (
    SCALES,
    DoesNotFit,
    Recipe,
    chain_points,
    choice_points,
    choice_points_of,
    evaluate,
    link_points,
)
from autograder.diagnosis.spec import Array, Pass
from autograder.diagnosis.steps import Link, Operand, Option, Options, Penalty, Product, Scale, Start, Update
from autograder.diagnosis.wide import formula_option, wide_derivatives, wide_output_errors

MAX_MISTAKES = 3
MAX_NUMBERS = 10_000_000  # in one stack of candidates; with more, that many mistakes are not searched
MAX_CHECKS = 600  # recipes evaluated again at every point, for one parameter and one number of mistakes


@dataclass
class _Stack:
    values: Array  # (k, ...)
    rows: Array  # (k, depth): index of the option at each choice point so far


@dataclass
class Search:
    """The stacks of one diagnosis, for one set of mistakes already named (``free``: repeating them costs nothing)."""

    passes: Sequence[Pass]
    free: frozenset[str] = frozenset()
    base: int = 0  # the point at which the stacks are evaluated
    own: bool = False  # take the student's own output error for right
    wide: bool = False  # with derivatives and output errors that no list has
    _chains: dict[tuple[int, int], list[_Stack]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Look up the grammar of the network."""
        self.first = self.passes[self.base]
        self.spec = self.first.spec
        own = {"output-error": (OWN_ERROR,)} if self.own else {}
        self.grammar: Mapping[str, Options] = {**choice_points(self.spec), **own}
        if self.wide:
            self.grammar = {point: (*options, *self._wider(point)) for point, options in self.grammar.items()}
        for token in self.free:  # a formula that was solved for is in no list
            point, _, text = token.partition("@")[2].partition("=")
            if text and all(text != option.name for option in self.grammar.get(point, ())):
                named = [option for option in self._wider(point) if option.name == text]
                found = named[0] if named else formula_option(text)
                self.grammar = {**self.grammar, point: (*self.grammar.get(point, ()), found)}

    def _wider(self, point: str) -> Options:
        step, _, layer = point.rpartition("-")
        if step == "derivative":
            return wide_derivatives(self.first.activation(int(layer)))
        return wide_output_errors(self.spec) if point == "output-error" else ()

    def cost(self, point: str, option: Option[Any]) -> int:
        """How many mistakes an option adds to those already named."""
        return len(set(tokens_at(point, option)) - self.free)

    # The chain: errors of the layers

    def chain(self, layer: int, cost: int) -> list[_Stack]:
        """All errors of ``layer`` made with exactly ``cost`` new mistakes."""
        key = (layer, cost)
        if key not in self._chains:
            self._chains[key] = list(self._make_chain(layer, cost))
        return self._chains[key]

    def _make_chain(self, layer: int, cost: int) -> Iterator[_Stack]:
        if layer == self.spec.depth:
            found = []
            starts: tuple[Start, ...] = self.grammar["output-error"]
            for index, option in enumerate(starts):
                if self.cost("output-error", option) == cost:
                    value = option.apply(self.first)
                    if value is not None and np.isfinite(value).all():
                        found.append((index, value))
            if found:
                yield _Stack(np.stack([v for _, v in found]), np.array([[i] for i, _ in found]))
            return
        upstream = []
        for used in range(cost + 1):
            stacks = self.chain(layer + 1, used)
            upstream += [(used, stack) for stack in stacks]
        weights, derivative = link_points(layer)
        carried = self._apply(weights, layer, upstream, cost)
        made = [stack for c, stack in self._apply(derivative, layer, carried, cost) if c == cost]
        if made:
            yield _Stack(np.concatenate([s.values for s in made]), np.concatenate([s.rows for s in made]))

    def _apply(self, point: str, layer: int, stacks: list[tuple[int, _Stack]], bound: int) -> list[tuple[int, _Stack]]:
        made = []
        merged: dict[int, list[_Stack]] = {}
        for used, stack in stacks:
            merged.setdefault(used, []).append(stack)
        joined = {
            used: _Stack(np.concatenate([s.values for s in group]), np.concatenate([s.rows for s in group]))
            for used, group in merged.items()
        }
        links: tuple[Link, ...] = self.grammar[point]
        for index, option in enumerate(links):
            extra = self.cost(point, option)
            for used, stack in joined.items():
                if used + extra > bound or (option.fixed and used > 0):
                    continue
                values, rows = (stack.values[:1], stack.rows[:1]) if option.fixed else (stack.values, stack.rows)
                _bound(len(values), (self.first.w[layer].shape[0], self.first.m))
                value = option.apply(self.first, layer, values)
                if value is not None:
                    rows = np.concatenate([rows, np.full((len(rows), 1), index)], axis=1)
                    made.append((used + extra, _Stack(value if value.ndim == 3 else value[None], rows)))
        return made

    # The tables

    @cached_property
    def scales(self) -> tuple[Array, list[tuple[tuple[Scale, ...], frozenset[str]]]]:
        """Sorted products of scale options at the first point, and which options and mistakes make each."""
        entries: list[tuple[float, tuple[Scale, ...], frozenset[str]]] = []
        each = []
        for point in SCALES:
            row = []
            options: tuple[Scale, ...] = self.grammar[point]
            for option in options:
                value = option.apply(self.first)
                if value is None or (option.mistakes and self._changes_nothing(option)):
                    continue
                row.append((float(value), option))
            each.append(row)
        for combination in itertools.product(*each):
            tokens = frozenset(t for _, option in combination for t in option.mistakes)
            if self._alike and len(tokens - self.free - {"sign-flipped"}) > 1:
                continue  # where m is the same at all points, two constants may be any third
            if len(tokens - self.free) <= MAX_MISTAKES:
                number = math.prod(value for value, _ in combination)
                entries.append((number, tuple(option for _, option in combination), tokens))
        entries.sort(key=lambda entry: entry[0])
        return np.array([e[0] for e in entries]), [(e[1], e[2]) for e in entries]

    @cached_property
    def _alike(self) -> bool:
        return len(self.passes) > 1 and len({c.m for c in self.passes}) == 1

    def _changes_nothing(self, option: Scale) -> bool:
        # With one example there is no mean over examples, and so no wrong divisor for it.
        return ("divided-by-wrong-count" in option.mistakes and all(c.m == 1 for c in self.passes)) or all(
            option.apply(c) == 1 for c in self.passes
        )

    def _penalties(self, parameter: str) -> list[tuple[Penalty, Array, float, frozenset[str]]]:
        """The options, what each adds, the factor it puts on the data term, and its mistakes."""
        point = "penalty" if parameter[0] == "W" else "bias-penalty"
        made = []
        for option in self.grammar[point]:
            assert isinstance(option, Penalty)
            value = option.apply(self.first, int(parameter[1:]))
            if value is not None:
                made.append((option, value, option.scale(self.first), frozenset(option.mistakes)))
        return made

    # The comparison

    def explain(self, answer: Answer, new: int) -> list[Explanation]:
        """All explanations of ``answer`` with exactly ``new`` mistakes that are not free. Raises TooMany."""
        found: dict[frozenset[str], Explanation] = {}
        checks = 0
        for recipe, tokens in self._candidates(answer, new):
            if tokens in found:
                continue
            checks += 1
            if checks > MAX_CHECKS:
                raise TooMany
            if self.holds(recipe, answer):
                found[tokens] = Explanation(recipe, tokens)
        return [e for t, e in found.items() if not any(other < t for other in found)]

    def holds(self, recipe: Recipe, answer: Answer) -> bool:
        """Whether the recipe gives the answer at every point."""
        try:
            for c, value in zip(self.passes, answer.values):
                own = evaluate(c, recipe)
                if own.size == 1:
                    own = np.full(value.shape, own.reshape(()))
                if not np.isfinite(own).all() or not same(own, value, answer.tolerance):
                    return False
        except DoesNotFit:
            return False
        return True

    def _candidates(self, answer: Answer, new: int) -> Iterator[tuple[Recipe, frozenset[str]]]:
        parameter, layer = answer.parameter, int(answer.parameter[1:])
        value, c = answer.values[self.base], self.first
        updates = []
        known: tuple[Update, ...] = self.grammar["update"]
        for option in known:
            extra = self.cost("update", option)
            if extra > new:
                continue
            if option.fixed:
                if extra == new and same(option.apply(c, c.value(parameter), 0.0), value, answer.tolerance):
                    options = {p: self.grammar[p][0] for p in choice_points_of(self.spec, parameter)}
                    yield Recipe(parameter, options | {"update": option}), frozenset(option.mistakes)
                continue
            # The update is affine in the gradient: recover the gradient from what was handed in.
            start = option.apply(c, c.value(parameter), 0.0)
            step = option.apply(c, 0.0, 1.0)
            if _fits(np.shape(start), value.shape):
                updates.append((option, extra, (value - start) / step))
        penalties = self._penalties(parameter)
        for used in range(new + 1):
            for names, stack, rows in self._cores(parameter, layer, used, value.shape):
                flat = stack.reshape(len(stack), -1)
                yield from self._matches(answer, new, used, names, flat, rows, updates, penalties)

    def _cores(
        self, parameter: str, layer: int, used: int, shape: tuple[int, ...]
    ) -> Iterator[tuple[tuple[str, ...], Array, Array]]:
        """Stacks of summed gradients, of the answer's shape, made with exactly ``used`` new mistakes."""
        c, chain = self.first, chain_points(self.spec, layer)
        if parameter[0] == "b":
            sums: tuple[Link, ...] = self.grammar["bias-sum"]
            for index, option in enumerate(sums):
                extra = self.cost("bias-sum", option)
                for stack in self.chain(layer, used - extra) if extra <= used else ():
                    _bound(len(stack.values), shape)
                    value = option.apply(c, layer, stack.values)
                    if value is not None and _fits(value.shape[1:], shape):
                        value = np.broadcast_to(value, (len(value), *shape)) * c.scale
                        yield (*chain, "bias-sum"), value, _with(stack.rows, index)
            return
        operands: tuple[Operand, ...] = self.grammar["operand"]
        products: tuple[Product, ...] = self.grammar["product"]
        for first, operand in enumerate(operands):
            q = operand.apply(c, layer)
            if q is None:
                continue
            for second, product in enumerate(products):
                extra = self.cost("operand", operand) + self.cost("product", product)
                for stack in self.chain(layer, used - extra) if extra <= used else ():
                    _bound(len(stack.values), shape)
                    value = product.apply(c, layer, stack.values, q)
                    if value is not None and _fits(value.shape[1:], shape):
                        value = np.broadcast_to(value, (len(value), *shape)) * c.scale
                        yield (*chain, "operand", "product"), value, _with(stack.rows, first, second)

    def _matches(
        self,
        answer: Answer,
        new: int,
        used: int,
        names: tuple[str, ...],
        flat: Array,
        rows: Array,
        updates: list[tuple[Update, int, Array]],
        penalties: list[tuple[Penalty, Array, float, frozenset[str]]],
    ) -> Iterator[tuple[Recipe, frozenset[str]]]:
        parameter = answer.parameter
        numbers, made_of = self.scales
        point = "penalty" if parameter[0] == "W" else "bias-penalty"
        right_decay = penalties[0][0]
        targets: list[Array] = []
        labels: list[tuple[Update, Penalty, float, frozenset[str], tuple[Scale, ...] | None]] = []
        for update, extra, gradient in updates:
            for penalty, value, own_scale, tokens in penalties:
                if used + extra + len(tokens - self.free) <= new:
                    if not _fits(np.shape(value), gradient.shape):
                        continue
                    targets.append((gradient - value).ravel())
                    labels.append((update, penalty, own_scale, tokens, None))
            value = right_decay.apply(self.first, int(parameter[1:]))
            if np.any(value) and _fits(np.shape(value), gradient.shape):
                # One slip of scale on the whole gradient, data term and penalty together.
                for number, (options, tokens) in zip(numbers, made_of):
                    if len(tokens) == 1 and used + extra + len(tokens - self.free) <= new:
                        targets.append((gradient - number * value).ravel())
                        labels.append((update, right_decay, 1.0, frozenset(), options))
        if not targets:
            return
        wanted = np.stack(targets, axis=1)
        squares = np.einsum("ij,ij->i", flat, flat)
        dots = flat @ wanted
        with np.errstate(all="ignore"):
            s = dots / squares[:, None]
            if flat.shape[1] == 1:
                place = np.clip(np.searchsorted(numbers, s), 1, len(numbers) - 1)
                gap = np.minimum(np.abs(numbers[place] - s), np.abs(numbers[place - 1] - s))
                near = gap <= 10 * answer.tolerance * np.abs(s)
                # Several rows may stand for one number; the looser test against own scales comes below.
                special = np.array([label[2] != 1.0 for label in labels])
                near |= special[None, :]
            else:
                lengths = np.einsum("ij,ij->j", wanted, wanted)
                rest = lengths[None, :] - dots * s
                # Rounding leaves about 1e-16 of the squared length; the test proper comes at every point.
                near = rest <= max(1e-11, (30 * answer.tolerance) ** 2) * lengths[None, :]
            near &= np.isfinite(s) & (s != 0)
        slack = max(1e-6, 30 * answer.tolerance)
        for row, column in zip(*np.nonzero(near)):
            update, penalty, own_scale, tokens, linked = labels[column]
            number = s[row, column] / own_scale
            low, high = sorted((number * (1 - slack), number * (1 + slack)))
            chain_tokens = None
            for index in range(*np.searchsorted(numbers, [low, high])):
                options, scale_tokens = made_of[index]
                if linked is not None and options != linked:
                    continue
                if chain_tokens is None:
                    chosen = {name: self.grammar[name][i] for name, i in zip(names, rows[row])}
                    chain_tokens = frozenset(t for n, o in chosen.items() for t in tokens_at(n, o))
                everything = chain_tokens | tokens | scale_tokens | frozenset(update.mistakes)
                if len(everything - self.free) != new:
                    continue
                full = chosen | dict(zip(SCALES, options)) | {point: penalty, "update": update}
                yield Recipe(parameter, full, linked is not None), everything


class TooMany(Exception):
    """A stack of candidates would be too large."""


def _bound(count: int, shape: tuple[int, ...]) -> None:
    if count * int(np.prod(shape)) > MAX_NUMBERS:
        raise TooMany


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Whether numpy spreads an array of ``shape`` over ``wanted``; an answer of one number was spread already."""
    pairs = zip(shape[::-1], wanted[::-1])
    return len(shape) <= len(wanted) and all(size in (1, want) for size, want in pairs)


def _with(rows: Array, *indices: int) -> Array:
    return np.concatenate([rows, np.tile(indices, (len(rows), 1))], axis=1)
