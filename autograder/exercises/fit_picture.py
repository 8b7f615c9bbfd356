"""A picture of truth and prediction: which curves its lines are, and how far they reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from autograder.exercise import RIGHT, Challenge, Probe, Reply, Verdict
from autograder.marking.compare import as_numbers
from autograder.marking.judges import at_every_challenge


def picture(student, given):
    """The lines that draw_fit puts on axes of ours: their points and labels. The network is a stand-in."""
    from matplotlib.figure import Figure

    low, high, steep = float(given["low"]), float(given["high"]), float(given["steep"])

    def forward_pass(self, X):
        self.A2 = self.Z2 = low + (high - low) / (1 + np.exp(-steep * np.asarray(X, dtype=float)))
        return self.A2

    ax = Figure().subplots()
    student.draw_fit(ax, type("StandIn", (), {"forward_pass": forward_pass})())
    found = [(np.asarray(line.get_xdata()), np.asarray(line.get_ydata()), line.get_label()) for line in ax.get_lines()]
    for points in ax.collections:
        offsets = np.asarray(points.get_offsets())
        if offsets.ndim == 2 and offsets.shape[1] == 2:
            found.append((offsets[:, 0], offsets[:, 1], points.get_label()))
    kept = [(x.ravel()[:5000], y.ravel()[:5000], str(label)[:100]) for x, y, label in found[:20]]
    return {
        "x": [np.array(x, dtype=float) for x, _, _ in kept],
        "y": [np.array(y, dtype=float) for _, y, _ in kept],
        "labels": ["" if label.startswith("_") else label for _, _, label in kept],
        "axes": [ax.get_xlabel()[:100], ax.get_ylabel()[:100]],
    }


def _pictures(rng: np.random.Generator) -> list[Challenge]:
    shown = {"low": np.array(-1.0), "high": np.array(1.0), "steep": np.array(2.0)}
    drawn = [
        {"low": -rng.uniform(0.6, 1.4), "high": rng.uniform(0.6, 1.4), "steep": rng.uniform(0.5, 3)} for _ in "123"
    ]
    return [Challenge(shown, shown=True), *(Challenge({name: np.array(v) for name, v in one.items()}) for one in drawn)]


PICTURE = Probe(picture, _pictures)
WIDE = 12.0
"""As far to both sides the prediction is asked for."""


@at_every_challenge
def by_picture(reply: Reply) -> dict[str, Verdict]:
    """Whether a line is the sine, a labelled one the prediction, and how far they reach."""
    low, high, steep = (float(reply.given[name]) for name in ("low", "high", "steep"))
    truth = _lines_of(reply, np.sin)
    prediction = _lines_of(reply, lambda x: low + (high - low) / (1 + np.exp(-steep * x)))
    on_training = [_reach(some, np.pi) for some in (truth, prediction)]
    labels = dict(enumerate(_listed(reply, "labels")))
    named = all(any(labels.get(i, "") != "" for i in some) for some in (truth, prediction))
    curves = RIGHT
    for told, fails in (
        ("No line has the values of the sine between -pi and pi.", not on_training[0]),
        ("No line has the values that network.forward_pass returns between -pi and pi.", not on_training[1]),
        ("The two curves have no label each: label=... says which is which.", not named),
        ("The axes are not labelled.", sum(one != "" for one in _listed(reply, "axes")) != 2),
    ):
        if fails:
            curves = Verdict("wrong", message=told, share=0.5 if all(on_training) else 0.0)
            break
    if _reach(prediction, WIDE):
        return {"curves": curves, "beyond": RIGHT}
    told = f"The prediction is not drawn from {-WIDE:g} to {WIDE:g}."
    return {"curves": curves, "beyond": Verdict("wrong", message=told, hint="Which x do you give to the network?")}


def _listed(reply: Reply, name: str) -> Sequence[object]:
    value = reply.values.get(name)
    return value if isinstance(value, list | tuple) else ()


def _lines_of(reply: Reply, function: Callable[[np.ndarray], np.ndarray]) -> dict[int, np.ndarray]:
    """The x of all lines on which a function is drawn, by their numbers."""
    found = {}
    for i, (xs, ys) in enumerate(zip(_listed(reply, "x"), _listed(reply, "y"))):
        x, y = as_numbers(xs), as_numbers(ys)
        if isinstance(x, str) or isinstance(y, str) or x.size != y.size or not x.size:
            continue
        if np.allclose(y.ravel(), function(x.ravel().astype(float)), rtol=1e-6, atol=1e-6):
            found[i] = x.ravel()
    return found


def _reach(lines: Mapping[int, np.ndarray], end: float) -> bool:
    """Whether points lie close together from -end to end, on all lines together."""
    if not lines:
        return False
    x = np.sort(np.concatenate([*lines.values()]))
    inside = x[(x > -1.02 * end) & (x < 1.02 * end)]
    return (
        inside.size > 20
        and inside[0] <= -0.98 * end
        and inside[-1] >= 0.98 * end
        and bool(np.ptp(inside) / 15 > np.diff(inside).max())
    )
