"""Steps of optimisers written down as formulas, and as people get them wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from autograder.exercise import Reply, Values, Verdict
from autograder.marking.compare import as_numbers
from autograder.marking.judges import Explain
from autograder.marking.slips import At, worked_out
from autograder.tolerance import agree, tolerance

Formulas = Mapping[str, str]
"""Names in the order in which they are worked out. ``v0`` is v before the step, ``v'`` what is carried on as v."""

_VELOCITY = "beta * v + g"
_SQUARES = "beta * s + (1 - beta) * g**2"
_ADAM = {
    "m": "beta1 * m + (1 - beta1) * g",
    "s": "beta2 * s + (1 - beta2) * g**2",
    "M": "m / (1 - beta1**t)",
    "S": "s / (1 - beta2**t)",
}
RIGHT: Mapping[str, Formulas] = {
    "momentum": {"v": _VELOCITY, "theta": "theta - rate * v"},
    "nesterov": {"v": _VELOCITY, "theta": "theta - rate * (g + beta * v)"},
    "rmsprop": {"s": _SQUARES, "theta": "theta - rate * g / (sqrt(s) + eps)"},
    "adam": {**_ADAM, "theta": "theta - rate * M / (sqrt(S) + eps)"},
    "adamw": {**_ADAM, "theta": "theta - rate * M / (sqrt(S) + eps) - rate * decay * theta"},
}
STATES = {"momentum": ("v",), "nesterov": ("v",), "rmsprop": ("s",), "adam": ("m", "s"), "adamw": ("m", "s")}
"""What each of them carries on."""

_VELOCITIES = (
    ("momentum-averaged", {"v": "beta * v + (1 - beta) * g"}),
    ("optimiser-rates-exchanged", {"v": "(1 - beta) * v + beta * g"}),
    ("optimiser-rates-exchanged", {"v": "(1 - beta) * v + g"}),
    ("optimiser-state-not-carried", {"v": "g"}),
    ("momentum-not-used", {"theta": "theta - rate * g"}),
)


def _rate(step: str) -> tuple[tuple[str, Formulas], ...]:
    """What goes wrong where any step is taken."""
    return (
        ("sign-flipped", {"theta": f"theta + rate * {step}"}),
        ("learning-rate-missing", {"theta": f"theta - {step}"}),
        ("learning-rate-squared", {"theta": f"theta - rate**2 * {step}"}),
    )


_AVERAGES = (
    ("optimiser-square-missing", {"s": "beta * s + (1 - beta) * g"}),
    ("absolute-values-for-squares", {"s": "beta * s + (1 - beta) * abs(g)"}),
    ("optimiser-weight-missing", {"s": "beta * s + g**2"}),
    ("optimiser-rates-exchanged", {"s": "(1 - beta) * s + beta * g**2"}),
    ("optimiser-state-not-carried", {"s": "(1 - beta) * g**2"}),
    ("optimiser-state-not-carried", {"s": "g**2"}),
)


def _roots(mean: str, squares: str) -> tuple[tuple[str, Formulas], ...]:
    """What goes wrong below the line."""
    return (
        ("optimiser-root-missing", {"theta": f"theta - rate * {mean} / ({squares} + eps)"}),
        ("optimiser-epsilon-misplaced", {"theta": f"theta - rate * {mean} / sqrt({squares} + eps)"}),
        ("optimiser-epsilon-missing", {"theta": f"theta - rate * {mean} / sqrt({squares})"}),
    )


def _both(first: str, second: str) -> Formulas:
    return {"M": first, "S": second}


