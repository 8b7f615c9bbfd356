"""From the wrong backward passes of a layer to slips that a question names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.layers import Backward, Layer, named
from autograder.marking.slips import At, Slip


def layer_slips(layer: Layer, mistakes: Mapping[str, Backward]) -> tuple[Slip, ...]:
    """A slip for every gradient of every mistake, whose id stands in the catalogue. Raises UnknownMistake.

    The challenges hold the inputs by their names and the upstream gradient as ``g`` (g0, g1, ... of several outputs).
    """
    names = [f"d{name}" for name in layer.names]

    def formula(wrong: Backward, gradient: str, id: str) -> Any:
        def at(point: At) -> Any:
            inputs = [*layer.upstreams(layer.outputs(point.given)), *layer.names]
            due = [f"d{name}" for name in layer.by(point.given)]
            return named(wrong(*(point.given[name] for name in inputs)), due, f"the mistake {id!r}").get(gradient)

        return at

    return tuple(Slip(id, (name,), formula(wrong, name, id)) for id, wrong in mistakes.items() for name in names)
