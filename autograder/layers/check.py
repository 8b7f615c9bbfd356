"""A backward pass against the exact product: what is wrong, where, and by which known mistake."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from autograder.layers.exact import LayerError, Product
from autograder.layers.layer import Draw, Layer
from autograder.tolerance import DOUBLE, agree, allowed, tolerance

RIGHT = "the right one"
"""What a mistake is an alias of when no point tells it from what is due."""

Point = Mapping[str, Any]
Backward = Callable[..., Any]
"""Takes the upstream gradient (those of all outputs), then the inputs of the forward pass; returns a gradient for every
input of floats, as a tuple in their order or as a mapping (``dx`` for ``x``)."""


@dataclass(frozen=True)
class Alias:
    """Two wrong formulas that give the same gradient at every point, or one that gives what is due there."""

    gradient: str
    one: str
    other: str

    def __str__(self) -> str:
        """In a sentence."""
        return f"{self.gradient}: the points do not tell {self.one!r} from {self.other}"


@dataclass(frozen=True)
class Finding:
    """What was found for one gradient: whether it is right, what is wrong, and the known mistakes that give it."""

    gradient: str
    right: bool
    message: str = ""
    mistakes: tuple[str, ...] = ()


@dataclass(frozen=True)
class LayerReport:
    """What was found. It is true when every gradient is right.

    ``routes`` says by which route the exact numbers of each point were found, ``remarks`` what is no wrong gradient.
    """

    layer: str
    findings: tuple[Finding, ...]
    routes: tuple[str, ...]
    aliases: tuple[Alias, ...] = ()
    remarks: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether every gradient is right."""
        return all(finding.right for finding in self.findings)

    def __getitem__(self, gradient: str) -> Finding:
        """The finding for a gradient, such as ``dx``. Raises KeyError."""
        return {finding.gradient: finding for finding in self.findings}[gradient]

    def __str__(self) -> str:
        """One line for each gradient."""
        width = max(len(finding.gradient) for finding in self.findings)
        lines = [
            f"  {finding.gradient:<{width}}  {'right' if finding.right else finding.message}"
            for finding in self.findings
        ]
        known = list(dict.fromkeys(self.routes))
        lines += [f"  note: {remark}" for remark in (*self.remarks, *map(str, self.aliases))]
        return "\n".join([f"{self.layer}, {len(self.routes)} points, exact by {', '.join(known)}:", *lines])


def check_layer(
    forward: Callable[..., Any],
    backward: Backward,
    shapes: Mapping[str, Sequence[int | str]],
    *,
    draw: Mapping[str, Draw] | None = None,
    mistakes: Mapping[str, Backward] | None = None,
    points: Sequence[Point] | None = None,
    seed: int = 0,
) -> LayerReport:
    """Check a backward pass against the exact vector-Jacobian product of a forward pass in numpy.

    ``backward(g, x, ...)`` gets a random upstream gradient and the inputs in the order of ``forward``. ``shapes`` gives
    the shape of every input, in integers and names of sizes; sizes are drawn, pairwise different. ``draw`` says where
    an input lies when that is not the normal distribution. ``mistakes`` are wrong backward passes by a sentence or an
    id: a wrong answer that one of them gives at every point is called by it. ``points`` replaces the drawn ones.

    >>> report = check_layer(lambda x: x**2, lambda g, x: g * x, {"x": ("n",)})
    >>> print(report["dx"].message)
    every entry is 0.5 times what is due

    Raises LayerError where forward pass, shapes or mistakes cannot be used.
    """
    layer = Layer(forward, shapes, draw or {})
    asked = list(points) if points is not None else layer.points(np.random.default_rng(seed))
    if not asked:
        raise LayerError("there is no point to ask about")
    exact = [layer.product(point) for point in asked]
    names = [f"d{name}" for name in exact[0].low]
    answers, remarks = [], []
    for point in asked:
        arguments = _arguments(layer, point)
        given = [np.array(one) for one in arguments]
        try:
            answers.append(named(backward(*given), names, "backward"))
        except LayerError:
            raise
        except Exception as problem:
            shown = ", ".join(str(np.shape(one)) for one in arguments)
            message = f"backward raised {type(problem).__name__}: {problem} (for arguments of the shapes {shown})"
            return LayerReport(
                layer.name, tuple(Finding(name, False, message) for name in names), tuple(one.route for one in exact)
            )
        wanted = ["the upstream gradient", *layer.names]
        remarks += [
            f"backward changes {word}, which belongs to its caller"
            for word, before, after in zip(wanted[-len(arguments) :], arguments, given)
            if not np.array_equal(before, after, equal_nan=True)
        ]
    predicted = {
        mistake: [_predicted(mistake, wrong, layer, point, names) for point in asked]
        for mistake, wrong in (mistakes or {}).items()
    }
    findings = tuple(
        _finding(name, [one.get(name) for one in answers], exact, predicted, asked, layer) for name in names
    )
    return LayerReport(
        layer.name, findings, tuple(one.route for one in exact), tuple(_aliases(names, exact, predicted)),
        tuple(dict.fromkeys([*remarks, *_kinks(exact)])),
    )  # fmt: skip


