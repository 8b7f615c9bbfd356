"""Networks with more than dense layers: norms, dropout, residual connections, optimisers, one example after the other.

A hidden layer is dense, then normalised, then its activation, then dropped out, and then what came in is added where
the shapes allow it. One column is one example, as everywhere in this package. The slips of dense layers are the options
of the grammar; those of the rest stand beside their steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np

from autograder.diagnosis.blocks import added, dropped, normalised, number, scaled
from autograder.diagnosis.chain import derivative_options, output_options, weights_options
from autograder.diagnosis.computation import Asked, explain_computation
from autograder.diagnosis.grammar import SCALES, choice_points, find_option
from autograder.diagnosis.optimisers import Optimiser, State, optimiser_choices
from autograder.diagnosis.spec import ACTIVATIONS, Array, Pass, Point, Spec
from autograder.diagnosis.steps import Link, Operand, Option, Penalty, Product, Start
from autograder.diagnosis.tail import bias_options, operand_options, product_options
from autograder.diagnosis.tape import Choice, Chosen, Slip, Step, Values, gradients, slips_of
from autograder.diagnosis.verdicts import RIGHT, WRONG, Finding, Report
from autograder.mistakes import MISTAKES

NORMS = ("none", "layer", "batch")


FROM_OUTPUT: Mapping[str, Callable[[Array], Array]] = {
    "tanh": lambda a: 1 - a**2,
    "sigmoid": lambda a: a * (1 - a),
    "relu": lambda a: a > 0,
}
"""Derivatives that people write by what the activation gives."""


@dataclass(frozen=True)
class Parts:
    """What a network has beside its dense layers."""

    norm: str = "none"
    residual: bool = False
    dropout: bool = False
    optimiser: str = "sgd"
    steps: int = 1
    each_example: bool = False

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return self != Parts()


@dataclass(frozen=True)
class Assembled:
    """A network of these parts, as a computation."""

    spec: Spec
    parts: Parts

    @property
    def parameters(self) -> tuple[str, ...]:
        """W2, b2, gamma1, beta1, W1, b1."""
        found: list[str] = []
        for layer in range(self.spec.depth, 0, -1):
            if self.parts.norm != "none" and layer < self.spec.depth:
                found += [f"gamma{layer}", f"beta{layer}"]
            found += [f"{kind}{layer}" for kind in ("Wb" if self.spec.biases else "W")]
        return tuple(found)

    @property
    def answers(self) -> tuple[str, ...]:
        """The name of the answer for each parameter."""
        return tuple(self.spec.answer_name(parameter) for parameter in self.parameters)

    def check(self, inputs: Values) -> None:
        """Raise ValueError, in one sentence, for what is missing or has another shape than the others ask for."""
        for name in ("X", "Y", *self.parameters):
            if name not in inputs:
                raise ValueError(f"{name} is missing")
        if inputs["Y"].shape[1] != inputs["X"].shape[1]:
            raise ValueError("X and Y do not hold the same number of examples")
        into = inputs["X"].shape[0]
        for layer in range(1, self.spec.depth + 1):
            w = inputs[f"W{layer}"]
            if w.ndim != 2 or w.shape[1] != into:
                raise ValueError(f"W{layer} does not fit what comes into layer {layer}")
            into = w.shape[0]
            for name in (f"b{layer}", f"gamma{layer}", f"beta{layer}"):
                if name in self.parameters and inputs[name].shape != (into, 1):
                    raise ValueError(f"{name} does not fit layer {layer}: one number for each unit was expected")
            if self.parts.dropout and layer < self.spec.depth:
                shape = (into, inputs["X"].shape[1])
                if f"mask{layer}" not in inputs or inputs[f"mask{layer}"].shape != shape:
                    raise ValueError(f"mask{layer} is missing, or does not have one entry for each unit and example")
        if inputs["Y"].shape[0] != into:
            raise ValueError(f"Y does not fit W{self.spec.depth}: one target for each output was expected")
        if self.spec.result == "update" and "learning_rate" not in inputs:
            raise ValueError("learning_rate is missing; an update needs it")
        if self.spec.penalty != "none" and "reg_lambda" not in inputs:
            raise ValueError(f"reg_lambda is missing; the penalty {self.spec.penalty} needs it")

    # The steps

    def _pass(self, v: Values, *, linear: bool) -> Pass:
        """The values as the grammar takes them; ``linear``: a is what the next layer gets, else what f gives."""
        depth = self.spec.depth
        a = {0: v["X"]} | {
            k: v[f"A{k}" if linear and k < depth else f"F{k}"] for k in range(1, depth + 1) if f"F{k}" in v
        }
        return Pass(
            spec=self.spec,
            y=v["Y"],
            w={k: v[f"W{k}"] for k in range(1, depth + 1)},
            b={k: v.get(f"b{k}", np.zeros((1, 1))) for k in range(1, depth + 1)},
            z={k: v[f"N{k}"] for k in range(1, depth + 1) if f"N{k}" in v},
            a=a,
            reg_lambda=number(v, "reg_lambda", 0.0),
            learning_rate=number(v, "learning_rate", 1.0) if "learning_rate" in v else None,
            output_weights=np.reshape(v["output_weights"], (-1, 1)) if "output_weights" in v else None,
        )

    def steps(self, inputs: Values) -> tuple[Step, ...]:
        """The steps of one forward pass; the last one gives the output error where it is asked for a gradient."""
        ways = range(1, self.spec.depth)
        around = tuple(k for k in ways if self.parts.residual and len(set(np.shape(inputs[f"W{k}"]))) == 1)
        return self._steps(around)

    @lru_cache(maxsize=64)  # noqa: B019 - frozen, and small
    def _steps(self, around: tuple[int, ...]) -> tuple[Step, ...]:
        spec, parts, depth = self.spec, self.parts, self.spec.depth
        made: list[Step] = []
        for k in range(1, depth + 1):
            before = "X" if k == 1 else f"A{k - 1}"
            made.append(self._product(k, before))
            z = f"P{k}"
            if spec.biases:
                made.append(self._bias(k))
                z = f"Z{k}"
            if k < depth and parts.norm != "none":
                axis = 0 if parts.norm == "layer" else 1
                made.append(_wider(normalised(z, f"H{k}", axis, f"the normalisation of layer {k}"), k))
                line = f"scale and shift of layer {k}"
                made.append(_wider(scaled(f"H{k}", f"gamma{k}", f"beta{k}", f"N{k}", 1, line, z, axis), k))
            else:
                made.append(Step(f"N{k}", (z,), _copy(z), lambda v, d: [d]))
            if k == depth:
                made += [self._output(k)]
                continue
            made.append(self._activation(k))
            last = f"F{k}"
            if parts.dropout:
                made.append(_wider(dropped(last, f"mask{k}", f"D{k}", f"dropout of layer {k}"), k))
                last = f"D{k}"
            if k in around:
                made.append(_wider(added(before, last, f"A{k}", f"the residual connection of layer {k}"), k))
            else:
                made.append(Step(f"A{k}", (last,), _copy(last), lambda v, d: [d]))
        return tuple(made)

    @staticmethod
    def _slips(options: Sequence[Option[Any]], back: Callable[[Option[Any]], Any]) -> tuple[Slip, ...]:
        return tuple(Slip(o.mistakes, o.name, back(o)) for o in options if o.mistakes)

    def _product(self, k: int, before: str) -> Step:

        def back(carry: Link | None = None, operand: Operand | None = None, product: Product | None = None) -> Any:
            def wrong(v: Values, e: Array) -> list[Array | None]:
                c = self._pass(v, linear=True)
                carried = _need(carry.apply(c, k - 1, e)) if carry else v[f"W{k}"].T @ e
                q = _need(operand.apply(c, k)) if operand else v[before]
                gradient = _need(product.apply(c, k, e, q)) if product else e @ q.T
                return [gradient, carried if k > 1 else None]

            return wrong

        slips = (*self._slips(operand_options(), lambda o: back(operand=o)),
                 *self._slips(product_options(), lambda o: back(product=o)))  # fmt: skip
        if k > 1:
            unknown = ("updated", "gradient-used")  # they need the answers of other parameters
            known = [o for o in weights_options(k - 1) if not any(word in o.name for word in unknown)]
            slips += self._slips(known, lambda o: back(carry=o))
        return Step(
            f"P{k}", (f"W{k}", before), lambda v: v[f"W{k}"] @ v[before], back(), slips, f"the products of layer {k}",
            "the products of all layers",
        )  # fmt: skip

    def _bias(self, k: int) -> Step:
        def back(option: Link | None = None) -> Any:
            def wrong(v: Values, e: Array) -> list[Array | None]:
                c = self._pass(v, linear=True)
                return [e, _need(option.apply(c, k, e)) if option else e.sum(axis=1, keepdims=True)]

            return wrong

        own = [o for o in bias_options(self.spec) if not o.name.startswith(("bias-of-layer", "bias-from-row"))]
        return Step(
            f"Z{k}", (f"P{k}", f"b{k}"), lambda v: v[f"P{k}"] + v[f"b{k}"], back(), self._slips(own, back),
            f"the bias of layer {k}", "the biases of all layers",
        )  # fmt: skip

    def _activation(self, k: int) -> Step:
        name = self.spec.hidden[k - 1]
        options = derivative_options(self.spec, k)

        def back(option: Link) -> Any:
            return lambda v, g: [_need(option.apply(self._pass(v, linear=False), k, g))]

        slips = self._slips([o for o in options if o.name != "output-derivative-in-hidden-layer"], back)
        if name in FROM_OUTPUT and (self.parts.residual or self.parts.dropout):
            slope = FROM_OUTPUT[name]
            slips += (Slip(("layer-output-in-derivative",), "of-the-layer", lambda v, g: [g * slope(v[f"A{k}"])]),)
        return Step(
            f"F{k}",
            (f"N{k}",),
            lambda v: ACTIVATIONS[name](v[f"N{k}"]),
            back(options[0]),
            slips,
            f"the derivative of layer {k}",
            "the derivatives of all layers",
        )

    def _output(self, k: int) -> Step:
        options = output_options(self.spec)

        def back(option: Start) -> Any:
            return lambda v, g: [_need(option.apply(self._pass(v, linear=False)))]

        return Step(
            f"F{k}", (f"N{k}",), lambda v: ACTIVATIONS[self.spec.output](v[f"N{k}"]), back(options[0]),
            self._slips(options, back), "the output error",
        )  # fmt: skip

    # The computation

    def choices(self, inputs: Values) -> list[Choice]:
        """Every slip, in one layer and in all of them; of numbers for one parameter and for all."""
        found = slips_of(self.steps(inputs))
        for line in SCALES:
            if line == "rate" and self.parts.optimiser != "sgd":
                continue
            for option in choice_points(self.spec)[line][1:]:
                found += [
                    Choice(f"{line} of {p}", Slip(option.mistakes, option.name)) for p in ("all", *self.parameters)
                ]
        if self.spec.penalty != "none":
            found += [Choice("the penalty", Slip(o.mistakes, o.name)) for o in choice_points(self.spec)["penalty"][1:]]
        if self.spec.result == "update":
            found += optimiser_choices(self.parts.optimiser)
            found += self.loops
        return found

    @property
    def loops(self) -> list[Choice]:
        """The other place for the line of the update: inside the loop over the examples, or after it."""
        mistake = "updated-after-the-loop" if self.parts.each_example else "updated-after-each-example"
        return [Choice("the loop", Slip((mistake,), name)) for name in ("summed", "averaged")]

    def run(self, inputs: Values, chosen: Chosen) -> Values:
        """The answers, by their names."""
        self.check(inputs)
        parameters = {name: np.asarray(inputs[name], float) for name in self.parameters}
        if self.spec.result == "gradients":
            found = self._gradients(inputs, chosen)
            return {self.spec.answer_name(name): found[name] for name in self.parameters}
        states = {name: State(np.zeros_like(p), np.zeros_like(p)) for name, p in parameters.items()}
        optimiser = Optimiser.of(self.parts.optimiser, inputs, chosen)
        for _ in range(1 if optimiser.slip == "one-step-only" else self.parts.steps):
            for part, factor in self._batches(inputs, chosen):
                found = self._gradients({**inputs, **part, **parameters}, chosen)
                for name, p in parameters.items():
                    if found[name].shape != p.shape:
                        raise ValueError(f"the gradient of {name} has another shape")
                    parameters[name] = optimiser.step(p, factor * found[name], states[name])
        return {self.spec.answer_name(name): value for name, value in parameters.items()}

    def _batches(self, inputs: Values, chosen: Chosen) -> list[tuple[Values, float]]:
        """What is updated with: all examples, or one after the other."""
        m = inputs["X"].shape[1]
        other = chosen["the loop"].slip.name if "the loop" in chosen else ""
        mean = self.spec.reduction == "mean"
        if self.parts.each_example == bool(other):
            # All examples at once; of those that were meant one by one, the sum or the mean.
            return [({}, (1.0 if mean else 1 / m) if other == "averaged" else m if other and mean else 1.0)]
        by_example = [n for n in inputs if n in ("X", "Y") or n.startswith("mask")]
        return [
            ({n: inputs[n][:, i : i + 1] for n in by_example}, 1 / m if other == "averaged" else 1.0) for i in range(m)
        ]

    def through(self, inputs: Values, chosen: Chosen = MappingProxyType({})) -> tuple[Values, Values]:
        """The values of the forward pass, and the gradient that reaches each of them, before 1/m and the like."""
        ones = np.ones_like(np.asarray(inputs["Y"], float))
        try:
            return gradients(self.steps(inputs), inputs, {f"F{self.spec.depth}": ones}, chosen)
        except (IndexError, TypeError, KeyError) as error:
            raise ValueError(str(error)) from None

    def gradients(self, inputs: Values) -> Values:
        """The exact gradient of every parameter."""
        return self._gradients(inputs, {})

    def _gradients(self, inputs: Values, chosen: Chosen) -> Values:
        values, reached = self.through(inputs, chosen)
        c = self._pass(values, linear=True)
        found = {}
        for name in self.parameters:
            scale = c.scale
            for line in SCALES:
                for place in (f"{line} of all", f"{line} of {name}"):
                    if place in chosen:
                        option = find_option(choice_points(self.spec)[line], line, chosen[place].slip.name)
                        scale *= _need(option.apply(c))
            found[name] = scale * reached.get(name, np.zeros_like(inputs[name], float))  # or no path led there
            if name[0] == "W" and self.spec.penalty != "none":
                made = chosen["the penalty"].slip.name if "the penalty" in chosen else "right"
                penalty = find_option(choice_points(self.spec)["penalty"], "penalty", made)
                assert isinstance(penalty, Penalty)
                found[name] = penalty.scale(c) * found[name] + _need(penalty.apply(c, int(name[1:])))
        return found


def explain_network(spec: Spec, parts: Parts, points: Sequence[Point], *, conventions: bool = False) -> Report:
    """As ``explain``, for a network with these parts. Raises ValueError for points that do not fit it."""
    network = Assembled(spec, parts)
    found = explain_computation(network, [_in_columns(point) for point in points], conventions=conventions)
    named = dict(zip(network.answers, network.parameters))
    return Report({named[answer]: finding for answer, finding in found.parameters.items()})


def _in_columns(point: Point) -> Point:
    """Biases and what is like them may be given flat; then so may their answers be."""
    flat = {n: np.shape(v) for n, v in point.inputs.items() if n[-1:].isdigit() and n[0] in "bg" and np.ndim(v) < 2}
    inputs = {n: np.reshape(v, (-1, 1)) if n in flat else np.asarray(v) for n, v in point.inputs.items()}
    answers = {}
    for name, value in point.answers.items():
        start = name.removesuffix("_new") if name.endswith("_new") else name[1:]
        fits = start in flat and np.shape(value) == flat[start]
        answers[name] = np.reshape(value, (-1, 1)) if fits else np.asarray(value)
    return Point(inputs, answers, {**flat, **point.shapes})


def by_the_loop(spec: Spec, points: Sequence[Point]) -> Report | None:
    """The report where the only mistake is that the parameters are updated after each example; None elsewhere."""
    if spec.result == "gradients" or any(name[0] in "ZA" for point in points for name in point.inputs):
        return None
    network = Assembled(spec, Parts())
    points = [_in_columns(point) for point in points]
    inputs = [dict(point.inputs) for point in points]
    names = [n for n in network.answers if all(n in point.answers for point in points)]
    given = {n: [np.asarray(p.answers[n]) for p in points] for n in names}
    asked = Asked(network, inputs, given, [network.run(one, {}) for one in inputs])
    for choice in network.loops:
        moved = [name for name in names if asked.moved((choice,), name)]
        if moved and asked.gives((choice,), names):
            (mistake,) = choice.slip.mistakes
            findings = {n: Finding(WRONG, given_own=True, follows_from=(mistake,)) for n in moved}
            findings[moved[0]] = Finding(WRONG, (mistake,), hint=MISTAKES[mistake].hint)
            parameters = dict(zip(network.answers, network.parameters))
            return Report({parameters[n]: findings.get(n, Finding(RIGHT)) for n in names})
    return None


def _wider(step: Step, layer: int) -> Step:
    """A step whose slips may also be made in every layer at once."""
    return replace(step, wider=step.line.replace(f" of layer {layer}", " of all layers"))


def _copy(name: str) -> Callable[[Values], Array]:
    return lambda v: v[name]


def _need(value: Any) -> Any:
    if value is None:
        raise ValueError("this slip does not fit these shapes")
    return value