_OF_ADAM: tuple[tuple[str, Formulas], ...] = (
    *((id, {"s": one["s"].replace("beta", "beta2")}) for id, one in _AVERAGES),
    ("optimiser-weight-missing", {"m": "beta1 * m + g"}),
    ("optimiser-weight-missing", {"m": "beta1 * m + g", "s": "beta2 * s + g**2"}),
    ("optimiser-rates-exchanged", {"m": "(1 - beta1) * m + beta1 * g"}),
    (
        "optimiser-rates-exchanged",
        {"m": "(1 - beta1) * m + beta1 * g", "s": "(1 - beta2) * s + beta2 * g**2"},
    ),
    ("optimiser-state-not-carried", {"m": "(1 - beta1) * g", "s": "(1 - beta2) * g**2"}),
    ("optimiser-state-not-carried", {"m": "(1 - beta1) * g"}),
    ("adam-betas-exchanged", {"m": "beta2 * m + (1 - beta2) * g", "s": "beta1 * s + (1 - beta1) * g**2"}),
    (
        "adam-betas-exchanged",
        {
            "m": "beta2 * m + (1 - beta2) * g",
            "s": "beta1 * s + (1 - beta1) * g**2",
            **_both("m / (1 - beta2**t)", "s / (1 - beta1**t)"),
        },
    ),
    ("adam-betas-exchanged", _both("m / (1 - beta2**t)", "s / (1 - beta1**t)")),
    ("adam-correction-missing", _both("m", "s")),
    ("adam-first-correction-missing", {"M": "m"}),
    ("adam-second-correction-missing", {"S": "s"}),
    ("adam-step-not-counted", _both("m / (1 - beta1)", "s / (1 - beta2)")),
    ("adam-step-not-counted", _both("m / (1 - beta1 * t)", "s / (1 - beta2 * t)")),
    ("adam-counted-from-zero", _both("m / (1 - beta1**(t - 1))", "s / (1 - beta2**(t - 1))")),
    ("adam-counted-from-zero", _both("m / (1 - beta1**(t + 1))", "s / (1 - beta2**(t + 1))")),
    ("adam-correction-kept", {"m'": "M", "s'": "S"}),
    ("adam-correction-kept", {"m'": "M"}),
    ("adam-correction-kept", {"s'": "S"}),
    ("adam-correction-multiplied", _both("m * (1 - beta1**t)", "s * (1 - beta2**t)")),
    ("optimiser-state-updated-late", _both("m0 / (1 - beta1**t)", "s0 / (1 - beta2**t)")),
    ("momentum-not-used", {"M": "g"}),
)
_STEP = "M / (sqrt(S) + eps)"
_COUPLED = "(g + decay * theta)"

WRONG: Mapping[str, Sequence[tuple[str, Formulas]]] = {
    "momentum": (
        *_VELOCITIES,
        *_rate("v"),
        ("optimiser-state-updated-late", {"theta": "theta - rate * v0"}),
        ("learning-rate-in-velocity", {"v": "beta * v + rate * g", "theta": "theta - v"}),
        ("learning-rate-in-velocity", {"v": "beta * v - rate * g", "theta": "theta + v"}),
        ("momentum-nesterov", {"theta": "theta - rate * (g + beta * v)"}),
    ),
    "nesterov": (
        *_VELOCITIES,
        *_rate("(g + beta * v)"),
        ("learning-rate-in-velocity", {"v": "beta * v + rate * g", "theta": "theta - (rate * g + beta * v)"}),
        ("nesterov-plain-momentum", {"theta": "theta - rate * v"}),
        ("nesterov-beta-missing", {"theta": "theta - rate * (g + v)"}),
        ("nesterov-gradient-missing", {"theta": "theta - rate * beta * v"}),
    ),
    "rmsprop": (
        *_AVERAGES,
        *_rate("g / (sqrt(s) + eps)"),
        *_roots("g", "s"),
        ("optimiser-state-updated-late", {"theta": "theta - rate * g / (sqrt(s0) + eps)"}),
    ),
    "adam": (*_OF_ADAM, *_rate(_STEP), *_roots("M", "S")),
    "adamw": (
        *((id, {**one, **({"theta": one["theta"] + " - rate * decay * theta"} if "theta" in one else {})})
          for id, one in (*_OF_ADAM, *_rate(_STEP), *_roots("M", "S"))),
        ("decay-coupled", {"m": f"beta1 * m + (1 - beta1) * {_COUPLED}",
                           "s": f"beta2 * s + (1 - beta2) * {_COUPLED}**2", "theta": RIGHT["adam"]["theta"]}),
        ("decay-coupled", {"theta": "theta - rate * (M + decay * theta) / (sqrt(S) + eps)"}),
        ("decay-missing", {"theta": RIGHT["adam"]["theta"]}),
        ("decay-without-rate", {"theta": f"theta - rate * {_STEP} - decay * theta"}),
        ("decay-sign", {"theta": f"theta - rate * {_STEP} + rate * decay * theta"}),
        ("decay-applied-after-the-step", {"theta": f"(theta - rate * {_STEP}) * (1 - rate * decay)"}),
        ("decay-of-one-number", {"theta": f"theta - rate * {_STEP} - rate * decay"}),
    ),
}  # fmt: skip
"""Of each optimiser, what of its formulas is another one, with the id of the mistake."""


