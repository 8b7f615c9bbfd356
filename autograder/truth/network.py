"""Fully connected networks as symbolic forward passes, and their exact gradients.

The forward pass is a list of stages (``Z1``, ``A1``, ``Z2``, ...), each a few sympy expressions in the symbols of
earlier ones. A derivative is never typed: every local derivative is ``sympy.diff`` of a stage's expression, and the
chain rule multiplies and adds them in reverse order. The tests show that this equals ``sympy.diff`` of the whole
composed loss; differentiating that directly grows exponentially with depth and takes seconds where this takes
milliseconds.

Because every stage is evaluated on its own, any of its inputs can be replaced by the student's own value. That is
follow-through: what is right *given* what the student had before.

Layout: one column per example. ``X`` (n_in, m), ``Wl`` (n_l, n_{l-1}), ``bl`` (n_l, 1), ``Zl`` and ``Al`` (n_l, m).
Gradients are named ``dWl``, ``dbl`` (of the mean loss) and ``dZl``, ``dAl`` (of the loss of each example).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from contextlib import nullcontext
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property, lru_cache
from typing import Any

import mpmath
import numpy as np
import sympy as sp

from autograder.truth.functions import ACTIVATIONS, LOSSES, SCALAR, inverse
from autograder.truth.precision import many_digits
from autograder.truth.programs import Program, of_text, text

Arrays = Mapping[str, np.ndarray]


class Reading(Enum):
    """Two right ways to read an activation's derivative; they differ only when ``A`` is not f(``Z``)."""

    FROM_PRE_ACTIVATION = "z"
    FROM_ACTIVATION = "a"


@dataclass(frozen=True)
class Term:
    """A formula in ``_PLACES`` at the values of these names, times the value of ``upstream`` where given.

    Many entries share one formula, which is differentiated and printed once for all of them.
    """

    formula: sp.Expr
    names: tuple[str, ...]
    upstream: str | None = None

    @property
    def expression(self) -> sp.Expr:
        """The term in symbols with its names."""
        places = {place: sp.Symbol(name, real=True) for place, name in zip(_PLACES, self.names)}
        return self.formula.xreplace(places) * (sp.Symbol(self.upstream, real=True) if self.upstream else 1)

    def factors(self, exact: bool) -> tuple[str, ...]:
        """What is multiplied, in Python."""
        if self.formula == _PRODUCT and self.upstream is None:
            return self.names
        formula = _PLACE.sub(lambda found: self.names[int(found[1])], text(self.formula, exact))
        if self.upstream is None:
            return (formula,)
        return (self.upstream,) if formula == "1" else (self.upstream, formula)


Entry = tuple[Term, ...]
"""One expression, the sum of its terms."""


@dataclass(frozen=True)
class Stage:
    """One named array of the computation.

    ``each`` holds one expression per entry that is evaluated per example; ``once`` is added to it and does not
    depend on the example. With ``mean`` the examples are averaged, otherwise each has its column.
    """

    name: str
    shape: tuple[int, int]
    each: tuple[Entry, ...]
    once: tuple[Entry, ...] = ()
    mean: bool = False


