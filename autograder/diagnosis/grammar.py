"""The grammar of mistakes: the backward equations with independent choice points.

    E_L = output error                      (choice "output-error")
    G_l = W_{at+1}^T E_{at+1}                 (choice "weights-at")
    E_l = G_l * f'(Z_l)                     (choice "derivative-at")
    C   = E_l A_{at-1}^T                     (choices "operand" and "product"), for a bias: sum of E_l ("bias-sum")
    dW  = scale * C + penalty               (choices "divisor", "factor", "outputs", "sign", "rate", "penalty")
    W  <- W - alpha dW                      (choice "update")

Each choice point offers options, the right one first. An option of the chain takes a stack of upstream errors of shape
(..., rows, m), so that thousands of combinations are evaluated in a few matrix products.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from autograder.diagnosis.chain import derivative_options, output_options, weights_options
from autograder.diagnosis.spec import Array, Pass, Point, Spec, forward
from autograder.diagnosis.steps import (
    Link,
    Operand,
    Option,
    Options,
    Penalty,
    Product,
    Scale,
    Start,
    Update,
)
from autograder.diagnosis.tail import (
    bias_options,
    bias_penalty_options,
    operand_options,
    penalty_options,
    product_options,
    scale_options,
    update_options,
)

SCALES = ("divisor", "factor", "outputs", "sign", "rate")


@lru_cache(maxsize=256)
def choice_points(spec: Spec) -> Mapping[str, Options]:
    """The grammar for ``spec``: for each choice point its options, the right one first.

    >>> [option.name for option in choice_points(Spec(("tanh",), "sigmoid", "bce"))["sign"]]
    ['right', 'sign-flipped']
    """
    points: dict[str, Options] = {"output-error": output_options(spec)}
    for layer in range(spec.depth - 1, 0, -1):
        points[f"weights-{layer}"] = weights_options(layer)
        points[f"derivative-{layer}"] = derivative_options(spec, layer)
    points |= {"operand": operand_options(), "product": product_options()}
    if spec.biases:
        points["bias-sum"] = bias_options(spec)
    points |= scale_options(spec)
    points["penalty"] = penalty_options(spec)
    if spec.biases:
        points["bias-penalty"] = bias_penalty_options(spec)
    points["update"] = update_options(spec)
    return points


def link_points(layer: int) -> tuple[str, str]:
    """The choice points from the error of the layer above to that of ``layer``."""
    return f"weights-{layer}", f"derivative-{layer}"


def chain_points(spec: Spec, layer: int) -> tuple[str, ...]:
    """The choice points that make the error of ``layer``, in order."""
    return ("output-error", *(point for at in range(spec.depth - 1, layer - 1, -1) for point in link_points(at)))


def tail_points(parameter: str) -> tuple[str, ...]:
    """The choice points from the error of a layer to the answer for one of its parameters."""
    own = ("operand", "product") if parameter[0] == "W" else ("bias-sum",)
    return (*own, *SCALES, "penalty" if parameter[0] == "W" else "bias-penalty", "update")


def choice_points_of(spec: Spec, parameter: str) -> tuple[str, ...]:
    """The choice points that make the answer for ``parameter``, in order."""
    return (*chain_points(spec, int(parameter[1:])), *tail_points(parameter))


@dataclass(frozen=True)
class Recipe:
    """One option for each choice point of one parameter, and whether the scale also multiplies the penalty."""

    parameter: str
    options: Mapping[str, Option[Any]]
    linked: bool = False


class DoesNotFit(ValueError):
    """An option cannot be evaluated with these shapes."""


Value = TypeVar("Value")


def _need(value: Value | None, point: str, option: Option[Any]) -> Value:
    if value is None:
        raise DoesNotFit(f"{point}={option.name} does not fit these shapes")
    return value


def layer_error(c: Pass, layer: int, options: Mapping[str, Option[Any]]) -> Array:
    """The error of a layer, (rows, m), with the options chosen. Raises DoesNotFit."""
    start: Start = options["output-error"]
    e = _need(start.apply(c), "output-error", start)
    for at in range(c.spec.depth - 1, layer - 1, -1):
        for name in link_points(at):
            link: Link = options[name]
            e = _need(link.apply(c, at, e), name, link)
    return e


def evaluate(c: Pass, recipe: Recipe) -> Array:
    """The answer for one parameter under one recipe. Raises DoesNotFit."""
    parameter, layer, options = recipe.parameter, int(recipe.parameter[1:]), recipe.options
    e = layer_error(c, layer, options)
    if parameter[0] == "W":
        operand: Operand = options["operand"]
        product: Product = options["product"]
        q = _need(operand.apply(c, layer), "operand", operand)
        core = _need(product.apply(c, layer, e, q), "product", product)
    else:
        bias: Link = options["bias-sum"]
        core = _need(bias.apply(c, layer, e), "bias-sum", bias)
    scale = 1.0
    for name in SCALES:
        factor: Scale = options[name]
        scale *= _need(factor.apply(c), name, factor)
    penalty = options["penalty" if parameter[0] == "W" else "bias-penalty"]
    assert isinstance(penalty, Penalty)
    added = _need(penalty.apply(c, layer), "penalty", penalty)
    update: Update = options["update"]
    try:
        gradient = scale * penalty.scale(c) * c.scale * core + (scale if recipe.linked else 1.0) * added
        return update.apply(c, c.value(parameter), gradient)
    except ValueError as error:
        # A gradient of another shape cannot be added to the penalty or the parameter: the student's code would stop.
        raise DoesNotFit(f"{parameter}: {error}") from None


def remember(c: Pass, parameter: str, answer: Array) -> None:
    """Note the answer for a weight matrix, so that later steps can use the updated weights or the gradient."""
    layer = int(parameter[1:])
    if parameter[0] != "W" or answer.shape != c.w[layer].shape:
        return
    if c.spec.result == "update":
        c.updated[layer] = answer
        c.gradient[layer] = (c.w[layer] - answer) / c.learning_rate
    else:
        c.gradient[layer] = answer
        if c.learning_rate is not None:
            c.updated[layer] = c.w[layer] - c.learning_rate * answer


def mutate(spec: Spec, point: Point, choices: Mapping[str, str]) -> dict[str, Array]:
    """Run the backward pass with some steps done differently.

    ``choices`` maps a choice point to the name of an option; ``"divisor@b1"`` holds for one parameter only. The
    result maps dW1, db1, ... (or W1_new, ...) to arrays, in backward order. No choices: the right answers.
    Raises ValueError when a choice is unknown and DoesNotFit when an option cannot be evaluated with these shapes.
    """
    return run_mutated(forward(spec, point.inputs), choices)


def run_mutated(c: Pass, choices: Mapping[str, str]) -> dict[str, Array]:
    """As ``mutate``, for a pass at hand; fills its ``gradient`` and ``updated``."""
    spec, grammar, answers = c.spec, choice_points(c.spec), {}
    for key in choices:
        name, _, parameter = key.partition("@")
        if (name != "linked" and name not in grammar) or (parameter and parameter not in spec.parameters):
            raise ValueError(
                f"unknown choice point {key!r}; choose among {', '.join(grammar)}, or one of these with @W1"
            )
    if spec.biases and not c.error_sums:
        for layer in range(1, spec.depth + 1):
            right = {name: grammar[name][0] for name in chain_points(spec, layer)}
            c.error_sums[layer] = layer_error(c, layer, right).sum(axis=1, keepdims=True)
    for parameter in spec.parameters:
        options = {}
        for name in choice_points_of(spec, parameter):
            chosen = choices.get(f"{name}@{parameter}", choices.get(name))
            options[name] = grammar[name][0] if chosen is None else find_option(grammar[name], name, chosen)
        # "linked": the scale also multiplies the penalty, as when 1/m is missing for the whole gradient.
        linked = choices.get(f"linked@{parameter}", choices.get("linked", "no")) == "yes"
        answer = evaluate(c, Recipe(parameter, options, linked))
        answers[spec.answer_name(parameter)] = answer
        remember(c, parameter, answer)
    return answers


def find_option(options: Options, point: str, name: str) -> Option[Any]:
    """The option called ``name``. Raises ValueError when there is none."""
    for option in options:
        if option.name == name:
            return option
    raise ValueError(f"unknown option {name!r} for {point}; choose among {', '.join(o.name for o in options)}")