def run(kind: str, given: Values, changed: Formulas | None = None, own: Values | None = None) -> dict[str, np.ndarray]:
    """What is carried on and the parameters after each step; ``own`` values take the place of computed ones."""
    formulas = {**RIGHT[kind], **(changed or {})}
    names = {**given, **{name: np.zeros_like(given["theta"]) for name in STATES[kind]}}
    kept: dict[str, list[np.ndarray]] = {name: [] for name in (*STATES[kind], "theta")}
    with np.errstate(all="ignore"):
        for t, g in enumerate(given["g"], 1):
            names |= {f"{name}0": names[name] for name in STATES[kind]} | {"g": g, "t": float(t)}
            for name, formula in formulas.items():
                names[name.rstrip("'")] = worked_out(formula, At(names, {}))
                if own is not None and name in STATES[kind]:
                    names[name] = own[name][t - 1]
            for name, values in kept.items():
                values.append(np.asarray(names[name]))
    return {name: np.array(values) for name, values in kept.items()}


def explained(kind: str) -> Explain:
    """The explanation of wrong lines by what another formula gives at every challenge, in all lines if one does."""

    def explain(replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        lines = (*STATES[kind], "theta")
        fitting = []
        for id, changed in WRONG[kind]:
            predicted = [run(kind, reply.given, changed) for reply in replies]
            fit = {n for n in lines if all(_alike(r.values.get(n), one[n]) for r, one in zip(replies, predicted))}
            fitting.append((id, fit))
        whole = [(id, fit) for id, fit in fitting if len(fit) == len(lines)]
        found: dict[str, set[str]] = {}
        for id, fit in whole or fitting:
            for line in fit:
                found.setdefault(line, set()).add(id)
        return {line: Verdict.named(*ids) for line, ids in found.items() if len(ids) == 1}

    return explain


def _alike(got: object, predicted: np.ndarray) -> bool:
    array = as_numbers(got)
    if isinstance(array, str) or array.shape != predicted.shape or (proof := tolerance(array).proof) is None:
        return False
    finite = np.isfinite(predicted)
    if not np.array_equal(np.isfinite(array), finite):
        return False
    return all(agree(np.where(f, a, 0), np.where(f, p, 0), proof) for a, p, f in zip(array, predicted, finite))


Follow = Callable[[Values, Values], Sequence[Mapping[str, np.ndarray]]]


def following(kind: str, truth: Callable[[Values], Mapping[str, np.ndarray]]) -> Follow:
    """The parameters from the student's own carried values."""

    def follow(given: Values, own: Values) -> Sequence[Mapping[str, np.ndarray]]:
        exact = truth(given)
        mine = {name: own.get(name) for name in STATES[kind]}
        if any(value is None or value.shape != exact[name].shape for name, value in mine.items()):
            return []
        return [{**exact, "theta": run(kind, given, own=mine)["theta"]}]

    return follow
