"""What is true of normalisation, and what follows from own values.

The forward passes are worked out with fifty digits; gradients are slopes of them along the imaginary axis, so that no
formula of a backward pass is typed in.
"""

from __future__ import annotations

from collections.abc import Sequence

import mpmath
import numpy as np

from autograder.exercise import Values
from autograder.exercises.normalisation_mistakes import AXES, Paths
from autograder.exercises.running_averages import carried
from autograder.marking.judges import remembered
from autograder.marking.slips import At, slope
from autograder.truth import many_digits

_exact = np.vectorize(lambda x: mpmath.mpf(float(x)), otypes=[object])
_root = np.vectorize(mpmath.sqrt, otypes=[object])


@remembered
def forward(given: Values) -> dict[str, np.ndarray]:
    """Mean, variance and normalised values along both axes."""
    found: dict[str, np.ndarray] = {}
    with many_digits():
        Z = _exact(given["Z"])
        for which, axis in AXES.items():
            mu = Z.sum(axis=axis, keepdims=True) / Z.shape[axis]
            var = (Z**2).sum(axis=axis, keepdims=True) / Z.shape[axis] - mu**2
            Z_hat = (Z - mu) / _root(var + mpmath.mpf(float(given["eps"])))
            found |= {f"mu{which}": mu, f"var{which}": var, f"Z_hat{which}": Z_hat}
    return {name: np.asarray(value).astype(float) for name, value in found.items()}


def follow_forward(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """The variance from the own mean, and the normalised values from both."""
    found = dict(forward(given))
    for which, axis in AXES.items():
        mu, var = (own.get(f"{name}{which}", found[f"{name}{which}"]) for name in ("mu", "var"))
        if mu.shape == var.shape == found[f"mu{which}"].shape:
            found[f"var{which}"] = np.mean((given["Z"] - mu) ** 2, axis=axis, keepdims=True)
            with np.errstate(all="ignore"):
                found[f"Z_hat{which}"] = (given["Z"] - mu) / np.sqrt(var + given["eps"])
    return [found]


@remembered
def scale(given: Values) -> dict[str, np.ndarray]:
    """The slopes of a loss whose derivative by U is dU."""
    at = At({**given, "beta": np.zeros_like(given["gamma"])}, {})
    return {f"d{name}": slope("sum(dU * (gamma * Z_hat + beta))", at, name) for name in ("Z_hat", "gamma", "beta")}


_MEAN = "mean({0}, axis=along, keepdims=1)"
_VARIANCE = _MEAN.format("(Z - {0})**2")
_LOSS = "sum(dZ_hat * (Z - {0}) / sqrt({1} + eps))"
_SLOPES = {
    "direct": ("Z", _LOSS.format("mu", "var")),
    "dvar": ("var", _LOSS.format("mu", "var")),
    "dmu": ("mu", _LOSS.format("mu", _VARIANCE.format("mu"))),
    "dZ": ("Z", _LOSS.format(_MEAN.format("Z"), _VARIANCE.format(_MEAN.format("Z")))),
}
"""What each is a slope of, and by what: with mean and variance held, with the mean free, with nothing held."""


@remembered
def paths(given: Values) -> dict[str, np.ndarray]:
    """The slopes along every path, to full accuracy."""
    found: dict[str, np.ndarray] = {}
    for which, axis in AXES.items():
        at = At({**given, "mu": given[f"mu{which}"], "var": given[f"var{which}"], "along": axis}, {})
        found |= {f"{line}{which}": slope(loss, at, name) for line, (name, loss) in _SLOPES.items()}
    return found


def follow_paths(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """The variance's and the mean's gradient from the own direct path, and the sum from all three."""
    found = dict(paths(given))
    fits = {
        name: value
        for name, value in own.items()
        if name in found and value.shape in (found[name].shape, given["Z"].shape)
    }
    for which in AXES:
        own_paths = Paths(At(given, fits), which)
        found |= {f"dvar{which}": own_paths.dvar, f"dmu{which}": own_paths.dmu}
        found[f"dZ{which}"] = own_paths.total(fits.get(f"dvar{which}"), fits.get(f"dmu{which}"))
    return [found]


@remembered
def evaluation(given: Values) -> dict[str, np.ndarray]:
    """The values with fifty digits; the slopes of a loss whose derivative by U is dU."""
    formula = "gamma * (Z - running_mu) / sqrt(running_var + eps) + beta"
    with many_digits():
        exact = {name: _exact(value) for name, value in given.items()}
        U = exact["gamma"] * (exact["Z"] - exact["running_mu"]) / _root(exact["running_var"] + exact["eps"])
        U = U + exact["beta"]
    at = At({**given, "Z": np.zeros_like(given["dU"])}, {})
    return {"U": U.astype(float), "dZ": slope(f"sum(dU * ({formula}))", at, "Z")}


@remembered
def running(given: Values) -> dict[str, np.ndarray]:
    """The values of every batch and the averages after it: weighted sums over all batches so far, in fifty digits."""
    with many_digits():
        exact = {name: _exact(value) for name, value in given.items()}
        mus, variances, U, keep = [], [], [], mpmath.mpf(float(given["keep"]))
        for Z in exact["batches"]:
            mus.append(Z.sum(axis=1, keepdims=True) / Z.shape[1])
            variances.append((Z**2).sum(axis=1, keepdims=True) / Z.shape[1] - mus[-1] ** 2)
            U.append(exact["gamma"] * (Z - mus[-1]) / _root(variances[-1] + exact["eps"]) + exact["beta"])
        found = {"U": np.array(U)}
        for name, new in (("running_mu", mus), ("running_var", variances)):
            times = range(1, len(new) + 1)
            kept = [sum((1 - keep) * keep ** (t - k) * new[k - 1] for k in range(1, t + 1)) for t in times]
            found[name] = np.array([keep**t * exact[name] + one for t, one in zip(times, kept)])
    return {name: value.astype(float) for name, value in found.items()}


def follow_running(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """The values and the averages from the own mean, variance and normalised values of each batch."""
    found, shape = dict(running(given)), given["batches"].shape
    if own.get("Z_hat", np.zeros(0)).shape == shape:
        found["U"] = given["gamma"] * own["Z_hat"] + given["beta"]
    for name in ("mu", "var"):
        if own.get(name, np.zeros(0)).shape in ((*shape[:2], 1), (shape[0], 1, shape[2])):
            found[f"running_{name}"] = carried(given[f"running_{name}"], own[name], given["keep"])
    return [found]