@dataclass(frozen=True)
class Network:
    """A network by its sizes, activations, loss and penalty.

    ``sizes`` counts the units of every layer, the inputs first: (n_in, n_1, ..., n_out). ``activations`` names one
    function per layer after the inputs. ``penalty`` adds reg_lambda / (2 m) times the sum of the squared weights,
    biases not included, to the mean loss.
    """

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    loss: str
    penalty: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError when the description contradicts itself."""
        if len(self.sizes) != len(self.activations) + 1:
            raise ValueError(f"{len(self.sizes)} sizes need {len(self.sizes) - 1} activations, not {self.activations}")
        if unknown := set(self.activations) - set(ACTIVATIONS):
            raise ValueError(f"unknown activation {sorted(unknown)}; known are {sorted(ACTIVATIONS)}")
        if self.loss not in LOSSES:
            raise ValueError(f"unknown loss {self.loss!r}; known are {sorted(LOSSES)}")

    @property
    def depth(self) -> int:
        """The number of layers with parameters."""
        return len(self.activations)

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """W1, b1, W2, b2, ..."""
        return tuple(f"{kind}{layer}" for layer in range(1, self.depth + 1) for kind in "Wb")

    def shape(self, name: str, examples: int = 1) -> tuple[int, int]:
        """The shape of an array by its name (``W1``, ``dW1``, ``W1_new``, ``Z2``, ``X``, ...) for so many examples."""
        core = name.removeprefix("d").removesuffix("_new")
        if core == "loss":
            return (1, 1)
        if core in ("X", "Y"):
            return (self.sizes[0 if core == "X" else -1], examples)
        layer = int(core[1:])
        return {
            "W": (self.sizes[layer], self.sizes[layer - 1]),
            "b": (self.sizes[layer], 1),
            "Z": (self.sizes[layer], examples),
            "A": (self.sizes[layer], examples),
        }[core[0]]

    def evaluate(
        self,
        given: Arrays,
        own: Arrays | None = None,
        *,
        reading: Reading = Reading.FROM_PRE_ACTIVATION,
        exact: bool = True,
        only: Sequence[str] = (),
    ) -> dict[str, np.ndarray]:
        """Every array of the forward pass, the backward pass and one update, or ``only`` these.

        ``given`` holds X, Y and the parameters, and where they are used ``reg_lambda``, ``learning_rate`` (numbers)
        and ``output_weights`` (n_out, 1). ``own`` holds values of the student's own: each result is then what follows
        from them. Exact results are computed at 50 digits and rounded once; with ``exact=False`` in float64.

        Returns Zl, Al, ``loss`` (a 0-d array), dAl, dZl, dWl, dbl and, when a learning rate is given, Wl_new and
        bl_new. Raises KeyError when an input is missing and ValueError when one has the wrong shape.
        """
        return _evaluate(self, given, own or {}, reading, exact, frozenset(only))


_PLACES = sp.symbols("place_0:64", real=True)
_PLACE = re.compile(r"\bplace_(\d+)\b")
_P, _Q, _R = _PLACES[:3]
_PRODUCT = _P * _Q
_PENALTY = _Q / (2 * _R) * _P**2
_MOVED = _P - _Q * _R


def _grid(name: str, shape: tuple[int, int]) -> list[list[str]]:
    return [[f"{name}_{i}_{j}" for j in range(shape[1])] for i in range(shape[0])]


@lru_cache(maxsize=64)
def stages(network: Network, reading: Reading, update: bool) -> tuple[Stage, ...]:
    """The whole computation of a network as stages in the order of evaluation."""
    depth, sizes = network.depth, network.sizes
    weight = {layer: _grid(f"W{layer}", network.shape(f"W{layer}")) for layer in range(1, depth + 1)}
    bias = {layer: _grid(f"b{layer}", network.shape(f"b{layer}")) for layer in range(1, depth + 1)}

    def column(name: str, size: int) -> list[str]:
        return [row[0] for row in _grid(name, (size, 1))]

    a = {0: column("X", sizes[0])} | {layer: column(f"A{layer}", sizes[layer]) for layer in range(1, depth + 1)}
    z = {layer: column(f"Z{layer}", sizes[layer]) for layer in range(1, depth + 1)}
    dz = {layer: column(f"dZ{layer}", sizes[layer]) for layer in range(1, depth + 1)}

    affine: dict[int, list[Entry]] = {}
    activation: dict[int, list[Entry]] = {}
    result = []
    for layer in range(1, depth + 1):
        affine[layer] = [
            (*(Term(_PRODUCT, pair) for pair in zip(row, a[layer - 1], strict=True)), Term(_P, (constant,)))
            for row, (constant,) in zip(weight[layer], bias[layer], strict=True)
        ]
        activation[layer] = _activated(network.activations[layer - 1], z[layer])
        result += [
            Stage(f"Z{layer}", (sizes[layer], 1), tuple(affine[layer])),
            Stage(f"A{layer}", (sizes[layer], 1), tuple(activation[layer])),
        ]
    one_output = LOSSES[network.loss]([_P], [_Q], [_R])  # every loss is a sum over the outputs
    columns = (a[depth], column("Y", sizes[-1]), column("output_weights", sizes[-1]))
    example_loss = tuple(Term(one_output, names) for names in zip(*columns, strict=True))
    all_weights = [entry for layer in weight for row in weight[layer] for entry in row] if network.penalty else []
    penalty = tuple(Term(_PENALTY, (entry, "reg_lambda_0_0", "m")) for entry in all_weights)
    result.append(Stage("loss", (1, 1), (example_loss,), (penalty,), mean=True))

    for layer in range(depth, 0, -1):
        if layer == depth:
            upstream = [_slope(example_loss, entry) for entry in a[depth]]
        else:
            upstream = _chain(dz[layer + 1], affine[layer + 1], a[layer])
        through = _chain(column(f"dA{layer}", sizes[layer]), activation[layer], z[layer])
        if reading is Reading.FROM_ACTIVATION:
            through = [_in_terms_of_activation(entry, network.activations[layer - 1]) for entry in through]
        result += [
            Stage(f"dA{layer}", (sizes[layer], 1), tuple(upstream)),
            Stage(f"dZ{layer}", (sizes[layer], 1), tuple(through)),
        ]
        for name, grid in ((f"dW{layer}", weight[layer]), (f"db{layer}", bias[layer])):
            entries = [entry for row in grid for entry in row]
            each = _chain(dz[layer], affine[layer], entries)
            once = tuple(_slope(penalty, entry) for entry in entries)
            result.append(Stage(name, (len(grid), len(grid[0])), tuple(each), once, mean=True))
    if update:
        for layer in range(1, depth + 1):
            for name, grid in ((f"W{layer}", weight[layer]), (f"b{layer}", bias[layer])):
                entries = [entry for row in grid for entry in row]
                moved = tuple((Term(_MOVED, (entry, "learning_rate_0_0", f"d{entry}")),) for entry in entries)
                shape = (len(grid), len(grid[0]))
                result.append(Stage(f"{name}_new", shape, ((),) * len(moved), moved, mean=True))
    return tuple(result)


def _activated(activation: str, z: list[str]) -> list[Entry]:
    if activation in SCALAR:
        return [(Term(SCALAR[activation](_P), (entry,)),) for entry in z]
    return [(Term(formula, tuple(z)),) for formula in ACTIVATIONS[activation](_PLACES[: len(z)])]


@lru_cache(maxsize=1024)
def _derivative(formula: sp.Expr, place: sp.Symbol) -> sp.Expr:
    return sp.diff(formula, place)


def _slope(entry: Entry, name: str, upstream: str | None = None) -> Entry:
    """The derivative of a sum, each term by sympy, times ``upstream``."""
    return tuple(
        Term(_derivative(term.formula, _PLACES[term.names.index(name)]), term.names, upstream)
        for term in entry
        if name in term.names
    )


def _chain(upstream: list[str], outputs: list[Entry], inputs: list[str]) -> list[Entry]:
    """Chain rule: d loss / d input_j = sum_i upstream_i * d output_i / d input_j, each factor by sympy."""
    return [
        tuple(term for up, output in zip(upstream, outputs, strict=True) for term in _slope(output, entry, up))
        for entry in inputs
    ]


def _in_terms_of_activation(entry: Entry, activation: str) -> Entry:
    """Write derivatives with the activations: z is replaced by the inverse function of a, where there is one."""
    return tuple(
        replace(term, formula=formula, names=tuple(f"A{name[1:]}" for name in term.names))
        if (formula := _with_inverse(term.formula, activation, len(term.names))) is not None
        else term
        for term in entry
    )


@lru_cache(maxsize=256)
def _with_inverse(formula: sp.Expr, activation: str, count: int) -> sp.Expr | None:
    places = _PLACES[:count]
    found = {at: sp.log(at) if activation == "softmax" else inverse(activation, at) for at in places}
    return None if None in found.values() else sp.factor(formula.subs(found))


Written = tuple[tuple[str, ...], str]
"""A function: the names of its arguments, and what it returns in Python."""


@lru_cache(maxsize=128)
def _written(
    network: Network, reading: Reading, update: bool, exact: bool
) -> tuple[tuple[Stage, Written, Written], ...]:
    return tuple(
        (stage, _program(stage.each, exact), _program(stage.once, exact) if any(stage.once) else ((), ""))
        for stage in stages(network, reading, update)
    )


def _program(entries: tuple[Entry, ...], exact: bool) -> Written:
    """The entries as one function of all that stands in them."""
    returned = ", ".join(_sum([term.factors(exact) for term in entry], exact) for entry in entries)
    return tuple(sorted(set(_NAME.findall(returned)))), f"[{returned}]"


def _sum(terms: Sequence[tuple[str, ...]], exact: bool) -> str:
    """The sum of products in Python; mpmath takes half the time for all of them at once."""
    pairs = [term for term in terms if len(term) == 2] if exact else []
    if len(pairs) < 2:
        return " + ".join("*".join(f"({factor})" for factor in term) for term in terms) or "0"
    dot = f"mpmath.fdot([{', '.join(f'({left}, {right})' for left, right in pairs)}])"
    return " + ".join([dot, *(f"({term[0]})" for term in terms if len(term) == 1)])


_NAME = re.compile(r"\b(?:\w+_\d+_\d+|m)\b")


_PER_EXAMPLE = ("X", "Y", "Z", "A", "dZ", "dA")


def _varies(name: str) -> bool:
    return name.rstrip("0123456789") in _PER_EXAMPLE


def _needed(written: Sequence[tuple[Stage, Written, Written]], replaced: Set[str], only: Set[str]) -> set[str]:
    """The stages that these follow from, those that are replaced left out."""
    needed = set(only)
    for stage, (names, _), (once_names, _) in reversed(written):
        if stage.name in needed:
            needed |= {name.partition("_")[0] for name in (*names, *once_names)} - replaced
    return needed


def _evaluate(
    network: Network, given: Arrays, own: Arrays, reading: Reading, exact: bool, only: Set[str]
) -> dict[str, np.ndarray]:
    values = {name: np.atleast_2d(np.asarray(value)) for name, value in given.items()}
    examples = _checked(network, values)
    own = {name: np.atleast_2d(np.asarray(value)) for name, value in own.items()}
    update = "learning_rate" in values
    number = mpmath.mpf if exact else np.float64
    store: dict[str, Any] = {}

    def put(name: str, value: np.ndarray) -> None:
        for i in range(value.shape[0]):
            if _varies(name):
                row = [number(float(entry)) for entry in value[i]]
                store[f"{name}_{i}_0"] = row if exact else np.array(row)
            else:
                for j in range(value.shape[1]):
                    store[f"{name}_{i}_{j}"] = number(float(value[i, j]))

    for name, value in values.items():
        put(name, value)
    results: dict[str, np.ndarray] = {}
    with many_digits() if exact else nullcontext(), np.errstate(all="ignore"):
        store["m"] = number(examples)
        written = _written(network, reading, update, exact)
        replaced = {
            stage.name
            for stage, *_ in written
            if stage.name in own and own[stage.name].shape == network.shape(stage.name, examples)
        }
        for name in replaced:
            put(name, own[name])
        needed = _needed(written, replaced, only)
        for stage, (arguments, returned), (once_arguments, constant) in written:
            if only and stage.name not in needed:
                continue
            each = of_text(arguments, returned, exact)
            per_example = _run_examples(each, [store[name] for name in arguments], len(stage.each), examples, exact)
            if stage.mean:
                total = mpmath.fsum if exact else np.sum
                entries = [total(row) / store["m"] for row in per_example]
                if constant:
                    constants = of_text(once_arguments, constant, exact)(*(store[name] for name in once_arguments))
                    entries = [entry + constant for entry, constant in zip(entries, constants, strict=True)]
                computed = np.array([float(e) for e in entries]).reshape(stage.shape)
                columns = {
                    f"{stage.name}_{k // stage.shape[1]}_{k % stage.shape[1]}": entry for k, entry in enumerate(entries)
                }
            else:
                computed = np.array([[float(e) for e in row] for row in per_example])
                columns = {f"{stage.name}_{i}_0": row for i, row in enumerate(per_example)}
            results[stage.name] = computed
            if stage.name not in replaced:
                store.update(columns)
    if "loss" in results:
        results["loss"] = results["loss"].reshape(())
    return results


def _run_examples(function: Program, arguments: Sequence[Any], count: int, examples: int, exact: bool) -> list[Any]:
    """The values of a stage's expressions at every example: one row per expression."""
    if exact:
        rows: list[list[Any]] = [[] for _ in range(count)]
        for k in range(examples):
            at_example = [argument[k] if isinstance(argument, list) else argument for argument in arguments]
            try:
                values = function(*at_example)
            except ZeroDivisionError:  # an output that is 0 or 1 to the last digit
                values = [mpmath.nan] * count
            for row, value in zip(rows, values, strict=True):
                row.append(value)
        return rows
    return [np.broadcast_to(np.asarray(value, dtype=float), (examples,)) for value in function(*arguments)]


def _checked(network: Network, values: Arrays) -> int:
    for name in ("X", "Y", *network.parameters):
        if name not in values:
            raise KeyError(f"{name} is missing: a network of sizes {network.sizes} needs X, Y and every parameter")
    examples: int = values["X"].shape[1]
    for name in ("X", "Y", *network.parameters):
        expected = network.shape(name, examples)
        if values[name].shape != expected:
            raise ValueError(f"{name} has shape {values[name].shape}; {expected} is needed")
    return examples