def assert_layer(forward: Callable[..., Any], backward: Backward, *args: Any, **options: Any) -> None:
    """For a test: :func:`check_layer`, and AssertionError with its lines when a gradient is wrong.

    Aliases among ``mistakes`` fail as well: a list that cannot be told apart names nothing.
    """
    __tracebackhide__ = True
    report = check_layer(forward, backward, *args, **options)
    if not report or report.aliases:
        raise AssertionError(str(report))


def named(answer: Any, names: Sequence[str], who: str) -> dict[str, Any]:
    """What a backward pass returns, by the names of gradients. Raises LayerError where these cannot be told."""
    if isinstance(answer, Mapping):
        found = {name if name in names else f"d{name}": value for name, value in answer.items()}
        if unknown := [name for name in found if name not in names]:
            raise LayerError(f"{who} returns {', '.join(unknown)}; the gradients are {', '.join(names)}")
        return found
    values = answer if isinstance(answer, (tuple, list)) else (answer,)
    if len(values) != len(names):
        raise LayerError(
            f"{who} returns {len(values)} of {len(names)} gradients: {', '.join(names)} are due, in this order"
        )
    return {name: value for name, value in zip(names, values) if value is not None}


def _arguments(layer: Layer, point: Point) -> list[np.ndarray]:
    upstream = layer.upstreams(layer.outputs(point))
    return [np.asarray(point[name]) for name in (*upstream, *layer.names)]


def _predicted(mistake: str, wrong: Backward, layer: Layer, point: Point, names: Sequence[str]) -> dict[str, Any]:
    """What a known mistake gives at a point. Raises LayerError when it cannot be worked out."""
    try:
        with np.errstate(all="ignore"):
            return named(wrong(*(np.array(one) for one in _arguments(layer, point))), names, f"the mistake {mistake!r}")
    except LayerError:
        raise
    except Exception as problem:
        raise LayerError(f"the mistake {mistake!r} raised {type(problem).__name__}: {problem}") from problem


def _finding(
    name: str,
    answers: Sequence[Any],
    exact: Sequence[Product],
    predicted: Mapping[str, Sequence[Mapping[str, Any]]],
    asked: Sequence[Point],
    layer: Layer,
) -> Finding:
    arrays = [_numbers(answer) for answer in answers]
    due = [one[name[1:]] for one in exact]
    if all(
        not isinstance(array, str) and _within(array, one.low[name[1:]], one.high[name[1:]])
        for array, one in zip(arrays, exact)
    ):
        return Finding(name, True)
    by = tuple(
        mistake
        for mistake, values in predicted.items()
        if all(name in value and _same(array, value[name]) for array, value in zip(arrays, values))
    )
    if by:
        return Finding(name, False, " or ".join(by), by)
    for array, want in zip(arrays, due):
        if isinstance(array, str):
            return Finding(name, False, array)
        if array.shape != want.shape:
            return Finding(name, False, _shape(array, want))
    values = [array for array in arrays if not isinstance(array, str)]
    return Finding(name, False, _factor(values, due, asked, layer) or _where(values, due))


def _numbers(answer: Any) -> np.ndarray | str:
    """An answer as an array, or why it is none."""
    if answer is None:
        return "it is missing"
    try:
        array = np.asarray(answer)
    except ValueError:
        return "it is no array: its rows differ in length"
    if array.dtype.kind not in "fiu":
        return f"it is no array of real numbers, but {type(answer).__name__} of {array.dtype}"
    return array if np.all(np.isfinite(array)) else "it is not finite (nan or inf)"


def _within(array: np.ndarray, low: np.ndarray, high: np.ndarray) -> bool:
    if array.shape != low.shape:
        return False
    slack = allowed(np.maximum(np.abs(low), np.abs(high)), tolerance(array).right)
    return bool(np.all((array >= low - slack) & (array <= high + slack)))


