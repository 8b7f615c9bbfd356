"""The self-check: compares your gradients with the slope of your own loss, and says what the numbers show.

It knows no answers. It moves one parameter a little up and a little down, looks how your own loss changes, and

    (L(theta + h) - L(theta - h)) / 2h   ->   dL/dtheta        as h becomes small.

So a right gradient of a wrong loss passes. More is checked after you hand in.
"""

from __future__ import annotations

import ast
import copy
import difflib
import html
import inspect
import itertools
import linecache
import os
import random
import re
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, NamedTuple

import numpy as np

RTOL, RTOL_FLOAT32 = 1e-4, 5e-3  # of an entry; what a clipped logarithm or single precision may cost a right answer
FLOATS = (np.float16, np.float32, np.float64)
SECONDS = 8.0  # a check looks at fewer entries rather than take longer
NOT_FINITE = "Your loss is not finite at this point."
CANNOT_SEE = (
    "What this cannot see: a mistake in the loss or the forward pass that the gradients follow faithfully, and the "
    "course's conventions (mean or sum, a factor 1/2). Further checks run after you hand in."
)


# --- What a check returns, and what it raises -----------------------------------------------------------------------


class Line(NamedTuple):
    """One thing that was looked at: its name, "ok", "WRONG" or "unclear", and what was seen."""

    name: str
    status: str
    says: str


