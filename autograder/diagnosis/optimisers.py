"""Updates with a state that is carried from step to step: momentum, RMSprop and Adam, and how people err in them.

momentum   m = momentum m + g                                 p = p - rate m
rmsprop    v = alpha v + (1 - alpha) g^2                      p = p - rate g / (sqrt(v) + eps)
adam       m = beta1 m + (1 - beta1) g                        p = p - rate M / (sqrt(V) + eps)
           v = beta2 v + (1 - beta2) g^2, M = m / (1 - beta1^t), V = v / (1 - beta2^t)

The numbers have PyTorch's names and, where they are not given, its values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autograder.diagnosis.blocks import number
from autograder.diagnosis.computation import explain_computation
from autograder.diagnosis.spec import Array, Point
from autograder.diagnosis.tape import Choice, Chosen, Slip, Values
from autograder.diagnosis.verdicts import Report

LINE = "the update"

_COMMON = ("optimiser-state-not-carried", "optimiser-state-updated-late", "optimiser-rates-exchanged", "sign-flipped",
           "learning-rate-missing")  # fmt: skip
_SECOND = (
    "optimiser-square-missing",
    "optimiser-root-missing",
    "optimiser-epsilon-misplaced",
    "optimiser-weight-missing",
)
SLIPS: Mapping[str, tuple[str, ...]] = {
    "sgd": ("sign-flipped", "learning-rate-missing", "one-step-only"),
    "momentum": (*_COMMON, "momentum-averaged", "momentum-nesterov", "momentum-not-used", "one-step-only"),
    "rmsprop": (*_COMMON, *_SECOND, "one-step-only"),
    "adam": (
        *_COMMON, *_SECOND, "adam-correction-missing", "adam-first-correction-missing",
        "adam-second-correction-missing", "adam-step-not-counted", "adam-counted-from-zero",
        "adam-betas-exchanged", "one-step-only",
    ),
}  # fmt: skip
"""By optimiser, what is done wrongly in its lines; the ids say how."""

OPTIMISERS = tuple(SLIPS)


@dataclass
class State:
    """What an optimiser carries on for one parameter."""

    first: Array
    second: Array
    steps: int = 0


@dataclass(frozen=True)
class Optimiser:
    """One optimiser with its numbers, and what is done wrongly in it."""

    kind: str
    rate: float
    beta1: float
    beta2: float
    eps: float
    slip: str = ""

    @classmethod
    def of(cls, kind: str, inputs: Values, chosen: Chosen) -> Optimiser:
        """With the numbers of a point."""
        if "learning_rate" not in inputs:
            raise ValueError("learning_rate is missing; an update needs it")
        slip = chosen[LINE].slip.name if LINE in chosen else ""
        if kind == "adam":
            betas = np.asarray(inputs.get("betas", (0.9, 0.999)), float).ravel()
            if len(betas) != 2:
                raise ValueError("betas must hold two numbers")
            beta1, beta2 = float(betas[0]), float(betas[1])
        else:
            beta1, beta2 = number(inputs, "momentum", 0.9), number(inputs, "alpha", 0.99)
        return cls(kind, number(inputs, "learning_rate", 1.0), beta1, beta2, number(inputs, "eps", 1e-8), slip)

    def step(self, p: Array, g: Array, state: State) -> Array:
        """The parameter after one step; the state is changed."""
        late = State(state.first, state.second, state.steps)
        if self.slip == "optimiser-state-not-carried":
            state.first, state.second = np.zeros_like(p), np.zeros_like(p)
        state.steps += 1
        beta1, beta2 = self.beta1, self.beta2
        if self.slip == "adam-betas-exchanged":
            beta1, beta2 = beta2, beta1
        keep1, keep2, new1, new2 = beta1, beta2, 1 - beta1, 1 - beta2
        if self.slip == "optimiser-rates-exchanged":
            keep1, keep2, new1, new2 = new1, new2, keep1, keep2
        if self.slip == "optimiser-weight-missing":
            new1, new2 = 1.0, 1.0
        if self.kind == "momentum" and self.slip not in ("momentum-averaged", "optimiser-rates-exchanged"):
            new1 = 1.0
        state.first = keep1 * state.first + new1 * g
        state.second = keep2 * state.second + new2 * (g if self.slip == "optimiser-square-missing" else g * g)
        used = late if self.slip == "optimiser-state-updated-late" else state
        rate = -self.rate if self.slip == "sign-flipped" else 1.0 if self.slip == "learning-rate-missing" else self.rate
        return np.asarray(p - rate * self._direction(g, used, (beta1, beta2)))

    def _direction(self, g: Array, state: State, betas: tuple[float, float]) -> Array:
        if self.kind == "sgd" or self.slip == "momentum-not-used":
            return g
        if self.kind == "momentum":
            return g + self.beta1 * state.first if self.slip == "momentum-nesterov" else state.first
        first, second = (g, state.second) if self.kind == "rmsprop" else self._corrected(state, betas)
        if self.slip == "optimiser-root-missing":
            return np.asarray(first / (second + self.eps))
        if self.slip == "optimiser-epsilon-misplaced":
            return np.asarray(first / np.sqrt(second + self.eps))
        return np.asarray(first / (np.sqrt(second) + self.eps))

    def _corrected(self, state: State, betas: tuple[float, float]) -> tuple[Array, Array]:
        t = {"adam-step-not-counted": 1, "adam-counted-from-zero": state.steps + 1}.get(self.slip, state.steps)
        first, second = state.first, state.second
        if self.slip not in ("adam-correction-missing", "adam-first-correction-missing"):
            first = first / (1 - betas[0] ** t)
        if self.slip not in ("adam-correction-missing", "adam-second-correction-missing"):
            second = second / (1 - betas[1] ** t)
        return first, second


def optimiser_choices(kind: str) -> list[Choice]:
    """Every slip of an optimiser."""
    return [Choice(LINE, Slip((id,), id)) for id in SLIPS[kind]]


@dataclass(frozen=True)
class Updates:
    """A parameter ``p`` after steps with given gradients ``g``, (steps, ...): ``p_new``, and its state where asked for.

    ``m``, ``v`` and ``t`` may say what was carried on from steps before; ``m_new`` and ``v_new`` are answers too.
    """

    kind: str

    @property
    def answers(self) -> tuple[str, ...]:
        """The parameter first."""
        first, second = (
            ("m_new",) * (self.kind in ("momentum", "adam")),
            ("v_new",) * (self.kind in ("rmsprop", "adam")),
        )
        return ("p_new", *first, *second)

    def choices(self, inputs: Values) -> Sequence[Choice]:
        """The slips of the optimiser."""
        return optimiser_choices(self.kind)

    def run(self, inputs: Values, chosen: Chosen) -> Values:
        """The answers after all steps."""
        p, g = inputs["p"], inputs["g"]
        if g.shape[1:] != p.shape or not len(g):
            raise ValueError(
                f"g has shape {g.shape}, and p {p.shape}: the same after a first axis of steps was expected"
            )
        optimiser = Optimiser.of(self.kind, inputs, chosen)
        first, second = (np.array(inputs.get(n, np.zeros(p.shape)), float) for n in "mv")
        state = State(first, second, int(number(inputs, "t", 0)))
        if state.first.shape != p.shape or state.second.shape != p.shape:
            raise ValueError(f"m and v must have the shape of p, {p.shape}")
        for one in g[:1] if optimiser.slip == "one-step-only" else g:
            p = optimiser.step(p, one, state)
        made = {"p_new": p, "m_new": state.first, "v_new": state.second}
        return {name: made[name] for name in self.answers}


def explain_updates(kind: str, points: Sequence[Point], *, conventions: bool = False) -> Report:
    """What is right and wrong with a parameter after steps of an optimiser. Raises ValueError for what does not fit."""
    for point in points:
        for wanted in ("p", "g", "learning_rate"):
            if wanted not in point.inputs:
                raise ValueError(f"{wanted} is missing")
    return explain_computation(Updates(kind), points, conventions=conventions)
