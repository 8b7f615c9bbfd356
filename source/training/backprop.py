"""What every notebook of this course shares: the sigmoid, the moons data, accuracy and two plots.

Layout everywhere: one **column** per example. `X` is (n_in, m), `Y` is (n_out, m), for m examples.
"""

from __future__ import annotations

import copy
import html
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

# matplotlib, scikit-learn and tqdm are imported where they are used: importing this module stays fast.

BLUE, ORANGE = "#0072B2", "#D55E00"  # two colours of the Okabe-Ito palette: told apart with any colour vision
PALETTE = (BLUE, ORANGE, "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
LINE_STYLES = ("-", "--", "-.", ":")


# --- Functions ----------------------------------------------------------------------------------------------------


def sigmoid(z: np.ndarray | float) -> np.ndarray:
    """The sigmoid, elementwise: 1 / (1 + e^(-z)).

    The same number is e^z / (1 + e^z). Of the two forms the one is used whose exponential cannot overflow, so that
    sigmoid(-1000) is 0 and sigmoid(1000) is 1, without a warning.
    """
    e = np.exp(-np.abs(z))
    return np.where(np.asarray(z) < 0, e, 1) / (1 + e)


def accuracy(predicted: np.ndarray, Y: np.ndarray) -> float:
    """The share of examples whose predicted labels are all right, between 0 and 1.

    `predicted` and `Y` hold labels 0 or 1 and have the same shape (n_out, m).
    """
    predicted, Y = np.asarray(predicted), np.asarray(Y)
    if predicted.shape != Y.shape:
        raise ValueError(f"accuracy compares equal shapes, but the predictions have shape {predicted.shape} "
                         f"and Y has shape {Y.shape}.")
    return float(np.mean(np.all(np.atleast_2d(predicted == Y), axis=0)))


def check_columns(array: np.ndarray, rows: int, name: str, examples: int | None = None) -> np.ndarray:
    """Return `array` if it is (rows, m) with m >= 1, and m = `examples` if that is given.

    Raises ValueError with a sentence that says what was expected, what came, and what may have been forgotten.
    """
    array = np.asarray(array)
    expected = f"({rows}, {'m' if examples is None else examples})"
    came = f"{name} has shape {array.shape}: one column per example is expected, that is"
    if array.ndim == 2 and array.shape[0] == rows and array.shape[1] and examples in (None, array.shape[1]):
        return array
    if array.ndim == 2 and array.shape[1] == rows and examples in (None, array.shape[0]):
        raise ValueError(f"{came} {array.shape[::-1]}. Did you forget .T?")
    if array.ndim == 1 and rows == 1:
        raise ValueError(f"{came} {expected}. Did you forget .reshape(1, -1)?")
    if array.ndim == 1 and array.shape[0] == rows:
        raise ValueError(f"{came} ({rows}, 1) for a single example. Did you forget .reshape(-1, 1)?")
    raise ValueError(f"{came} {expected}.")


# --- Data ---------------------------------------------------------------------------------------------------------


def load_moons() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The two moons of scikit-learn: X_train (2, 140), Y_train (1, 140), X_test (2, 60), Y_test (1, 60).

    200 points with noise 0.2, of which 30 % are kept for testing; always the same points.
    """
    X_train, Y_train, X_test, Y_test = (part.copy() for part in _moons())
    return X_train, Y_train, X_test, Y_test


@cache
def _moons() -> tuple[np.ndarray, ...]:
    from sklearn.datasets import make_moons
    from sklearn.model_selection import train_test_split

    points, labels = make_moons(n_samples=200, noise=0.2, random_state=42)
    X_train, X_test, y_train, y_test = train_test_split(points, labels, test_size=0.3, random_state=42)
    return X_train.T, y_train.reshape(1, -1), X_test.T, y_test.reshape(1, -1)


# --- Pictures -----------------------------------------------------------------------------------------------------


def plot_decision_boundary(
    model: Any, X: np.ndarray, y: np.ndarray, ax: Any = None, title: str | None = None, *, level: float = 0.5
) -> Any:
    """Draw what a model answers in the whole plane, with the examples on top; returns the axes.

    `model` is a network with `forward_pass`, or any function that takes points (2, k) and returns k numbers. `X` is
    (2, m), `y` holds m labels; the larger label is class 1. The black line is where the answer equals `level`: 0.5
    for a probability, 0 for the score of a support vector machine.
    """
    import matplotlib.pyplot as plt
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    X, labels = check_columns(X, 2, "X"), np.ravel(y)
    if labels.size != X.shape[1]:
        raise ValueError(f"X has {X.shape[1]} examples (columns), but y has {labels.size} labels.")
    # A shallow copy keeps the forward pass over the plane from overwriting what the network has stored.
    answer: Callable = copy.copy(model).forward_pass if hasattr(model, "forward_pass") else model

    low, high = X.min(axis=1), X.max(axis=1)
    margin = 0.15 * np.where(high > low, high - low, 1.0)
    x_line, y_line = (np.linspace(a, b, 200) for a, b in zip(low - margin, high + margin))
    plane = np.stack([axis.ravel() for axis in np.meshgrid(x_line, y_line)])
    height = np.asarray(answer(plane), dtype=float)
    if height.size != plane.shape[1]:
        raise ValueError(f"a decision boundary needs one answer per point, but for points of shape {plane.shape} "
                         f"the model answered with shape {height.shape}.")
    height = height.reshape(len(y_line), len(x_line))

    if ax is None:
        _, ax = plt.subplots(figsize=(5.2, 4.2), layout="constrained")
    # Probabilities fill [0, 1]; other answers get colours as far as they reach.
    reach = max(float(np.nanmax(np.abs(height - level))), 0.5)
    colours = LinearSegmentedColormap.from_list("classes", ["#9CC9E2", "#F7F7F7", "#F1BE98"])
    ax.pcolormesh(x_line, y_line, height, cmap=colours, norm=Normalize(level - reach, level + reach), rasterized=True)
    if np.nanmin(height) < level < np.nanmax(height):
        ax.contour(x_line, y_line, height, levels=[level], colors="black", linewidths=1.8)
    ones = labels == labels.max() if labels.max() > 0 else np.zeros(labels.size, dtype=bool)
    for mine, colour, marker, name in ((~ones, BLUE, "o", "class 0"), (ones, ORANGE, "^", "class 1")):
        ax.scatter(*X[:, mine], c=colour, marker=marker, s=28, edgecolors="white", linewidths=0.6, label=name)
    ax.set(xlabel="first input", ylabel="second input", title=title or "Decision boundary")
    # below the picture, where it hides neither a point nor the boundary
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, frameon=False)
    return ax


def plot_losses(
    losses: Sequence[float] | Mapping[str, Sequence[float]],
    ax: Any = None,
    title: str | None = None,
    *,
    xlabel: str = "epoch",
    log: bool = False,
) -> Any:
    """Draw one loss curve, or several as {name: losses}; returns the axes. `log=True` makes the loss axis logarithmic.

    Curves differ in colour and in line style, so that they are told apart in any print.
    """
    import matplotlib.pyplot as plt
    from matplotlib.ticker import LogLocator

    curves = dict(losses) if isinstance(losses, Mapping) else {"": losses}
    if not curves or any(np.size(curve) == 0 for curve in curves.values()):
        raise ValueError("there is no loss to plot: is the list that train() returned empty?")
    if ax is None:
        _, ax = plt.subplots(figsize=(5.8, 3.6), layout="constrained")
    for i, (name, curve) in enumerate(curves.items()):
        few = {"marker": "o", "markersize": 4} if np.size(curve) < 12 else {}
        ax.plot(np.arange(np.size(curve)), np.ravel(curve), label=name or None, linewidth=1.8,
                color=PALETTE[i % len(PALETTE)], linestyle=LINE_STYLES[i % len(LINE_STYLES)], **few)
    ax.set(xlabel=xlabel, ylabel="loss", title=title or "Training loss")
    if log:
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter("{x:g}")  # 0.2 reads better than 2 x 10^-1
        ax.yaxis.set_minor_formatter("")
    ax.grid(alpha=0.3)
    if any(curves):
        ax.legend(framealpha=0.9)
    return ax


def show(alt: str) -> None:
    """Show the open figures as plt.show() does; `alt` says what they show to those who do not see them.

    JupyterLab and nbconvert give the picture of a figure no alternative text, whatever its metadata say. So it goes
    out as HTML as well, with the text in it. Where no notebook shows figures this is plt.show().
    """
    import matplotlib.pyplot as plt

    ipython = sys.modules.get("IPython")  # in a notebook it has been imported
    shell = ipython and ipython.get_ipython()
    for number in plt.get_fignums() if shell else ():
        figure = plt.figure(number)
        data, metadata = shell.display_formatter.format(figure)
        if "image/png" not in data:
            continue
        about = metadata.get("image/png", {}) | {"alt": alt}
        attributes = "".join(f' {name}="{html.escape(str(about[name]))}"' for name in ("alt", "width", "height") if name in about)
        image = f'<img src="data:image/png;base64,{data["image/png"].strip()}"{attributes}>'
        ipython.display.display(
            {**data, "text/html": image, "text/plain": alt}, metadata=metadata | {"image/png": about}, raw=True
        )
        plt.close(figure)
    plt.show()  # what is left


# --- Progress -----------------------------------------------------------------------------------------------------


def progress(
    steps: int, label: str = "training", *, after: float = 2.0, unit: str = "epochs"
) -> Iterator[int]:
    """Count 0, 1, ..., steps - 1 like range(steps), and show a progress bar if that takes longer than `after` seconds.

    `unit` says what is counted. With tqdm where it is installed, in plain text where it is not. The bar goes to standard output, since text on
    standard error looks like a fault to many tools.
    """
    start, bar = time.monotonic(), None
    try:
        for step in range(steps):
            yield step
            if bar is not None:
                bar.update(1)
            elif time.monotonic() - start > after:
                bar = _progress_bar(steps, step + 1, label, unit)
    finally:
        if bar is not None:
            bar.close()


def _progress_bar(steps: int, done: int, label: str, unit: str) -> Any:
    try:
        from tqdm import tqdm
    except ImportError:
        return _TextBar(steps, done, label)
    return tqdm(total=steps, initial=done, desc=label, file=sys.stdout, leave=False, unit=f" {unit}", mininterval=0.5)


class _TextBar:
    """The two methods of a tqdm bar that are used here, in plain text: one short line per tenth of the way."""

    def __init__(self, steps: int, done: int, label: str) -> None:
        self.steps, self.done, self.label = steps, done, label

    def update(self, n: int) -> None:
        tenths_before = 10 * self.done // self.steps
        self.done += n
        if 10 * self.done // self.steps > tenths_before:
            print(f"{self.label}: {100 * self.done // self.steps} %", flush=True)

    def close(self) -> None:
        """Nothing to tidy up: the lines stay."""