class Report(NamedTuple):
    """The outcome of a check: a table in a notebook, plain text elsewhere."""

    title: str
    lines: tuple[Line, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """True if nothing is wrong."""
        return all(line.status != "WRONG" for line in self.lines)

    def __repr__(self) -> str:
        width = max((len(line.name) for line in self.lines), default=0)
        text = [_wrapped(self.title), ""]
        for line in self.lines:
            start = f"  {line.name:<{width}}  {line.status:<7}  "
            text.append(_wrapped(line.says, initial_indent=start, subsequent_indent=" " * len(start)) or start.rstrip())
        for note in self.notes:
            text += ["", _wrapped(note)]
        return "\n".join(text)

    def _ipython_display_(self) -> None:
        # Shown, and not the cell's result: nbgrader takes a result for points, and warns of all that is no number.
        from IPython.display import display

        display({"text/plain": repr(self), "text/html": self._repr_html_()}, raw=True)

    def _repr_html_(self) -> str:
        # No background colours: the table is read on light and on dark pages. The sign and the word carry the status.
        sign = {"ok": ("#2a9d5c", "&#10003;"), "WRONG": ("#d9480f", "&#10007;"), "unclear": ("#8a8a8a", "?")}
        cell = 'style="text-align:left;vertical-align:top;padding:3px 12px 3px 0;border:0"'
        rows = "".join(
            f"<tr style='background:none'><td {cell}><code style='white-space:nowrap'>{html.escape(line.name)}</code></td>"
            f"<td {cell}><b style='color:{sign[line.status][0]};white-space:nowrap'>{sign[line.status][1]} "
            f"{line.status}</b></td><td {cell}>{html.escape(line.says)}</td></tr>"
            for line in self.lines
        )
        notes = "".join(f"<p style='margin:6px 0;opacity:.75;font-size:90%'>{html.escape(n)}</p>" for n in self.notes)
        return (f"<div style='max-width:56em'><p style='margin:6px 0'><b>{html.escape(self.title)}</b></p>"
                f"<table style='border-collapse:collapse;border:0;margin:0;color:inherit;font:inherit'><tbody>{rows}</tbody></table>{notes}</div>")


def _wrapped(text: str, **indents: str) -> str:
    return textwrap.fill(text, 100, break_on_hyphens=False, **indents)  # a hyphen may be a minus sign


def _do_not_fit(wrong: int, of: int) -> str:
    told = "does not fit your own loss" if wrong == 1 else "do not fit your own loss"
    return f"{wrong} of {_plural(of, 'gradient')} {told}"


class SelfCheckFailed(AssertionError):
    """Something is wrong, and the message says what. Jupyter shows the message instead of a long traceback."""

    def __init__(self, report: Report | str) -> None:
        super().__init__(str(report))
        self.report = report

    def _render_traceback_(self) -> list[str]:
        return ["Self-check: not yet.", "", *str(self).splitlines()]


def finish(report: Report) -> Report:
    if report.ok:
        return report
    raise SelfCheckFailed(report)


def _fail(sentence: str) -> None:
    raise SelfCheckFailed(_wrapped(sentence))


# --- Your own code, and what stops it ---------------------------------------------------------------------------------

NOT_WRITTEN = ("is not written yet: replace the line `raise NotImplementedError()` by your solution, run that cell, then "
               "run this one again.")
NOT_YOURS = (os.path.dirname(os.path.abspath(__file__)), os.path.dirname(os.__file__), "site-packages", "<frozen",
             "<__array_function__")


def check_yourself(check: Callable[[], Any]) -> Any:
    """Run a check of the notebook and return its report; what stops your own code is told in a sentence.

    A check is a function, so that none of its names stays behind in the notebook for your code to pick up.
    """
    with own_code():
        return check()


@contextmanager
def own_code() -> Iterator[None]:
    """Around calls of your own functions: an error is told in a sentence, with the line where it happened."""
    try:
        yield
    except SelfCheckFailed:
        raise
    except Exception as error:
        raise SelfCheckFailed(_wrapped(_told(error))) from error


class _Place(NamedTuple):
    """A line of your code that was running when an error came: its function, number and text, and the failing part."""

    function: str
    line: int
    text: str
    part: str
    frame: FrameType


def _own_place(traceback: TracebackType | None) -> _Place | None:
    """The last line of a traceback that is yours and not a library's."""
    found = None
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if not any(part in code.co_filename for part in NOT_YOURS):
            found = traceback
        traceback = traceback.tb_next
    if found is None:
        return None
    code = found.tb_frame.f_code
    first, last, start, end = next(itertools.islice(code.co_positions(), found.tb_lasti // 2, None))
    text = linecache.getline(code.co_filename, found.tb_lineno)
    part = text.encode()[start:end].decode(errors="ignore") if first == last and end else ""
    return _Place(code.co_qualname, found.tb_lineno, text.strip(), part, found.tb_frame)


def _innermost(error: BaseException) -> FrameType:
    step = error.__traceback__
    while step.tb_next is not None:
        step = step.tb_next
    return step.tb_frame


def _no_attribute(error: AttributeError, place: _Place) -> str:
    """What a network that your code was given, or your own method, has not; a slip in the name of a method is told."""
    owner = place.part.removesuffix(f".{error.name}")
    owner = owner if owner != place.part else f"a {type(error.obj).__name__}"
    methods = [name for name in dir(error.obj) if callable(getattr(type(error.obj), name, None))]
    close = difflib.get_close_matches(error.name, methods, 1, 0.8)
    return f"`{owner}` has no attribute `{error.name}`." + (f" Did you mean `{close[0]}`?" if close else "")


def _told(error: BaseException) -> str:
    """What stopped your code, in a sentence or two."""
    place = _own_place(error.__traceback__)
    in_check = place is not None and place.function.startswith("selfcheck")
    network = isinstance(error, AttributeError) and hasattr(error.obj, "forward_pass")
    if network:
        inner = _innermost(error)
        alien = place is not None and place.frame is inner and not in_check  # the attribute is named in your own line
        if not alien or (inner.f_locals.get("self") is error.obj and "Did you" not in _no_attribute(error, place)):
            return (f"{inner.f_code.co_name} needs self.{error.name}, but nothing has stored it: is there a line "
                    f"`self.{error.name} = ...` before?")
    kind = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if place is None:
        return f"It stopped with {kind}"
    name = place.function.rpartition(".")[2]
    if isinstance(error, NotImplementedError):
        if name == "<module>":
            return "This cell is not filled in yet: replace the line `raise NotImplementedError()` by your solution."
        return f"{name} {NOT_WRITTEN}"
    if isinstance(error, AssertionError) and in_check:
        return str(error)
    if isinstance(error, NameError) and in_check:
        return _missing(error.name)
    if in_check:
        return f"What came back cannot be used: {kind}"
    where = f"{name} stopped in line {place.line} of its cell"
    where += f", `{place.text}`" if place.text else ""
    return f"{where}: {_no_attribute(error, place) if network else _shapes_do_not_fit(place) or kind}"


def _shapes_do_not_fit(place: _Place) -> str:
    """What is needed and what there is, where a product or a sum of arrays has failed; empty for other errors."""
    try:
        node = ast.parse(textwrap.dedent(place.part)).body[0]
    except (SyntaxError, IndexError):
        return ""
    node = getattr(node, "value", node) if isinstance(node, ast.Expr) else node
    if isinstance(node, ast.BinOp):
        parts, product = [node.left, node.right], isinstance(node.op, ast.MatMult)
    elif isinstance(node, ast.AugAssign):
        parts, product = [node.target, node.value], isinstance(node.op, ast.MatMult)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("dot", "matmul"):
        parts, product = [node.func.value, *node.args][-2:], True
    else:
        return ""
    names = [ast.unparse(part) for part in parts]
    try:
        left, right = (np.shape(eval(name, place.frame.f_globals, place.frame.f_locals)) for name in names)
    except Exception:  # it is your expression: whatever it raises has been told already
        return ""
    what = " and ".join(f"{name} has shape {shape}" for name, shape in zip(names, (left, right)))
    if product and left and right:
        columns, rows = left[-1], right[max(len(right) - 2, 0)]
        if columns == rows:
            return ""
        return (f"{what}. A matrix product needs as many columns on the left as rows on the right; here these are "
                f"{columns} and {rows}. Which shape does the result need, and is one of the two to be transposed (.T)?")
    try:
        np.broadcast_shapes(left, right)
    except ValueError:
        return f"{what}. Entry by entry the two have to be equal, or 1 where they differ."
    return ""


_STOPPED: list[tuple[str, str]] = []  # the cells that an error has stopped: their text, and what to say about it


def _missing(name: str, otherwise: str = "{} is not there. Run the cell above that defines it, then this one again.") -> str:
    """Why a name is not there: the error of its own cell comes first."""
    for source, told in reversed(_STOPPED):
        if re.search(rf"\b(def|class)\s+{re.escape(name)}\b|\b{re.escape(name)}\s*(,[^=\n]*)?=(?!=)", source):
            return f"{name} is not there: {told}"
    return otherwise.format(name)


def _remember(result: Any) -> None:
    """After each cell of a notebook: keep what has stopped it."""
    error = result.error_before_exec or result.error_in_exec
    if error is None or result.info is None or isinstance(error, SelfCheckFailed):
        return
    if isinstance(error, NotImplementedError):
        told = "its cell is not filled in yet."
    else:
        line, step = getattr(error, "lineno", None), error.__traceback__
        while line is None and step is not None:
            line = step.tb_lineno if step.tb_frame.f_code.co_name == "<module>" else None
            step = step.tb_next
        message = getattr(error, "msg", None) or str(error)
        told = f"its cell stopped in line {line} with {type(error).__name__}: {message}. Mend that first."
        text = getattr(error, "text", None) or ""
        if isinstance(error, SyntaxError) and re.search(r"\d,\d", text):
            told += " (Is that a decimal comma? Python wants a point: 0.5.)"
    _STOPPED.append((result.info.raw_cell, told))


def _in_short(shell: Any, kind: type, error: BaseException, traceback: TracebackType, tb_offset: int | None = None) -> None:
    """A sentence in place of the traceback for what is not there yet."""
    if isinstance(error, NotImplementedError):
        place = _own_place(traceback)
        told = _told(error) if place and "NotImplementedError" in place.text else ""
    else:
        told = _missing(error.name or "", "")
    if not told:  # nothing more is known than Python says
        shell.showtraceback((kind, error, traceback), tb_offset=tb_offset)
    else:
        shell._showtraceback(kind, error, _wrapped(told).splitlines())
        if (pyplot := sys.modules.get("matplotlib.pyplot")) is not None:
            pyplot.close("all")  # axes without what they were made for


def watch_cells(shell: Any) -> None:
    """Let a notebook remember what stopped its cells, and tell in short what is not there yet."""
    shell.events.register("post_run_cell", _remember)
    shell.set_custom_exc((NotImplementedError, NameError), _in_short)


if "IPython" in sys.modules and sys.modules["IPython"].get_ipython() is not None:
    watch_cells(sys.modules["IPython"].get_ipython())


# --- Values of any kind ---------------------------------------------------------------------------------------------


class _Unreadable(Exception):
    pass


def as_numbers(value: Any) -> np.ndarray | str:
    """The value as an array of floats, or what is wrong with it in words.

    Numbers of every kind count, as they do when the work is marked: fractions, sympy numbers, matrices, lists of arrays.
    """
    try:
        return np.array(_plain(value), dtype=float)
    except _Unreadable as problem:
        return str(problem)
    except ValueError:
        return "is not an array of numbers: its rows differ in length"


def _plain(value: Any) -> Any:
    if value is None or value is Ellipsis:
        raise _Unreadable("is not filled in yet")
    if isinstance(value, str):
        raise _Unreadable("is text: write numbers without quotes, with a decimal point and not a comma")
    if hasattr(type(value), "__array__"):  # arrays, and what can become one: a sympy matrix, a table
        try:
            array = np.array(value)
        except Exception:  # whatever its own conversion raises
            raise _Unreadable(f"is not made of numbers (it is of type {type(value).__name__})") from None
        if array.dtype.kind in "biuf":
            return array.astype(float)
        value = array.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if isinstance(value, complex):
        if value.imag:
            raise _Unreadable("holds complex numbers")
        value = value.real
    try:
        return float(value) if hasattr(type(value), "__float__") else float("no number")
    except Exception:  # whatever its own conversion raises
        what = "a function: is it called?" if callable(value) else f"of type {type(value).__name__}"
        raise _Unreadable(f"is not made of numbers: it is, or holds, something {what}") from None


def figures(number: float) -> int:
    """With how many significant figures a number is written: zeros at the front do not count, nor do those behind the
    point at the end.

    >>> figures(0.00043), figures(12.05), figures(0.5), figures(120)
    (2, 4, 1, 3)
    """
    digits = np.format_float_positional(abs(number), trim="-").replace(".", "").lstrip("0")
    return max(len(digits), 1)


# --- Slopes of a function, with an honest error ---------------------------------------------------------------------


def _slope(f: Callable[[float], float], x: float, noise: float) -> tuple[float, float]:
    """The derivative of f at x and a bound for its error; a kink or a wild function gives a large bound.

    Steps h = h0, h0/4, h0/16, ... With D(h) the central difference and J(h) the difference between the slopes to the
    right and to the left,

        R(h) = (16 D(h) - D(4h)) / 15     has lost the error of order h^2 (Richardson),
        K(h) = ( 4 J(h) - J(4h)) / 3      goes to 0 like h^3 where f is smooth, and to the jump of the slope at a kink.

    A large h suffers from the curvature of f, a small one from rounding: `noise` is the rounding error of one value
    of f, which a slope feels as noise / h. The h with the smallest |R(h) - R(4h)| + |K(h)| + 4 noise / h is best.
    """
    middle = f(x)

    def slopes(h: float) -> tuple[float, float]:
        up, down = x + h, x - h
        right, left = (f(up) - middle) / (up - x), (middle - f(down)) / (x - down)
        return (right + left) / 2, right - left

    value, best, curvature = np.nan, np.inf, np.nan
    central = jump = richardson = np.nan
    h = 0.1 * max(1.0, abs(x))
    for _ in range(14):
        last_central, last_jump, last_richardson = central, jump, richardson
        central, jump = slopes(h)
        richardson = (16 * central - last_central) / 15
        error = abs(richardson - last_richardson) + abs(4 * jump - last_jump) / 3 + 4 * noise / h
        if error < best:
            value, best, curvature = richardson, error, jump / h
        if 4 * noise / h > best or best < 1e-9 * abs(value):
            break  # rounding alone is worse from here on, or it is good enough
        h /= 4
    # What looks smooth at the best h may have kinks at a smaller scale: look there too, as far as rounding allows.
    h = np.clip(20 * noise / max(abs(value), 1e-30), 1e-6, 1e-2) * max(1.0, abs(x))
    central, jump = slopes(h)
    surprise = max(abs(central - value), abs(jump - curvature * h)) - 4 * noise / h
    return value, max(best, surprise)


def _noise(f: Callable[[], float], arrays: Sequence[np.ndarray], rng: np.random.Generator) -> float:
    """The rounding error of one value of f, measured: values on a very short line, minus a cubic through them.

    Code that uses single precision somewhere inside shows here, however well it is hidden: the values then stand on
    steps, and the line is made longer until they take several.
    """
    start = [a.copy() for a in arrays]
    directions = [(np.abs(a) + 1e-3) * rng.standard_normal(a.shape) for a in arrays]
    t = np.linspace(0.05, 1, 13)
    for length in (1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0):
        values = []
        for step in length * t:
            for a, a0, direction in zip(arrays, start, directions):
                a[...] = a0 + step * direction
            values.append(f())
        if len(set(values)) > 6:
            break
    for a, a0 in zip(arrays, start):
        a[...] = a0
    if not np.all(np.isfinite(values)):
        return np.nan
    rest = np.subtract(values, values[0])
    rest = rest - np.polyval(np.polyfit(t, rest, 3), t)
    steps = np.diff(np.unique(values))
    step = steps.min() if steps.size and length > 1e-7 else 0.0
    return float(max(3 * np.sqrt(np.mean(rest**2)), step, np.finfo(float).eps * np.max(np.abs(values))))


class _Slopes(NamedTuple):
    """The numerical gradient of the loss with respect to one array, at the entries `at` (flat indices)."""

    value: np.ndarray
    error: np.ndarray
    at: np.ndarray


def _numerical_gradients(f: Callable[[], float], arrays: Mapping[str, np.ndarray], points: int = 1,
                         rounding: float = 0.0) -> dict[str, _Slopes]:
    """Central differences of f() for every entry of the arrays, which f reads. The arrays are left as they were.

    `rounding` is the relative precision of f where more is known than can be measured.
    """
    rng = np.random.default_rng(20)
    times, values = [time.process_time()], []  # of computing: what else the machine does changes no check
    for _ in range(2):
        values.append(f())
        times.append(time.process_time())
    first, seconds = values[0], min(np.diff(times))
    if values[1] != first and np.isfinite(first):
        _fail("Your loss changes from call to call although nothing else does. Is there something random in the "
              "forward pass? A gradient can only be checked where the loss is fixed by the parameters.")
    noise = max(_noise(f, list(arrays.values()), rng), rounding * abs(first))
    most = int(np.clip(SECONDS / (20 * points * len(arrays) * max(seconds, 1e-6)), 6, 250))
    slopes = {}
    for name, array in arrays.items():
        flat = array.reshape(-1)
        at = np.arange(flat.size) if flat.size <= most else np.sort(rng.choice(flat.size, most, replace=False))
        pairs = []
        for i in at:
            old = flat[i]

            def moved(x: float, flat: np.ndarray = flat, i: int = i) -> float:
                flat[i] = x
                return f()

            pairs.append(_slope(moved, float(old), noise))
            flat[i] = old
        value, error = np.array(pairs, dtype=float).reshape(-1, 2).T
        slopes[name] = _Slopes(value, error, at)
    return slopes


# --- Saying what the numbers show -----------------------------------------------------------------------------------


def _number(x: float) -> str:
    return f"{x:.6g}"


def _plural(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {'entries' if thing == 'entry' else thing + 's'}"


def _shape_problem(got: Any, parameter: np.ndarray, name: str, sizes: Mapping[str, int]) -> str | None:
    """A sentence about what is wrong with the kind or shape of a gradient, or None. A scalar may come in any shape."""
    if got is None:
        return f"There is no {name}: it is None. Is it computed and stored?"
    got = as_numbers(got)
    if isinstance(got, str):
        return f"{name} {got}."
    if got.shape == parameter.shape or (parameter.ndim == 0 and got.size == 1):
        return None
    told = f"{name} has shape {got.shape}, expected {parameter.shape}, the shape of its parameter."
    if got.ndim == 2 and got.shape == parameter.shape[::-1]:
        return f"{told} It is transposed."
    if got.ndim == 0:
        return f"{told} A single number came out: was everything summed or averaged?"
    if parameter.ndim == 2 and parameter.shape[1] == 1:
        if got.shape == parameter.shape[:1]:
            return f"{told} The numbers may be right, but the column was lost: NumPy drops an axis that it sums over."
        if got.ndim == 2 and got.shape == (len(parameter), sizes.get("m")):
            return f"{told} It still has one column per example: sum over the examples."
        if sizes.get("m") in got.shape:
            return f"{told} There is one number per example, so it was summed over the wrong axis."
    return told


def _factor(ratio: float, sizes: Mapping[str, int], slack: float) -> str:
    """Say a constant factor in words: the opposite sign, twice, m times too large, ..."""
    known = {name: float(count) for name, count in sizes.items() if count > 1}
    known |= {f"2 {name}": 2 * count for name, count in known.items()}
    if "m" in sizes:
        known |= {f"m / {name}": sizes["m"] / count for name, count in sizes.items() if name != "m" and count > 1}
    if {"m", "n_out"} <= known.keys():
        known["m n_out"] = known["m"] * known["n_out"]
    large = abs(ratio) > 1
    size = abs(ratio) if large else 1 / abs(ratio)
    if abs(size - 1) <= slack:
        return "Every entry has the right size but the opposite sign."
    size = round(size) if abs(round(size) - size) <= slack * size else size
    names = [name for name, count in known.items() if abs(size / count - 1) <= slack]
    text = f"Every entry is {_number(size)} times too {'large' if large else 'small'}"
    text += " and has the opposite sign." if ratio < 0 else "."
    if names:
        text += f" Here that is {'m' if 'm' in names else ' or '.join(names)} ({', '.join(f'{n} = {c}' for n, c in sizes.items())})."
    if "m" in names:
        text += " Is the mean over the m examples taken"
        text += "?" if large else " twice? Or is a mean taken where a sum is asked?"
    elif names and names[0].startswith("m / "):
        text += " Is the mean taken over the examples? len() of an array counts its rows, and examples are columns."
    elif abs(size - 2) <= slack:
        text += " Which factor does the derivative of the loss carry?"
    return text


def _proportional(a: np.ndarray, b: np.ndarray, slack: np.ndarray) -> float | None:
    """The c with a = c b within the slack, if there is one and more than one entry of b shows it."""
    if np.count_nonzero(np.abs(b) > 1e-3 * np.max(np.abs(b), initial=0)) < 2:
        return None
    c = float(np.vdot(b, a) / np.vdot(b, b))
    return c if c and np.all(np.abs(a - c * b) <= slack) else None


def _ratio(g: np.ndarray, n: np.ndarray, slack: np.ndarray) -> float | None:
    """The constant g / n if there is one. The larger is compared with the smaller, whose multiple the slack fits."""
    if n.size == 1:
        return float(g[0] / n[0])
    if np.linalg.norm(g) >= np.linalg.norm(n):
        return _proportional(g, n, slack)
    inverse = _proportional(n, g, slack)
    return None if inverse is None else 1 / inverse


def _why(got: np.ndarray, parameter: np.ndarray, slopes: _Slopes, slack: np.ndarray, sizes: Mapping[str, int],
         penalty: float | None, clear: np.ndarray) -> str:
    """What a wrong gradient shows, in one or two sentences: the first pattern that explains all of its entries."""
    g, n, theta = got.reshape(-1)[slopes.at][clear], slopes.value[clear], parameter.reshape(-1)[slopes.at][clear]
    slack = slack[clear]
    if not np.any(got):
        return "It is all zero, but the loss does depend on this parameter."
    if np.max(np.abs(n), initial=0) <= np.max(slopes.error[clear], initial=0):
        return "Moving this parameter does not change your loss at all. Does the forward pass use it, with self. before it?"
    ratio = _ratio(g, n, slack)
    if ratio and (n.size > 1 or "Here" in _factor(ratio, sizes, RTOL) or abs(abs(ratio) - 1) < RTOL):
        return _factor(ratio, sizes, max(RTOL, float(np.max(slack) / np.max(np.abs(n)))))
    square = got.ndim == 2 and got.shape[0] == got.shape[1] > 1
    if square and np.all(np.abs(got.T.reshape(-1)[slopes.at][clear] - n) <= slack):
        return "It is transposed: entry [i, j] holds what belongs to entry [j, i]."
    if n.size == got.size > 1 and np.all(np.abs(g - g[0]) <= slack) and np.abs(g[0] - n.sum()) <= slack.sum():
        return "Every entry is the sum over all units: it was summed over the wrong axis. Sum over the examples only."
    share = _proportional(n - g, theta, slack)
    if share is not None:
        m = sizes.get("m", 1)
        factors = {"lambda/m": 1.0, "half of lambda/m": 0.5, "twice lambda/m": 2.0, "lambda": m, "lambda - lambda/m": m - 1}
        unit = penalty / m if penalty else np.nan
        here = [f", which is {word}" for word, k in factors.items() if abs(abs(share) / unit - k) < 1e-3 * k][:1]
        if "twice" in "".join(here):
            return (f"Between your loss and your gradient lie {_number(abs(share))} times the parameter{''.join(here)}: "
                    "the penalty is added in one of the two and subtracted in the other.")
        if share > 0:
            return (f"Your gradient lacks {_number(share)} times the parameter{''.join(here)}. Is the derivative of the "
                    "penalty missing, or too small?")
        asks = " Is the 1/m missing there?" if "lambda - lambda/m" in "".join(here) else ""
        return (f"Your gradient has {_number(-share)} times the parameter too much{''.join(here)}: a penalty that your "
                f"loss does not have, or has with a smaller factor.{asks}")
    wrong = np.abs(g - n) > slack
    worst = int(np.argmax(np.abs(g - n) - slack))
    where = np.unravel_index(slopes.at[clear][worst], got.shape)
    return (f"{wrong.sum()} of {_plural(n.size, 'entry')} differ, most at {[int(i) for i in where]}: "
            f"yours is {_number(g[worst])}, the slope of your loss is {_number(n[worst])}.")


def _judge(name: str, got: Any, parameter: np.ndarray, slopes: _Slopes, sizes: Mapping[str, int],
           penalty: float | None = None) -> Line:
    """Compare one gradient with the numerical one: shape first, then values, each within its own error bound."""
    problem = _shape_problem(got, parameter, name, sizes)
    if problem:
        return Line(name, "WRONG", problem)
    single = getattr(got, "dtype", None) in (np.float32, np.float16)
    got = as_numbers(got).reshape(parameter.shape)
    bad = np.count_nonzero(~np.isfinite(got))
    if bad:
        return Line(name, "WRONG", f"{bad} of {_plural(got.size, 'entry')} are not finite (nan or inf).")
    g = got.reshape(-1)[slopes.at]
    size = np.maximum(np.abs(g), np.abs(np.nan_to_num(slopes.value)))
    # Columns of a weight matrix belong to inputs that may differ in scale, so each column has its own.
    scale = np.full(g.shape, np.max(size, initial=0.0))
    if got.ndim == 2 and len(got) > 1:
        column = slopes.at % got.shape[1]
        scale = np.array([np.max(size[column == c]) for c in column])
    scale = np.maximum(scale, 1e-2 * np.max(size, initial=0.0))
    slack = 3 * slopes.error + (RTOL_FLOAT32 if single else RTOL) * np.where(single, scale, size) + 1e-6 * scale
    clear = 3 * slopes.error < 0.05 * scale  # elsewhere a kink or rounding blurs the slope
    wrong = clear & (np.abs(g - slopes.value) > slack)
    if wrong.any():
        return Line(name, "WRONG", _why(got, parameter, slopes, slack, sizes, penalty, clear))
    if not clear.any():
        if np.max(size, initial=0.0) <= 3 * np.min(slopes.error, initial=np.inf):
            return Line(name, "unclear", "Zero up to rounding, both yours and the slope of your loss: this shows nothing.")
        return Line(name, "unclear", "No entry can be judged: your loss has kinks or is too rough at this point.")
    says = f"{_plural(int(clear.sum()), 'entry')} of {got.size} checked"
    if not clear.all():
        says += f"; {int((~clear).sum())} at a kink, or too small to judge"
    return Line(name, "ok", says)


# --- Networks -------------------------------------------------------------------------------------------------------


@contextmanager
def _quietly() -> Iterator[None]:
    """Without warnings of overflow, and with the global random numbers left as they were."""
    states = random.getstate(), np.random.get_state()
    try:
        with np.errstate(all="ignore"):
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


def _call(function: Callable, *arguments: Any) -> Any:
    with own_code():
        return function(*arguments)


def _unchanged(before: Mapping[str, np.ndarray], after: Mapping[str, np.ndarray], by: str) -> None:
    for name, array in before.items():
        if not np.array_equal(array, after[name], equal_nan=True):
            _fail(f"{by} changed {name} in place. Every later step then works with wrong numbers. Write to a new array: "
                  f"operators such as -= and *= change an array that others still use; so does {name}[...] = ...")


def watched(function: Callable) -> Callable:
    """The function, for a check that passes arrays on: it fails, and says why, if the function changes one of them."""

    def called(*arguments: Any) -> Any:
        names = list(inspect.signature(function).parameters)
        names += [f"argument {k + 1}" for k in range(len(names), len(arguments))]
        arrays = {name: value for name, value in zip(names, arguments) if isinstance(value, np.ndarray)}
        before = {name: value.copy() for name, value in arrays.items()}
        result = _call(function, *arguments)
        _unchanged(before, arrays, function.__name__)
        return result

    return called


def check_gradients(network: Any, X: np.ndarray, Y: np.ndarray, *, loss: Callable | None = None,
                    parameters: Sequence[str] | None = None, random_points: int = 2) -> Report:
    """Check dW1, db1, ... of a network against its own loss, at its parameters and at `random_points` random ones.

    The loss is `network.compute_loss(Y)` or `network.loss(Y)` after `network.forward_pass(X)`, or what you pass as
    `loss(network, X, Y)`, also called after a forward pass. Parameters are the attributes W1, b1, W2, ... or those
    that you name. The network itself is not touched: a copy is. Raises SelfCheckFailed if something is wrong.
    """
    X, Y = np.array(X, dtype=float), np.array(Y, dtype=float)
    twin = copy.deepcopy(network)
    names = parameters or sorted((n for n, v in vars(twin).items() if re.fullmatch(r"[Wb]\d*", n) and v is not None),
                                 key=lambda n: (n[1:], n))
    if not names:
        _fail("The network has no parameters W1, b1, ...: are they stored as attributes (self.W1 = ...)?")
    own = {name: np.array(getattr(twin, name), dtype=float) for name in names}
    if loss is None:
        method = next((m for m in ("compute_loss", "loss") if callable(getattr(twin, m, None))), None)
        if method is None:
            _fail("The network has no method compute_loss(Y), so there is nothing to compare its gradients with.")

        def loss(network: Any, X: np.ndarray, Y: np.ndarray) -> float:
            return getattr(network, method)(Y)

    rng = np.random.default_rng(7)
    points = [("random parameters", _random_parameters(own, X, rng)) for _ in range(random_points)]
    points.append(("the parameters of your network", own))
    reports = []
    with _quietly():
        for place, point in points:
            report = _check_point(twin, X, Y, point, loss, place, len(points))
            if not report.ok:
                keep = _trustworthy_examples(twin, X, point)
                if keep.all():
                    raise SelfCheckFailed(report)
                if keep.sum() < min(2, len(keep)):
                    continue
                report = _check_point(twin, X[:, keep], Y[:, keep], point, loss, place, len(points))
                left_out = (f"{_plural(int((~keep).sum()), 'example')} left out: the output is so close to 0 or 1 that "
                            "log(A2) cannot be trusted there.")
                report = finish(Report(report.title, report.lines, (left_out, *report.notes)))
            reports.append(report)
    if not reports:
        _fail("Nothing could be checked: every output is 0 or 1 up to rounding. Try smaller inputs or weights.")
    if all(line.says == NOT_FINITE for report in reports for line in report.lines):
        _fail("Your loss is not a finite number (nan or inf). Look for log(0), a division by zero or an overflow.")
    # A gradient that cannot be judged at one point may have been judged at another.
    lines = [max(same, key=lambda line: line.status == "ok") for same in zip(*(r.lines for r in reversed(reports)))]
    notes = dict.fromkeys(note for r in reports for note in r.notes)
    if X.shape[-1] == 1:
        notes["With a single example a missing mean or sum over the examples cannot be seen: check several as well."] = None
    title = f"Your gradients agree with the slope of your own loss, at {_plural(len(reports), 'point')}."
    if all(line.status != "ok" for line in lines):
        title = "Nothing is wrong as far as can be seen, but nothing could be judged either."
    return Report(title, tuple(lines), (*notes, CANNOT_SEE))


def _random_parameters(own: Mapping[str, np.ndarray], X: np.ndarray, rng: np.random.Generator) -> dict:
    """Parameters with pre-activations of order one, where slips show that zero biases and tiny weights would hide."""
    point = {}
    for name, array in own.items():
        spread = np.full(array.shape, 1.0)
        if array.ndim == 2 and array.shape[1] > 1:
            spread /= np.sqrt(array.shape[1])
        if name == "W1" and array.ndim == 2 and array.shape[1:] == X.shape[:1]:
            spread /= np.maximum(np.sqrt(np.mean(X**2, axis=1)), 1e-30)
        point[name] = spread * rng.standard_normal(array.shape)
    return point


def _trustworthy_examples(network: Any, X: np.ndarray, point: Mapping[str, np.ndarray]) -> np.ndarray:
    """Which columns have outputs at which a clipped logarithm is still right: none too close to 0 or 1."""
    everything = np.ones(X.shape[1], dtype=bool)
    for name, value in point.items():
        setattr(network, name, value.copy())
    network.forward_pass(X.copy())
    last = max((n for n in vars(network) if re.fullmatch(r"A\d", n)), default="")
    A = np.asarray(getattr(network, last, np.nan), dtype=float)
    if A.ndim != 2 or A.shape[1] != X.shape[1] or not np.all((A >= 0) & (A <= 1)):
        return everything  # not probabilities
    return np.all((A > 0.02) & (A < 0.98), axis=0)


def _check_point(twin: Any, X: np.ndarray, Y: np.ndarray, point: Mapping[str, np.ndarray], loss: Callable, place: str,
                 points: int) -> Report:
    arrays = {name: value.copy() for name, value in point.items()}
    data, passed = {"X": X, "Y": Y}, {"X": X.copy(), "Y": Y.copy()}
    for name, value in arrays.items():
        setattr(twin, name, value)
        if not isinstance(getattr(type(twin), f"d{name}", None), property):
            setattr(twin, f"d{name}", None)  # what an earlier run left must not be taken for this one's
    out = _call(twin.forward_pass, passed["X"])
    _unchanged(data, passed, "forward_pass")
    _unchanged(point, {n: getattr(twin, n) for n in point}, "forward_pass")
    returned = _call(twin.backward_pass, passed["X"], passed["Y"])
    _unchanged(data, passed, "backward_pass")
    moved = [n for n in point if not np.array_equal(getattr(twin, n), point[n])]
    if moved:
        _fail(f"backward_pass changed {', '.join(moved)}. All gradients belong to the same, old parameters: a gradient "
              "that is computed after a parameter was updated is the gradient at another point. Compute all of them "
              "first, and leave the changing to update_parameters.")
    got = {name: copy.copy(getattr(twin, f"d{name}", None)) for name in point}
    _stored(twin, [f"d{name}" for name, value in got.items() if value is None], returned)
    for name in point:
        setattr(twin, name, arrays[name])

    def value() -> float:
        _call(twin.forward_pass, passed["X"])
        return _as_number(_call(loss, twin, passed["X"], passed["Y"]))

    if not np.isfinite(value()):
        return Report("", tuple(Line(f"d{n}", "unclear", NOT_FINITE) for n in point))
    precisions = [np.finfo(v.dtype).eps for v in vars(twin).values() if getattr(v, "dtype", None) in FLOATS]
    slopes = _numerical_gradients(value, arrays, points, float(max(precisions)))
    sizes = _network_sizes(X, Y, arrays)
    penalty = getattr(twin, "reg_lambda", None)
    lines = tuple(_judge(f"d{n}", got[n], arrays[n], slopes[n], sizes, penalty) for n in arrays)
    wrong = [line for line in lines if line.status == "WRONG"]
    if not wrong and out is None:
        _fail("forward_pass returns nothing: it has to return the activations of the last layer. Is there a `return`?")
    if not wrong:
        return Report("", lines)
    look, layer = _first_look({line.name: line.status for line in lines})
    for name in point:
        setattr(twin, name, point[name].copy())
    look += _carried(twin, X, Y, layer) if layer else ""
    title = f"{_do_not_fit(len(wrong), len(lines))} (at {place})."
    told = ", ".join(f"{name} = {size}" for name, size in sizes.items())
    return Report(title, lines, (look, f"Here {told}.", CANNOT_SEE))


def _stored(twin: Any, missing: Sequence[str], returned: Any) -> None:
    """Gradients that are computed and not stored as they are asked for."""
    if not missing:
        return
    others = {name.replace("_", "").lower(): name for name in vars(twin)}
    code = getattr(type(twin).backward_pass, "__code__", None)
    for name in missing:
        if code is not None and name in code.co_varnames:
            _fail(f"backward_pass computes {name} and keeps it to itself: a name without self. is gone when the method "
                  f"ends. Write self.{name} = ...")
        for other in (name.lower(), "grad" + name[1:].lower(), "delta" + name[1:].lower()):
            if others.get(other, name) != name:
                _fail(f"There is no self.{name}, but there is self.{others[other]}. The name has to be as it is asked for.")
    if returned is not None:
        _fail(f"backward_pass returns something, but it has to store the gradients: self.{missing[0]} = ...")


SLOPES: dict[str, Callable] = {
    "nothing: the slope of the activation is missing": lambda a, z: np.ones_like(a),
    "a (1 - a), which is the slope of the sigmoid": lambda a, z: a * (1 - a),
    "1 - a^2, which is the slope of tanh": lambda a, z: 1 - a**2,
    "1 where z > 0, which is the slope of ReLU": lambda a, z: z > 0,
    "a alone": lambda a, z: a,
    "1 - a alone": lambda a, z: 1 - a,
    "z (1 - z): a belongs there, and not z": lambda a, z: z * (1 - z),
    "1 - z^2: a belongs there, and not z": lambda a, z: 1 - z**2,
    "the slope of the sigmoid at a: it belongs at z": lambda a, z: _sigmoid(a) * (1 - _sigmoid(a)),
    "the slope of tanh at a: it belongs at z": lambda a, z: 1 - np.tanh(a) ** 2,
}
ACTIVATIONS = ((lambda z: _sigmoid(z), lambda a, z: a * (1 - a)), (np.tanh, lambda a, z: 1 - a**2),
               (lambda z: np.maximum(z, 0), lambda a, z: z > 0))


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def _carried(twin: Any, X: np.ndarray, Y: np.ndarray, layer: int) -> str:
    """By what the error signal is multiplied on its way back to a layer, where that is a well-known wrong factor.

    With a single example db is the error signal itself, so the backward pass is run for each example alone.
    """
    signals: dict[str, list] = {"D": [], "back": [], "A": [], "Z": [], "Y": []}
    try:
        for k in range(X.shape[1]):
            twin.forward_pass(X[:, [k]].copy())
            A, Z = (np.array(getattr(twin, f"{name}{layer}"), dtype=float) for name in "AZ")
            twin.backward_pass(X[:, [k]].copy(), Y[:, [k]].copy())
            signals["D"].append(as_numbers(getattr(twin, f"db{layer}")).reshape(A.shape))
            signals["A"].append(A)
            signals["Z"].append(Z)
            signals["Y"].append(Y[:, [k]])
            if hasattr(twin, f"W{layer + 1}"):
                signals["back"].append(getattr(twin, f"W{layer + 1}").T @ as_numbers(getattr(twin, f"db{layer + 1}")))
        D, A, Z = (np.hstack(signals[name]) for name in "DAZ")
        hidden = bool(signals["back"])
        E = np.hstack(signals["back"]) if hidden else A - np.hstack(signals["Y"])
        truth = next((slope(A, Z) for f, slope in ACTIVATIONS if np.allclose(f(Z), A)), None)
    except Exception:  # whatever a network of another kind raises: then nothing is said
        return ""

    def same(one: np.ndarray, other: np.ndarray) -> bool:
        return one.shape == other.shape and np.allclose(one, other, rtol=1e-5, atol=1e-7 * np.max(np.abs(other)))

    starts = {f"On the way back to layer {layer} the error": E} if hidden else {
        f"At the output A{layer} - Y": E, f"At the output 2 (A{layer} - Y)": 2 * E}
    for text, slope in SLOPES.items():
        factor = slope(A, Z) * 1.0
        if (truth is not None and same(factor, truth * 1.0)) if hidden else np.all(factor == 1):
            continue
        for start, signal in starts.items():
            if np.any(D) and same(D, signal * factor):
                return f" {start} is multiplied by {text}."
    return ""


def _network_sizes(X: np.ndarray, Y: np.ndarray, arrays: Mapping[str, np.ndarray]) -> dict[str, int]:
    sizes = {"m": X.shape[-1]}
    if Y.ndim == 2:
        sizes["n_out"] = Y.shape[0]
    if "W1" in arrays and arrays["W1"].ndim == 2:
        sizes |= {"n_hidden": arrays["W1"].shape[0], "n_in": arrays["W1"].shape[1]}
    return sizes


def _first_look(status: Mapping[str, str]) -> tuple[str, int]:
    """Where to look first, and the layer whose error signal is wrong (0: none). Mistakes go back as the signal does."""
    above = ""
    for layer in sorted({name[2:] for name in status}, reverse=True):
        weights, biases = status.get(f"dW{layer}"), status.get(f"db{layer}")
        if (weights, biases) == ("WRONG", "ok"):
            return (f"Look first at dW{layer}: db{layer} agrees, so the error signal of that layer is right, and what "
                    "it is multiplied with, or what is added, is not."), 0
        if (weights, biases) == ("ok", "WRONG"):
            return f"Look first at db{layer}: dW{layer} agrees, so the error signal of that layer is right.", 0
        if "WRONG" in (weights, biases):
            return f"Look first at the error signal of layer {layer}{above}.", int(layer or 0)
        above = f": layer {layer} agrees, so look at the step back from it" if weights == "ok" else ""
    return "Look at the first line that is marked.", 0


def _as_number(loss: Any) -> float:
    value = as_numbers(loss)
    if isinstance(value, str) or value.size != 1:
        what = f"is of type {type(loss).__name__}" if isinstance(value, str) else f"has shape {value.shape}"
        _fail(f"The loss has to be one number, but yours {what}. Does its function return something, and is the mean taken "
              "over all examples?")
    return float(value.item())


# --- Functions that return gradients --------------------------------------------------------------------------------


def check_gradient(loss: Callable, gradient: Callable, parameters: Mapping[str, Any], *,
                   sizes: Mapping[str, int] | None = None) -> Report:
    """Check a function that returns gradients against the function whose gradient it is.

    Both are called with the values of `parameters` in order: `loss(*values)` gives a number, `gradient(*values)` one
    array per parameter, in order, each in its shape. `sizes`, such as {"m": 6}, lets a constant factor be named.
    """
    arrays = {name: np.array(value, dtype=float) for name, value in parameters.items()}
    passed = {name: value.copy() for name, value in arrays.items()}
    with _quietly():
        got = _call(gradient, *passed.values())
        _unchanged(arrays, passed, "The gradient function")
        many = isinstance(got, (tuple, list)) and (len(arrays) > 1 or (len(got) == 1 and np.ndim(got[0]) > 0))
        got = list(got) if many else [got]
        if len(got) != len(arrays):
            _fail(f"The gradient function has to return {_plural(len(arrays), 'gradient')} ({', '.join(arrays)}), "
                  f"but it returned {len(got)}.")
        slopes = _numerical_gradients(lambda: _as_number(_call(loss, *(a[()] for a in arrays.values()))),
                                      arrays)
        lines = tuple(_judge(f"d{name}", g, arrays[name], slopes[name], sizes or {})
                      for name, g in zip(arrays, got))
    wrong = sum(line.status == "WRONG" for line in lines)
    title = (f"{_do_not_fit(wrong, len(lines))}." if wrong else "Your gradients agree with the slope of your own loss.")
    return finish(Report(title, lines, (CANNOT_SEE,)))


def check_update(network: Any, X: np.ndarray, Y: np.ndarray, learning_rate: float = 0.3) -> Report:
    """Check that `update_parameters` moves each parameter by -learning_rate times your own gradient of it."""
    twin, X, Y = copy.deepcopy(network), np.array(X, dtype=float), np.array(Y, dtype=float)
    names = [name for name in vars(twin) if re.fullmatch(r"[Wb]\d*", name)]
    for name in names:
        setattr(twin, name, np.array(getattr(twin, name), dtype=float))
    old = {name: getattr(twin, name).copy() for name in names}
    with _quietly():
        _call(twin.forward_pass, X)
        _call(twin.backward_pass, X, Y)
        gradients = {name: as_numbers(getattr(twin, f"d{name}", None)) for name in names}
        missing = [f"d{name}" for name, gradient in gradients.items() if isinstance(gradient, str)]
        if missing:
            _fail(f"backward_pass has to store {', '.join(missing)}: without a gradient there is no update.")
        step = {name: -learning_rate * gradient for name, gradient in gradients.items()}
        _call(twin.update_parameters, learning_rate)
    lines = []
    for name, before in old.items():
        after = np.asarray(getattr(twin, name))
        if after.shape != before.shape or step[name].shape != before.shape:
            lines.append(Line(name, "WRONG", f"{name} has shape {before.shape} before the update, {after.shape} after it; "
                                             f"d{name} has shape {step[name].shape}. All three have to be equal."))
            continue
        rounding = 1e-6 if after.dtype == np.float32 else 1e-14
        moved, slack = after - before, 1e-6 * np.abs(step[name]) + rounding * np.abs(before)
        if np.all(np.abs(moved - step[name]) <= slack):
            lines.append(Line(name, "ok", f"moved by -learning_rate * d{name}"))
        elif not np.any(moved):
            lines.append(Line(name, "WRONG", f"{name} did not change at all."))
        elif np.all(np.abs(moved + step[name]) <= slack):
            lines.append(Line(name, "WRONG", f"{name} moved the wrong way: up the slope of the loss, not down."))
        else:
            ratio = _proportional(moved.ravel(), step[name].ravel(), 1e-3 * np.abs(step[name]).ravel())
            times = "" if ratio is None else f" It moved {_number(ratio)} times as far."
            lines.append(Line(name, "WRONG", f"{name} did not move by -learning_rate * d{name}.{times}"))
    wrong = sum(line.status == "WRONG" for line in lines)
    title = f"{_plural(wrong, 'parameter')} of {len(lines)} moved otherwise than gradient descent says." if wrong else (
        "Your update is a step of gradient descent with your own gradients.")
    return finish(Report(title, tuple(lines)))


# --- Other things that can be checked -------------------------------------------------------------------------------


def check_function(function: Callable, derivative: Callable | None = None, *, points: Any = None) -> Report:
    """Check an elementwise function (an activation), and its derivative against the slopes of the function itself.

    Both have to answer an array with an array of the same shape, treat each entry alone, and leave the input as it is.
    """
    Z = np.append(np.linspace(-3.9, 3.9, 27), [-1e3, -1e-2, 1e3]) if points is None else np.ravel(points).astype(float)
    Z = Z.reshape(5, -1) if Z.size % 5 == 0 else Z.reshape(1, -1)
    lines = []
    with _quietly():
        for f in (function, derivative) if derivative else (function,):
            values, problem = _elementwise(f, Z)
            name = getattr(f, "__name__", "function")
            lines.append(Line(name, "WRONG", problem) if problem else
                         Line(name, "ok", "keeps the shape, treats entries alone, leaves its input unchanged"))
        if derivative and all(line.status == "ok" for line in lines):
            lines.append(_derivative_line(function, values, Z, lines[-1].name))
    ok = all(line.status == "ok" for line in lines)
    return finish(Report("What could be checked is right." if ok else "Something is not right yet.", tuple(lines),
                          ("Slopes are taken of your own function: if it is wrong, a derivative that fits it is too. "
                           "At a kink nothing is judged. Further checks run after you hand in.",)))


def _elementwise(f: Callable, Z: np.ndarray) -> tuple[np.ndarray, str | None]:
    passed = Z.copy()
    values = _call(f, passed)
    if not np.array_equal(passed, Z):
        return values, "It changes its input in place: work on a copy."
    read = as_numbers(values)
    if isinstance(read, str) or read.shape != Z.shape:
        got = "None" if values is None else read if isinstance(read, str) else f"shape {read.shape}"
        return values, f"For an input of shape {Z.shape} it returned {got}; expected {Z.shape}, one value per entry."
    whole, values = getattr(values, "dtype", read.dtype).kind in "iu", read
    if not np.all(np.isfinite(values)):
        return values, f"It is not finite at z = {_number(Z[~np.isfinite(values)][0])}."
    alone = np.array([[np.sum(as_numbers(f(np.array([z])))) for z in row] for row in Z])
    if whole and np.any(alone != np.round(alone)):
        return values, ("It cuts its values to whole numbers: np.vectorize takes the kind of its first result for all. Give "
                        "it otypes=[float].")
    if not np.allclose(alone, values, rtol=1e-6, atol=1e-12):
        return values, "The value of an entry depends on the other entries of the array."
    return values, None


def _derivative_line(function: Callable, values: np.ndarray, Z: np.ndarray, name: str) -> Line:
    def f(z: float) -> float:
        return float(as_numbers(function(np.array([z]))).item())

    pairs = [_slope(f, float(z), 1e-15 * (abs(f(z)) + 1e-3)) for z in Z.ravel()]
    slope, error = (np.array(p).reshape(Z.shape) for p in zip(*pairs))
    clear = 3 * error < 0.05 * np.maximum(np.maximum(np.abs(values), np.abs(slope)), 1e-2)
    wrong = clear & (np.abs(values - slope) > 3 * error + 1e-5 * np.maximum(1, np.abs(slope)))
    if not wrong.any():
        return Line("slopes", "ok", f"{name} agrees with the slope of your function at {clear.sum()} of {Z.size} points")
    where = "for z < 0" if np.all(Z[wrong] < 0) else "for z > 0" if np.all(Z[wrong] > 0) else "on both sides of 0"
    z = min(Z[wrong], key=lambda z: abs(abs(z) - 1))
    at = np.equal(Z, z)
    mine, right = values[at][0], slope[at][0]
    same = np.allclose(values, [[f(z) for z in row] for row in Z])
    return Line("slopes", "WRONG", f"{name} is wrong {where}: at z = {_number(z)} it gives {_number(mine)}, but the slope "
                f"of your function is {_number(right)}.{' It returns the function itself.' if same else ''}")


FIGURES = {0: "no", 1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}


def check_values(answers: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]], *,
                 ranges: Mapping[str, tuple[float, float]] | None = None,
                 rounded: Mapping[str, int] | None = None) -> Report:
    """Check that every value is filled in with numbers of the right shape, strictly inside its range if it has one.

    `answers` may be `globals()`. `rounded` says of values that end in endless digits how many significant figures are
    asked, such as {"a1": 4}; fewer are pointed out. It does not know which numbers are right.
    """
    lines, read = [], {}
    for name, shape in shapes.items():
        problem = _value_problem(name, answers, tuple(shape), (ranges or {}).get(name))
        if problem is None:
            read[name] = as_numbers(answers[name])
        lines.append(Line(name, "WRONG", problem) if problem else Line(name, "ok", _in_full(read[name])))
    asked = {name: count for name, count in (rounded or {}).items() if name in read}
    short = [figures(x) < asked[name] for name in asked for x in read[name].ravel() if x]
    for i, line in enumerate(lines):
        # A last 0 is lost when a number is typed, so one figure too few shows something only where most have too few.
        enough = asked.get(line.name, 0) - (np.mean(short) <= 0.5 if short else 0)
        few = [x for x in read.get(line.name, np.zeros(0)).ravel() if x and figures(x) < enough]
        if few:
            count, wanted = FIGURES[figures(few[0])], FIGURES[asked[line.name]]
            zeros = " Zeros at the front do not count." if abs(few[0]) < 0.1 else ""
            lines[i] = Line(line.name, "unclear", f"{line.says}: {few[0]:.8g} has {count} significant "
                            f"figure{'s' * (count != 'one')}; {wanted} are asked.{zeros}")
    wrong = sum(line.status == "WRONG" for line in lines)
    title = f"{wrong} of {_plural(len(lines), 'value')} to look at again." if wrong else "Every value is filled in."
    if not wrong and any(line.status == "unclear" for line in lines):
        title += " Some look rounded."
    return finish(Report(title, tuple(lines), ("Whether the numbers are right is marked after you hand in.",)))


def _in_full(numbers: np.ndarray) -> str:
    """The numbers with all the figures that people compare; a long array with its middle left out."""
    told = np.array2string(numbers, separator=", ", formatter={"all": lambda number: f"{number:.8g}"})
    return " ".join(told.split())


def _value_problem(name: str, answers: Mapping[str, Any], shape: tuple[int, ...],
                   within: tuple[float, float] | None) -> str | None:
    answer = answers.get(name)
    if answer is None and name not in answers:
        others = [other for other in answers if isinstance(other, str) and _plain_name(other) == _plain_name(name)]
        if others:
            return f"is not there, but there is {others[0]}: the name has to be as it is asked for"
        return _missing(name, "not filled in yet").removeprefix(f"{name} ")
    found = as_numbers(answer)
    if answer is None:
        return "is None: nothing was filled in or returned"
    if isinstance(found, str):
        return found.removeprefix("is ") if "not filled in" in found else found
    if _without_ones(found.shape) != _without_ones(shape):
        one = "one number" if shape == () else f"shape {shape}"
        told = f"has shape {found.shape}, expected {one}" if found.shape else f"is one number, expected {one}"
        if found.size == 2 * np.prod(shape, dtype=int) and np.all(found == np.round(found)):
            told += "; a decimal comma makes two numbers of one: write 0.5 with a point"
        return told
    if not np.all(np.isfinite(found)):
        return "has an entry that is not finite (nan or inf)"
    if within and not np.all((within[0] < found) & (found < within[1])):
        return f"has to lie between {_number(within[0])} and {_number(within[1])}: which function produced it?"
    return None


def _plain_name(name: str) -> str:
    return name.replace("_", "").lower()


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A column and a list of the same numbers are both welcome where values are typed in."""
    return tuple(n for n in shape if n != 1)


def check_training(losses: Sequence[float], epochs: int | None = None) -> Report:
    """Check that training returned a list of finite losses, one per epoch if `epochs` is given, and went downhill."""
    curve = as_numbers(losses)
    if isinstance(curve, np.ndarray) and curve.ndim > 1 and curve.size == len(curve):
        curve = curve.ravel()  # each loss came as an array with one entry: that is a number as well
    if isinstance(curve, str) or curve.ndim != 1 or curve.size < 2:
        what = ("is None" if losses is None else f"has shape {curve.shape}" if isinstance(curve, np.ndarray) else curve)
        _fail("Training has to return a list with one loss per epoch. Is there a `return losses` at the end, and does "
              f"each epoch append one number? Yours {what}.")
    if epochs is not None and curve.size != epochs:
        _fail(f"There are {curve.size} losses for {epochs} epochs. Expected one per epoch.")
    if not np.all(np.isfinite(curve)):
        _fail(f"The loss is no longer finite from epoch {int(np.argmin(np.isfinite(curve)))} on. Is the step too large, "
              "or is there a log(0)?")
    part = max(1, curve.size // 10)
    start, end = curve[:part].mean(), curve[-part:].mean()
    if np.ptp(curve) == 0:
        _fail(f"The loss stays at exactly {_number(start)}. Are the parameters updated in every epoch?")
    if end >= start:
        _fail(f"The loss rose from {_number(start)} to {_number(end)}. Is the sign of the update right, and is the "
              "learning rate small enough?")
    says = f"{curve.size} finite losses, from {_number(curve[0])} down to {_number(curve[-1])}"
    return Report("The training went downhill.", (Line("losses", "ok", says),))


def check_training_report(train_on: Callable, data: Sequence[np.ndarray]) -> Report:
    """Check a function that trains a network of a class and returns final loss, training and test accuracy.

    It is called with a class of ours, whose training does nothing and whose predictions are known. `data` is what the
    function trains on: X_train, Y_train, X_test, Y_test.
    """
    X_train, Y_train, X_test, Y_test = data
    calls: dict[str, Any] = {}

    def outputs(X: np.ndarray) -> np.ndarray:
        """Class 1 for every second example of the training set, and for all of the test set."""
        test = np.shape(X) == X_test.shape
        return np.where(np.arange(np.shape(X)[1]) % 2 == 0, 0.9, 0.9 if test else 0.1)[None, :]

    class Stand:
        def __init__(self, *sizes: int, rng: Any = None, **options: Any) -> None:
            calls.update(sizes=sizes, rng=rng, options=options)

        def train(self, X: np.ndarray, Y: np.ndarray, epochs: int, learning_rate: float) -> list[float]:
            calls.update(train=(np.shape(X), np.shape(Y), epochs, learning_rate), same=np.array_equal(X, X_train), last=X)
            return [3.0, 1.5, 1.75]  # the last is not the smallest

        def forward_pass(self, X: np.ndarray) -> np.ndarray:
            calls["last"] = X
            return outputs(X)

        def predict(self, X: np.ndarray) -> np.ndarray:
            return (self.forward_pass(X) > 0.5).astype(int)

        def compute_loss(self, Y: np.ndarray) -> float:
            trained_on = np.array_equal(calls.get("last"), X_train) and np.array_equal(Y, Y_train)
            return 1.75 if trained_on else 2.25

    found = as_numbers(_call(train_on, Stand, 5, 0.25, 11))
    if isinstance(found, str) or found.shape != (3,):
        what = found if isinstance(found, str) else f"has shape {found.shape}"
        _fail(f"Three numbers have to be returned: final loss, training accuracy, test accuracy. Yours {what}.")
    shares = [float(np.mean((outputs(X) > 0.5) == Y)) for X, Y in ((X_train, Y_train), (X_test, Y_test))]
    lines = []

    def line(name: str, right: bool, says: str) -> None:
        lines.append(Line(name, "ok" if right else "WRONG", "" if right else says))

    asked = calls.get("train", (None,) * 4)
    line("the class", "sizes" in calls, "No network of the class that is passed in was made: use network_class(...).")
    line("the seed", calls.get("rng") == 11, "The seed has to go into the network: rng=seed.")
    line("training set", calls.get("same", False), f"It has to be trained on X_train, shape {X_train.shape}; X had {asked[0]}.")
    line("epochs", asked[2] == 5, f"epochs was 5, but train was called with {asked[2]}.")
    line("learning rate", asked[3] == 0.25, f"learning_rate was 0.25, but train was called with {asked[3]}.")
    line("final loss", found[0] == 1.75, f"train returned [3, 1.5, 1.75]; the last entry is the final loss, not {_number(found[0])}.")
    for name, share, mine in zip(("training accuracy", "test accuracy"), shares, found[1:]):
        why = " Are probabilities compared with labels? predict gives labels." if mine == 0 else ""
        why = " That is 100 times as much: a share lies between 0 and 1." if np.isclose(mine, 100 * share) else why
        line(name, bool(np.isclose(mine, share)), f"The predictions of this network are right in a share of "
             f"{_number(share)}; yours is {_number(mine)}.{why}")
    wrong = sum(one.status == "WRONG" for one in lines)
    title = f"{wrong} of {len(lines)} things are not as the text asks." if wrong else "The report is made as the text asks."
    return finish(Report(title, tuple(lines), ("It was called with a class of ours, whose training changes nothing.",)))


def watch_steps(network: Any, X: np.ndarray, Y: np.ndarray) -> list[tuple]:
    """A list that fills with what a network is asked to do, while it does it; see `check_steps`.

    ("forward", columns of X), ("backward", columns of X, columns of Y), ("update", learning rate).
    """
    steps: list[tuple] = []

    def columns(part: Any, whole: np.ndarray) -> tuple[int, ...]:
        part = np.asarray(part).reshape(len(whole), -1)
        # The nearest: in single precision a column is not quite what it was.
        return tuple(int(np.argmin(np.abs(whole - column[:, None]).sum(axis=0))) for column in part.T)

    def noting(name: str, note: Callable[..., tuple]) -> None:
        method = getattr(network, name)

        def noted(*arguments: Any, **options: Any) -> Any:
            result = method(*arguments, **options)
            steps.append(note(*arguments, *options.values()))
            return result

        setattr(network, name, noted)

    noting("forward_pass", lambda x: ("forward", columns(x, X)))
    noting("backward_pass", lambda x, y: ("backward", columns(x, X), columns(y, Y)))
    noting("update_parameters", lambda rate: ("update", rate))
    return steps


def check_steps(steps: Sequence[tuple], order: Sequence[int] | None, learning_rate: float) -> Report:
    """Check what `watch_steps` saw: for each example one forward pass, one backward pass, one update, in this order.

    `order` holds the column numbers that have their turn; None if any order is right.
    """
    backward = [i for i, step in enumerate(steps) if step[0] == "backward"]
    if order is not None and len(backward) != len(order):
        _fail(f"The order has {len(order)} entries, but backward_pass was called {_plural(len(backward), 'time')}: once for "
              "each example that has its turn.")
    updates = [step for step in steps if step[0] == "update"]
    if len(updates) != len(backward):
        _fail(f"{_plural(len(backward), 'backward pass')[:-1]}es and {_plural(len(updates), 'update')}: each example moves "
              "the parameters before the next one has its turn. Is update_parameters inside the loop?")
    wrong_rates = [step[1] for step in updates if not np.isclose(step[1], learning_rate, rtol=1e-6, atol=0)]
    if wrong_rates:
        _fail(f"The learning rate is {_number(learning_rate)}, but update_parameters was called with {wrong_rates[0]}.")
    for turn, i in enumerate(backward):
        _, of_X, of_Y = steps[i]
        if len(of_X) != 1 or len(of_Y) != 1:
            _fail(f"Step {turn + 1}: backward_pass got {_plural(len(of_X), 'example')}, but one has its turn at a time: "
                  "X[:, [k]] is one column.")
        if of_X != of_Y:
            _fail(f"Step {turn + 1}: backward_pass got column {of_X[0]} of X with column {of_Y[0]} of Y. An example and its "
                  "target stand in the same column.")
        if order is not None and of_X[0] != order[turn]:
            _fail(f"Step {turn + 1}: it is the turn of column {order[turn]}, but backward_pass got column {of_X[0]}.")
        before = [step for step in steps[:i] if step[0] != "backward"][-1:]
        if before != [("forward", of_X)]:
            _fail(f"Step {turn + 1}: backward_pass uses what the last forward pass stored, and that was not one with this "
                  "example and the parameters of now. Call forward_pass with it first.")
    says = f"{len(backward)} times a forward pass, a backward pass and an update, each with one column of X and the same of Y"
    return Report("Every example has its turn alone.", (Line("steps", "ok", says),))
