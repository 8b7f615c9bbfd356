"""Forward passes that differ: which one gives right backward passes, and both readings of own activations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from autograder.diagnosis.spec import ACTIVATIONS, Array, Point, Spec, forward

Values = dict[str, Array]

_WRONG: Mapping[str, tuple[tuple[str, Callable[[Array], Array]], ...]] = {
    "sigmoid": (
        ("sigmoid-without-brackets", lambda z: 1 + np.exp(-z)),
        ("sigmoid-sign", lambda z: 1 / (1 + np.exp(z))),
        ("activation-applied-twice", lambda z: ACTIVATIONS["sigmoid"](ACTIVATIONS["sigmoid"](z))),
        ("tanh-for-sigmoid", np.tanh),
    ),
    "tanh": (
        ("sigmoid-kept", ACTIVATIONS["sigmoid"]),
        ("activation-applied-twice", lambda z: np.tanh(np.tanh(z))),
        ("relu-in-hidden-layer", ACTIVATIONS["relu"]),
    ),
    "relu": (
        ("sigmoid-kept", ACTIVATIONS["sigmoid"]),
        ("leaky-relu", lambda z: np.where(z > 0, z, 0.01 * z)),
        ("absolute-value", np.abs),
    ),
}


def other_forwards(spec: Spec) -> Iterator[tuple[str, Callable[[Point], Values]]]:
    """Wrong ways to run the forward pass: the id of the mistake, and the values of every layer at a point."""
    layers = range(1, spec.depth + 1)
    names = (*spec.hidden, spec.output)

    def run(
        biased: Sequence[int], activations: Mapping[int, Callable[[Array], Array]], from_z: int | None = None
    ) -> Callable[[Point], Values]:
        def values(point: Point) -> Values:
            c = forward(spec, point.inputs, own=False)
            made: Values = {}
            into = c.a[0]
            for layer in layers:
                z = c.w[layer] @ into + (c.b[layer] if layer in biased else 0.0)
                a = activations.get(layer, ACTIVATIONS[names[layer - 1]])(z)
                made |= {f"Z{layer}": z, f"A{layer}": a}
                into = z if layer == from_z else a
            return made

        return values

    if spec.biases:
        yield "bias-forgotten", run((), {})
        if spec.depth > 1:
            for layer in layers:
                yield "bias-forgotten", run([k for k in layers if k != layer], {})
    for layer in layers:
        for id, function in _WRONG.get(names[layer - 1], ()):
            alike = {k: function for k in layers if names[k - 1] == names[layer - 1]}
            yield id, run(layers, {layer: function})
            if len(alike) > 1:
                yield id, run(layers, alike)
        if layer < spec.depth and names[layer - 1] != "linear":
            yield "activation-forgotten", run(layers, {layer: lambda z: z})
            yield "pre-activations-for-activations", run(layers, {}, layer)


def read_from_activations(spec: Spec, points: Sequence[Point]) -> list[Point] | None:
    """The same points with Z such that f(Z) is the own A, where they differ: a derivative may be read from either."""
    changed, found = False, []
    for point in points:
        c = forward(spec, point.inputs)
        inputs = dict(point.inputs)
        for layer, name in enumerate(spec.hidden, 1):
            with np.errstate(all="ignore"):
                z = {
                    "tanh": lambda a: np.arctanh(a),
                    "sigmoid": lambda a: np.log(a) - np.log1p(-a),
                    "relu": lambda a: a,
                    "linear": lambda a: a,
                }.get(name, lambda a, z=c.z[layer]: z)(c.a[layer])
            if not np.isfinite(z).all():
                return None
            if np.abs(z - c.z[layer]).max() > 1e-9 and name != "relu":
                changed = True
                inputs |= {f"Z{layer}": z, f"A{layer}": c.a[layer]}
        found.append(Point(inputs, point.answers))
    return found if changed else None