def _same(array: np.ndarray | str, predicted: Any) -> bool:
    """Whether an answer is what a wrong formula gives, in its shape too."""
    if isinstance(array, str):
        return False
    proof = tolerance(array).proof
    return proof is not None and agree(array, np.asarray(predicted, dtype=float), proof)


def _shape(array: np.ndarray, want: np.ndarray) -> str:
    said = f"it has the shape {array.shape}, and {want.shape} is due"
    if array.T.shape == want.shape and agree(array.T, want, DOUBLE.right):
        return f"{said}: it is transposed"
    for count in range(1, array.ndim + 1):
        for axes in combinations(range(array.ndim), count):
            total = array.sum(axis=axes)
            if total.size == want.size and agree(total.reshape(want.shape), want, DOUBLE.right):
                which = " and ".join(map(str, axes))
                return f"{said}: it is not summed over the ax{'i' if count == 1 else 'e'}s {which}"
    if array.size == want.size and agree(array.reshape(want.shape), want, DOUBLE.right):
        return f"{said}: the numbers are right"
    return said


def _factor(values: Sequence[np.ndarray], due: Sequence[np.ndarray], asked: Sequence[Point], layer: Layer) -> str:
    """Whether every entry is off by one factor, which may be a size; sizes differ, so that a factor names its cause."""
    factors = []
    for array, want in zip(values, due):
        norm = float(np.sum(want * want))
        factor = float(np.sum(array * want)) / norm if norm else 0.0
        if not factor or not agree(array, factor * want, DOUBLE.proof or 0.0):
            return ""
        factors.append(factor)
    told = []
    for name in layer.sizes:
        size = np.array([_size(layer, point, name) for point in asked], dtype=float)
        told += [(size, f"{name} times"), (1 / size, f"1/{name} of"), (-size, f"-{name} times")]
    for expected, words in told:
        if len(set(expected)) > 1 and np.allclose(factors, expected, rtol=1e-9, atol=0):
            return f"every entry is {words} what is due"
    if not np.allclose(factors, factors[0], rtol=1e-9, atol=0):
        return ""
    return "every entry has the wrong sign" if abs(factors[0] + 1) < 1e-9 else (
        f"every entry is {factors[0]:.6g} times what is due"
    )  # fmt: skip


def _size(layer: Layer, point: Point, name: str) -> int:
    return next(
        int(np.shape(point[of])[list(shape).index(name)]) for of, shape in layer.shapes.items() if name in list(shape)
    )


def _where(values: Sequence[np.ndarray], due: Sequence[np.ndarray]) -> str:
    """Where an answer differs most, at the first point at which it does."""
    for number, (array, want) in enumerate(zip(values, due), 1):
        off = np.abs(array - want) > allowed(want, tolerance(array).right)
        if np.any(off):
            index = np.unravel_index(int(np.argmax(np.abs(array - want))), want.shape)
            place = f"[{', '.join(map(str, index))}]" if index else ""
            return (
                f"{int(off.sum())} of {off.size} entries differ at point {number}: {place or 'it'} is "
                f"{float(array[index]):.6g}, and {float(want[index]):.6g} is due"
            )
    return "it lies outside of what a kink allows"


def _kinks(exact: Sequence[Product]) -> Iterator[str]:
    for number, one in enumerate(exact, 1):
        if one.kinks:
            which = ", ".join(f"d{name}" for name in one.kinks)
            yield f"point {number} lies on a kink: every {which} between the slopes of its two sides is right"


def _aliases(
    names: Sequence[str], exact: Sequence[Product], predicted: Mapping[str, Sequence[Mapping[str, Any]]]
) -> Iterator[Alias]:
    """The pairs that the points cannot tell apart, and the mistakes that give what is due everywhere."""
    wrong: dict[str, dict[str, list[np.ndarray]]] = {name: {} for name in names}
    for mistake, values in predicted.items():
        spoken = [name for name in names if all(name in value for value in values)]
        for name in spoken:
            arrays = [np.asarray(value[name], dtype=float) for value in values]
            if not all(_within(a, one.low[name[1:]], one.high[name[1:]]) for a, one in zip(arrays, exact)):
                wrong[name][mistake] = arrays
        if not any(mistake in wrong[name] for name in spoken):
            yield Alias(", ".join(spoken), mistake, RIGHT)
    for name, speaking in wrong.items():
        for one, other in combinations(speaking, 2):
            if all(agree(a, b, DOUBLE.proof or 0.0) for a, b in zip(speaking[one], speaking[other])):
                yield Alias(name, one, repr(other))
