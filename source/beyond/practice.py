"""Practice: tasks of the kinds that the sheets ask, with fresh numbers, as many as you like. Nothing here is marked.

    import practice

    task = practice.worked_calculation(seed=3)   # a cell that ends with `task` shows it
    task.check(z1=[0.9, 1.4])                    # says of every value whether it is right, and what is wrong with it
    task.reveal()                                # shows the next step, and no more than that
    task.reveal_all()                            # shows all of them

The same seed always gives the same task; without a seed you get a new one. There are three kinds of tasks:
`worked_calculation`, `vanishing_gradients` and `small_network`.

The right gradients are worked out on your machine: sympy differentiates the loss. The numbers of the sheets never come up.
"""

from __future__ import annotations

import html
import random
import re
import secrets
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from selfcheck import Line, Report

# sympy is imported where it is used: importing this module stays fast.

RTOL = 2e-3  # four significant figures carried through every step stay within this
Arrays = Mapping[str, np.ndarray]


# --- Formulas: one text that is shown with names, shown with numbers, and worked out ---------------------------------
# All formulas are written in this file; none comes from elsewhere.

FUNCTIONS: dict[str, Callable] = {
    "sigma": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "log": np.log,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "floor": np.floor,
    "total": np.sum,
    "rows": lambda z: np.sum(z, axis=1, keepdims=True),
    "columns": lambda z: np.sum(z, axis=0, keepdims=True),
}
IN_LATEX = {
    "sigma": r"\sigma", "tanh": r"\tanh", "relu": r"\mathrm{ReLU}", "log": r"\ln", "exp": r"\exp", "sqrt": r"\sqrt",
    "floor": r"\mathrm{floor}", "total": r"\mathrm{sum}", "rows": r"\mathrm{rowsums}", "alpha": r"\alpha",
    "**": "^", ".T": r"^{\mathsf T}", ">": r"\,>\,", "-": "-", "/": "/",
}  # fmt: skip
SEPARATOR, NEXT = r",\ ", r" \\[4pt] &= "
TOKEN = re.compile(r"\*\*|\.T|[A-Za-z_]+\d*(?:_new)?|\d+\.?\d*|[-+*/@()>]")


def compute(formula: str, values: Arrays) -> np.ndarray:
    """The value of a formula of this file, in float64."""
    with np.errstate(all="ignore"):
        return np.asarray(eval(formula, {"__builtins__": {}}, {**FUNCTIONS, **values}), dtype=float)


def number(value: float) -> str:
    """Four significant figures, without an exponent where a person would not write one.

    >>> number(0.000480012), number(2.0), number(-12345.6)
    ('0.00048', '2', '-12350')
    """
    rounded = float(f"{value:.4g}")
    return np.format_float_positional(rounded, trim="-") if 1e-6 < abs(rounded) < 1e7 or not rounded else f"{value:.3e}"


def plain(array: np.ndarray, *, flat: bool = False) -> str:
    """An array as Python would write it: [[0.5, 0.3], [0.2, 0.8]]. With `flat` a row or a column is one list."""
    array = np.asarray(array)
    if array.size == 1:
        return number(array.item())
    if array.ndim == 1 or (flat and 1 in array.shape):
        return f"[{', '.join(map(number, array.ravel()))}]"
    return f"[{', '.join(plain(row) if row.size > 1 else f'[{number(row.item())}]' for row in array)}]"


def matrix(array: np.ndarray) -> str:
    """An array in LaTeX."""
    array = np.asarray(array)
    if array.size == 1:
        return number(array.item())
    if array.ndim == 1:
        return rf"\left({SEPARATOR.join(map(number, array))}\right)"
    rows = r" \\ ".join(" & ".join(map(number, row)) for row in array)
    return rf"\begin{{pmatrix}} {rows} \end{{pmatrix}}"


def symbol(name: str) -> str:
    """A name in LaTeX.

    >>> symbol("dW1"), symbol("b2_new"), symbol("max_slope")
    ('dW_1', 'b_2^{new}', '\\\\mathrm{max\\\\_slope}')
    """
    parts = re.fullmatch(r"(d?[A-Za-z])(\d)?(_new)?", name)
    if parts is None:
        return IN_LATEX.get(name) or rf"\mathrm{{{name.replace('_', chr(92) + '_')}}}"
    letter, index, new = parts.groups()
    return letter + (f"_{index}" if index else "") + ("^{new}" if new else "")


def in_latex(formula: str, values: Arrays, *, put_in: bool = False) -> str:
    """A formula in LaTeX, with names or with the numbers put in."""

    def is_number(token: str) -> bool:
        return token[0].isdigit() or (token in values and np.size(values[token]) == 1)

    tokens, said, closing = TOKEN.findall(formula), [], []
    for place, token in enumerate(tokens):
        after = tokens[place + 1] if place + 1 < len(tokens) else ""
        before = tokens[place - 1] if place else ""
        if token in "@*" and len(token) == 1:
            dot = put_in if token == "@" else before[0].isdigit() or is_number(before) or is_number(after)
            said.append(r" \cdot " if dot else r"\, " if token == "@" else r" \odot ")
        elif token == "(":
            alone = put_in and np.size(values.get(after, 0)) > 1 and tokens[place + 2] == ")"  # it has its own brackets
            opening, ending = ("{", "}") if before == "sqrt" else ("", "") if alone else (r"\left(", r"\right)")
            said.append(opening)
            closing.append(ending)
        elif token == ")":
            said.append(closing.pop())
        elif token == ".T" and put_in and np.size(values.get(before, ())) == 1:
            continue
        elif token in values and token != "k" and put_in:
            text = matrix(values[token])
            said.append(rf"\left({text}\right)" if text[0] == "-" or after == "**" else text)
        elif token[0].isalpha():
            said.append(f"{{{symbol(token)}}}" if before == "**" else symbol(token))
        elif before == "**":
            said.append(f"{{{token}}}")
        else:
            said.append(IN_LATEX.get(token, token))
    return "".join(said)


def in_plain(formula: str, values: Arrays) -> str:
    """A formula with the numbers put in, as Python would write it."""
    tokens, said = re.findall(r"\*\*|\w+\.T|\w+|\.\d+|\s+|.", formula), []
    for place, token in enumerate(tokens):
        name, turned = token.removesuffix(".T"), token.endswith(".T")
        if name in values and name != "k":
            text = plain(values[name].T if turned else values[name])
            said.append(f"({text})" if text[0] == "-" else text)
        elif token == "@" and any(
            np.size(values.get(tokens[place + side].removesuffix(".T"), (0, 0))) == 1 for side in (-2, 2)
        ):
            said.append("*")  # a single number is no matrix
        else:
            said.append(token)
    return "".join(said)


# --- Tasks ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """One value that is asked: its name, how it follows from what comes before, why, and known wrong formulas.

    A slip is a wrong formula with the sentence that is said about it. `figures` asks for so many significant figures
    in place of the usual tolerance. `k` counts the entries of a list from 0.
    """

    name: str
    formula: str
    why: str
    slips: tuple[tuple[str, str], ...] = ()
    figures: int | None = None


class Task:
    """A task with its own numbers. `given` holds them as arrays; see the top of this file for what it can do."""

    def __init__(
        self, kind: str, seed: int, intro: str, table: Mapping[str, str], given: Arrays, steps: Sequence[Step],
        truth: Arrays, *, as_lists: bool,
    ) -> None:  # fmt: skip
        self.kind, self.seed, self.given, self.steps = kind, seed, dict(given), tuple(steps)
        self.intro, self._table, self._truth, self._as_lists = intro, dict(table), dict(truth), as_lists
        self._own: dict[str, np.ndarray] = {}
        self._right: set[str] = set()
        self._shown: set[str] = set()

    # What it shows

    def __repr__(self) -> str:
        width = max(map(len, self._table))
        lines = [f"  {name:<{width}} = {value}   ({what})" for what, name, value in self.rows()]
        paragraphs = re.split(r"\n\n|\n(?=- )", re.sub(r"[*`]", "", self.intro))
        intro = "\n".join(
            textwrap.fill(part, 100, subsequent_indent="  ") if part[0] == "-" else textwrap.fill(part, 100) + "\n"
            for part in paragraphs
        ).rstrip()
        return "\n".join([self.title, "", intro, "", *lines, "", textwrap.fill(f"Wanted: {self._wanted}.", 100)])

    def _repr_markdown_(self) -> str:
        rows = [f"| {what} | ${symbol(name)} = {matrix(self._shape(name))}$ |" for name, what in self._table.items()]
        return "\n".join([
            f"### {self.title}", "", self.intro, "", "| what | value |", "|:---|:---|", *rows, "",
            f"**Wanted:** {self._wanted_in_code}.",
        ])  # fmt: skip

    @property
    def title(self) -> str:
        """The kind of the task and its seed, in words."""
        return f"{self.kind.replace('_', ' ').capitalize()}, seed {self.seed}"

    def rows(self) -> list[tuple[str, str, str]]:
        """What is given: what it is, its name, and its numbers as they are typed."""
        return [(what, name, plain(self.given[name], flat=self._as_lists)) for name, what in self._table.items()]

    def form(self, name: str) -> str:
        """What kind of value is asked, in words."""
        shape = self._truth[name].shape
        if self._as_lists:
            shape = tuple(n for n in shape if n != 1)
        if not shape or set(shape) == {1}:
            return "one number"
        return f"{shape[0]} numbers" if len(shape) == 1 else f"{shape[0]} rows of {shape[1]}"

    @property
    def right(self) -> list[str]:
        """The names of the values that are right so far."""
        return [step.name for step in self.steps if step.name in self._right]

    @property
    def _wanted(self) -> str:
        return ", ".join(step.name for step in self.steps)

    @property
    def _wanted_in_code(self) -> str:
        return ", ".join(f"`{step.name}`" for step in self.steps)

    def _shape(self, name: str) -> np.ndarray:
        """A given array as it is written on paper: a column of a calculation by hand as a list."""
        array = self.given[name]
        return array.ravel() if self._as_lists and array.ndim == 2 and array.shape[1] == 1 else array

    # What it does

    def check(self, **values: Any) -> Report:
        """Say of every value that you pass whether it is right. Values that you passed before are remembered.

        What is None, or still has dots in it, is passed over.
        """
        unknown = [name for name in values if name not in self._truth]
        if unknown or not values:
            said = f"This task has no value `{unknown[0]}`." if unknown else "Pass the values by name."
            raise ValueError(f"{said} It asks for {self._wanted}: for example task.check({self.steps[0].name}=...)")
        filled = [step for step in self.steps if step.name in values and not _is_empty(values[step.name])]
        lines = [self._line(step, values[step.name]) for step in filled]
        notes = () if lines else ("Put your values in place of the dots.",)
        if len(self._right) == len(self.steps):
            notes = ("Everything is right. Another one? Take the next seed.",)
        return Report(f"{self.title}: {len(self._right)} of {len(self.steps)} values are right", tuple(lines), notes)

    def go_on(self, right: Sequence[str], shown: Sequence[str]) -> None:
        """Go on where these values were right and these steps were shown."""
        self._right, self._shown = set(right), set(shown)

    def reveal(self) -> Shown:
        """The next step that is neither right nor shown yet: its formula, the numbers put in, its value."""
        step = next((s for s in self.steps if s.name not in self._right | self._shown), None)
        if step is None:
            return Shown("Every value is right or shown. reveal_all() shows them once more.", ())
        self._shown.add(step.name)
        left = sum(s.name not in self._right | self._shown for s in self.steps)
        return Shown(f"{self.title}: the next step ({left} left)", (self._reveal(step),))

    def reveal_all(self) -> Shown:
        """Every step in order."""
        self._shown.update(step.name for step in self.steps)
        return Shown(f"{self.title}: all steps", tuple(self._reveal(step) for step in self.steps))

    def _reveal(self, step: Step) -> tuple[str, ...]:
        known = self.given | self._truth
        value = self._truth[step.name]
        put_in = not step.formula.isidentifier()  # a copied value needs no line of its own
        numbers = f"{in_plain(step.formula, known)} = " if put_in else ""
        rows = [in_latex(step.formula, known), *([in_latex(step.formula, known, put_in=True)] if put_in else [])]
        return (
            step.name, step.why, f"{step.name} = {step.formula}", f"{numbers}{plain(value, flat=self._as_lists)}",
            rf"\begin{{aligned}} {symbol(step.name)} &= {NEXT.join([*rows, matrix(value)])} \end{{aligned}}",
        )  # fmt: skip

    def _line(self, step: Step, value: Any) -> Line:
        self._own.pop(step.name, None)
        self._right.discard(step.name)
        got = _as_array(value)
        if isinstance(got, str):
            return Line(step.name, "WRONG", got)
        expected = self._truth[step.name]
        wanted = expected.ravel() if self._as_lists and 1 in expected.shape else expected
        if [n for n in got.shape if n != 1] != [n for n in expected.shape if n != 1]:
            form = "one number" if expected.size == 1 else f"shape {wanted.shape}"
            return Line(step.name, "WRONG", f"Yours has shape {got.shape}; it should be {form}.")
        same_shape = self._as_lists or got.shape == expected.shape
        got = self._own[step.name] = got.reshape(expected.shape)
        if not np.all(np.isfinite(got)):
            return Line(step.name, "WRONG", "There are entries that are no finite numbers.")
        known = self.given | self._truth | self._own
        own_wrong = [name for name in self._used(step) if name in self._own and name not in self._right]
        follows = agrees(got, compute(step.formula, known).reshape(expected.shape), step.figures)
        if agrees(got, expected, step.figures) or (follows and not own_wrong):
            self._right.add(step.name)
            note = "" if same_shape else f" In the sheets its shape must be {expected.shape}: keep both axes."
            return Line(step.name, "ok", f"Right.{note}")
        if follows:
            return Line(step.name, "WRONG", f"It follows rightly from your {_listed(own_wrong)}. Mend that one first.")
        return Line(step.name, "WRONG", self._what_is_wrong(step, got, expected, known))

    def _used(self, step: Step) -> list[str]:
        return [name for name in dict.fromkeys(TOKEN.findall(step.formula)) if name in self._truth]

    def _what_is_wrong(self, step: Step, got: np.ndarray, expected: np.ndarray, known: Arrays) -> str:
        named = {}
        for formula, sentence in step.slips:
            for values in (known, self.given | self._truth):
                slipped = compute(formula, values)
                if slipped.size == got.size and agrees(got, slipped.reshape(got.shape), step.figures):
                    named[sentence] = None
        if len(named) == 1:
            return next(iter(named))
        with np.errstate(all="ignore"):
            ratio = got / expected
        if got.size > 1 and np.all(np.abs(ratio / ratio.flat[0] - 1) < RTOL):
            return f"Every entry is {number(ratio.flat[0])} times what it should be: a factor is missing or too much."
        fine = np.abs(got - expected) <= allowed(expected, step.figures)
        if np.any(fine):
            return f"{np.sum(fine)} of {fine.size} entries are right. Look at entry {_place(~fine, self._as_lists)}."
        if got.size == 1 and agrees(got, -expected, step.figures):
            return "The size is right, the sign is not."
        return "Not yet. Look at what goes in, and work it out once more, or ask for one step with reveal()."


@dataclass(frozen=True)
class Shown:
    """Steps that were asked for: a name, why, the formula, the numbers put in, and all of it in LaTeX, for each."""

    title: str
    steps: tuple[tuple[str, ...], ...]

    def __repr__(self) -> str:
        lines = [self.title]
        for name, why, formula, numbers, _ in self.steps:
            start = " " * len(name) + " = "
            lines += ["", formula, textwrap.fill(numbers, 100, initial_indent=start, subsequent_indent=" " * len(start))]
            lines.append(textwrap.fill(why, 100, initial_indent="  ", subsequent_indent="  "))
        return "\n".join(lines)

    def _repr_markdown_(self) -> str:
        said = [f"**{html.escape(self.title)}**"]
        for name, why, _, _, latex in self.steps:
            said.append(f"`{name}`: {why}\n\n$$\n{latex}\n$$")
        return "\n\n".join(said)


def allowed(expected: np.ndarray, figures: int | None = None) -> np.ndarray:
    """How far an entry may be off: a relative 2e-3, or half a unit of the last of so many figures."""
    size = np.maximum(np.abs(expected), 1e-2 * np.max(np.abs(expected)))
    return RTOL * size if figures is None else 0.505 * 10.0 ** (np.floor(np.log10(size)) + 1 - figures)


def agrees(got: np.ndarray, expected: np.ndarray, figures: int | None = None) -> bool:
    """Whether every entry is the expected one, worked out with four significant figures."""
    return bool(np.all(np.isfinite(expected))) and bool(np.all(np.abs(got - expected) <= allowed(expected, figures)))


def _as_array(value: Any) -> np.ndarray | str:
    """What was passed as an array of floats, or a sentence that says why it is none."""
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        return "It should be a number or a list of numbers, with rows of equal length."


def _is_empty(value: Any) -> bool:
    return value is None or value is ... or (isinstance(value, list) and any(map(_is_empty, value)))


def _listed(names: Sequence[str]) -> str:
    return " and ".join(f"own {name}" for name in names) + (", which is wrong" if len(names) == 1 else ", which are wrong")


def _place(wrong: np.ndarray, as_lists: bool) -> str:
    where = np.argwhere(wrong.ravel() if as_lists and 1 in wrong.shape else wrong)[0]
    return "".join(f"[{index}]" for index in where)


# --- Drawing numbers ------------------------------------------------------------------------------------------------


class Draw:
    """Numbers from a seed, the same with every version of Python."""

    def __init__(self, kind: str, seed: int) -> None:
        self._random = random.Random(f"{kind} {seed}").random

    def one(self, options: Sequence) -> Any:
        """One of the options."""
        return options[int(self._random() * len(options))]

    def tenths(self, *shape: int, low: int = 2, high: int = 9, signs: Sequence[int] = (1, 1, 1, -1)) -> np.ndarray:
        """An array of numbers with one decimal, from low/10 to high/10 in size."""
        count = int(np.prod(shape))
        drawn = [self.one(signs) * self.one(range(low, high + 1)) for _ in range(count)]
        return np.array(drawn, dtype=float).reshape(shape) / 10


def _seed(seed: int | None) -> int:
    if seed is None:
        return secrets.randbelow(10**6)
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise ValueError(f"a seed is a whole number, such as 7, and not {seed!r}")
    return int(seed)


def _worked_out(steps: Sequence[Step], given: Arrays) -> dict[str, np.ndarray]:
    """Every value by its formula."""
    values = dict(given)
    for step in steps:
        values[step.name] = compute(step.formula, values)
    return values


def _slips_show(steps: Sequence[Step], values: Arrays) -> bool:
    """Whether no slip gives what is right, nor anything near it."""
    for step in steps:
        right = values[step.name]
        for formula, _ in step.slips:
            slipped = compute(formula, values)
            if slipped.size == right.size:
                off = np.abs(slipped.reshape(right.shape) - right)
                if np.all(off <= 5 * allowed(right, step.figures)):
                    return False
    return True


def _until(draw: Callable[[], tuple[Arrays, tuple[Step, ...]]], fits: Callable[[Arrays], bool]) -> tuple:
    """Draw until the numbers make a good task."""
    while True:
        given, steps = draw()
        values = _worked_out(steps, given)
        if fits(values) and _slips_show(steps, values):
            return given, steps


# --- Networks: exact values from sympy ------------------------------------------------------------------------------


@cache
def one_example(sizes: tuple[int, int, int], hidden: str, output: str, loss: str) -> tuple[tuple[str, ...], Callable]:
    """The names of all entries of one example's computation, and a function that evaluates them.

    sympy differentiates the loss of the example by each parameter. Derivatives by the pre-activations come from adding
    a small e to each, and differentiating by e at 0.
    """
    import sympy as sp

    def symbols(name: str, rows: int, columns: int = 1) -> sp.Matrix:
        return sp.Matrix(rows, columns, lambda i, j: sp.Symbol(f"{name}_{i}_{j}", real=True))

    f = {"sigmoid": lambda z: 1 / (1 + sp.exp(-z)), "tanh": sp.tanh, "relu": lambda z: sp.Max(z, 0), "linear": lambda z: z}
    n_in, n_hidden, n_out = sizes
    x, y, e1, e2 = symbols("x", n_in), symbols("y", n_out), symbols("e1", n_hidden), symbols("e2", n_out)
    by = {"W1": symbols("W1", n_hidden, n_in), "b1": symbols("b1", n_hidden)}
    by |= {"W2": symbols("W2", n_out, n_hidden), "b2": symbols("b2", n_out), "Z1": e1, "Z2": e2}
    found = {"Z1": by["W1"] * x + by["b1"] + e1}
    found["A1"] = found["Z1"].applyfunc(f[hidden])
    found["Z2"] = by["W2"] * found["A1"] + by["b2"] + e2
    found["A2"] = found["Z2"].applyfunc(f[output])
    each = {"mse": lambda a, t: (a - t) ** 2, "bce": lambda a, t: -t * sp.log(a) - (1 - t) * sp.log(1 - a)}[loss]
    error = sum(each(a, t) for a, t in zip(found["A2"], y))
    found["loss"] = sp.Matrix([[error]])
    found |= {f"d{name}": where.applyfunc(lambda symbol: sp.diff(error, symbol)) for name, where in by.items()}
    at_zero = dict.fromkeys([*e1, *e2], 0)
    names = tuple(name for name in found for _ in found[name])
    entries = [entry.subs(at_zero) for name in found for entry in found[name]]
    inputs = [*x, *y, *by["W1"], *by["b1"], *by["W2"], *by["b2"]]
    return names, sp.lambdify(inputs, entries, "numpy", cse=True)


def network_truth(given: Arrays, hidden: str, output: str, loss: str) -> dict[str, np.ndarray]:
    """Every value of a network with one hidden layer and the mean loss.

    `given` holds X, Y, W1, b1, W2, b2, one column per example.
    """
    W1, W2, examples = given["W1"], given["W2"], given["X"].shape[1]
    names, evaluate = one_example((W1.shape[1], W1.shape[0], W2.shape[0]), hidden, output, loss)
    columns: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for x, y in zip(given["X"].T, given["Y"].T):
        inputs = np.concatenate([x, y, *(given[name].ravel() for name in ("W1", "b1", "W2", "b2"))])
        entries = [float(entry) for entry in evaluate(*inputs)]
        for name in columns:
            columns[name].append(np.array([value for owner, value in zip(names, entries) if owner == name]))
    truth = {name: np.array(columns[name]).T for name in ("Z1", "A1", "Z2", "A2")}
    truth |= {name: np.array(columns[name]).T / examples for name in ("dZ1", "dZ2")}  # of the mean loss
    means = {"loss": (1, 1), "dW1": W1.shape, "db1": given["b1"].shape, "dW2": W2.shape, "db2": given["b2"].shape}
    return truth | {name: np.mean(columns[name], axis=0).reshape(shape) for name, shape in means.items()}


SLOPE_AT_Z = "In s (1 - s) the s is the value of the sigmoid, not z."

# The steps of the worked calculation, from its exercise: `autograder build` writes them.
WORKED_STEPS = (
    Step("z1", "W1 @ x + b1", "Each hidden unit adds its weighted inputs and its bias.", (
        ("W1 @ x", "The bias is left out. Which numbers does each unit add?"),
        ("W1.T @ x + b1", "The weights are read along the columns. Row i of W1 holds the weights into hidden unit i. You went down a column."),
        ("W1 @ x[::-1] + b1", "The two inputs are exchanged. The first column of W1 belongs to the first input. Which of the two numbers is that?"),
    )),
    Step("a1", "sigma(z1)", "The sigmoid of each.", (
        ("z1", "The activation is left out. This is still the pre-activation. What does the activation make of it?"),
        ("tanh(z1)", "These are values of tanh. Which activation has this network?"),
        ("sigma(-z1)", "The sign in the exponent of the sigmoid is wrong. A positive z must give more than one half. Does yours?"),
    )),
    Step("z2", "W2 @ a1 + b2", "The output unit sees the hidden activations.", (
        ("W2 @ a1", "The bias is left out. Which numbers does each unit add?"),
        ("W2 @ x + b2", "The inputs are used instead of the hidden activations. What does the output unit see: the inputs, or what the hidden units make of them?"),
        ("W2 @ z1 + b2", "The pre-activations of the layer below are used instead of its activations. What does a hidden unit send on after its activation?"),
    )),
    Step("a2", "sigma(z2)", "The sigmoid once more.", (
        ("z2", "The activation is left out. This is still the pre-activation. What does the activation make of it?"),
        ("tanh(z2)", "These are values of tanh. Which activation has this network?"),
        ("sigma(-z2)", "The sign in the exponent of the sigmoid is wrong. A positive z must give more than one half. Does yours?"),
    )),
    Step("loss", "(a2 - y)**2", "The squared error of the one example, with no factor 1/2.", (
        ("(a2 - y)**2 / 2", "There is a factor 1/2 in the loss. This course's squared error has none: its derivative carries a 2."),
        ("-(y * log(a2) + (1 - y) * log(1 - a2))", "This is the cross-entropy. Which loss does this task use?"),
        ("a2 - y", "The error is not squared. Without the square positive and negative errors cancel. What does the loss do with an error?"),
        ("y - a2", "The error is not squared. Without the square positive and negative errors cancel. What does the loss do with an error?"),
    )),
    Step("dz2", "2 * (a2 - y) * a2 * (1 - a2)", "The slope of the loss, times the slope of the sigmoid.", (
        ("(a2 - y) * a2 * (1 - a2)", "The factor 2 of the squared error is lost. This loss has no factor 1/2 in front. Differentiate the square once more."),
        ("2 * (a2 - y)", "The derivative of the output activation is missing. This is the derivative with respect to a2. One more step of the chain rule leads to z2."),
        ("a2 - y", "This is the error signal of cross-entropy. Which loss does this task use?"),
        ("2 * (a2 - y) * z2 * (1 - z2)", "The output derivative is computed from Z with the formula meant for A. The short formula for this derivative expects the activation. Check what you put into it."),
        ("2 * (a2 - y) * a2", "Half of the sigmoid's derivative is missing. It is a product of two factors. Which of them do you have?"),
        ("2 * (a2 - y) * (1 - a2)", "Half of the sigmoid's derivative is missing. It is a product of two factors. Which of them do you have?"),
        ("2 * (y - a2) * a2 * (1 - a2)", "The sign is wrong. If a2 grows while it is above the target, does the loss grow or fall?"),
    )),
    Step("dW2", "dz2 @ a1.T", "A weight gets the error signal times what it has seen.", (
        ("dz2 @ x.T", "The activation of another layer is used. Check which layer feeds these weights in the forward pass, and which array your gradient uses."),
        ("dz2 @ z1.T", "The pre-activation is used instead of the activation. Check what really enters this layer in the forward pass. The same array belongs in the gradient."),
    )),
    Step("db2", "dz2", "A bias sees the input 1.", (
    )),
    Step("dz1", "(W2.T @ dz2) * a1 * (1 - a1)", "Back through the weights, then through each sigmoid's slope.", (
        ("W2.T @ dz2", "The derivative of the hidden activation is missing. You carry the error back through the weights. Check that it also passes through the activation."),
        ("(W2.T @ dz2) * z1 * (1 - z1)", "The formula for the derivative gets Z where it means A. The short formula for this derivative is written in terms of the activation. Check what you put into it."),
        ("(W2.T @ dz2) * a2 * (1 - a2)", "The derivative of the output is used in the hidden layer. You used the derivative of the output unit. Each hidden unit has its own."),
        ("(W2.T[::-1] @ dz2) * a1 * (1 - a1)", "Each hidden unit has the weight of the other one. Follow the arrow from the unit to the output."),
        ("(dW2.T @ dz2) * a1 * (1 - a1)", "The gradient of the weights is used instead of the weights. The error goes back through W2 itself. Two names look alike here."),
        ("dz2 * a1 * (1 - a1)", "The weights are not used to carry the error back. Each hidden unit has its own share in the error. Check what decides how large this share is."),
    )),
    Step("dW1", "dz1 @ x.T", "Row i belongs to hidden unit i, as in W1.", (
        ("dz1 @ a1.T", "The activation of another layer is used. Check which layer feeds these weights in the forward pass, and which array your gradient uses."),
        ("(dz1 @ x.T).T", "The result is transposed. Compare the shape of your gradient with the shape of the weights, rows and columns."),
    )),
    Step("db1", "dz1", "A bias sees the input 1.", (
    )),
    Step("W2_new", "W2 - alpha * dW2", "One step against the gradient.", (
        ("W2 + alpha * dW2", "The sign is wrong. You moved up the gradient. In which direction does the loss fall?"),
        ("W2 - dW2", "The learning rate is missing in the update. The whole gradient was subtracted. How long is a step?"),
        ("W2", "The parameter is never updated. To four figures this is the old value. What is subtracted, and how much of it?"),
    ), figures=4),
    Step("b2_new", "b2 - alpha * db2", "One step against the gradient.", (
        ("b2 + alpha * db2", "The sign is wrong. You moved up the gradient. In which direction does the loss fall?"),
        ("b2 - db2", "The learning rate is missing in the update. The whole gradient was subtracted. How long is a step?"),
        ("b2", "The parameter is never updated. To four figures this is the old value. What is subtracted, and how much of it?"),
    ), figures=4),
    Step("W1_new", "W1 - alpha * dW1", "One step against the gradient.", (
        ("W1 + alpha * dW1", "The sign is wrong. You moved up the gradient. In which direction does the loss fall?"),
        ("W1 - dW1", "The learning rate is missing in the update. The whole gradient was subtracted. How long is a step?"),
        ("W1", "The parameter is never updated. To four figures this is the old value. What is subtracted, and how much of it?"),
    ), figures=4),
    Step("b1_new", "b1 - alpha * db1", "One step against the gradient.", (
        ("b1 + alpha * db1", "The sign is wrong. You moved up the gradient. In which direction does the loss fall?"),
        ("b1 - db1", "The learning rate is missing in the update. The whole gradient was subtracted. How long is a step?"),
        ("b1", "The parameter is never updated. To four figures this is the old value. What is subtracted, and how much of it?"),
    ), figures=4),
)  # fmt: skip
# The end of what `autograder build` writes.


def worked_calculation(seed: int | None = None) -> Task:
    """One example through a network of two inputs, two hidden units and one output, forth and back, by hand."""
    seed = _seed(seed)
    draw = Draw("worked_calculation", seed)

    def numbers() -> tuple[Arrays, tuple[Step, ...]]:
        return {
            "x": np.array([[draw.one((-2.0, -1.0, 1.0, 2.0))], [draw.one((-3.0, -2.0, 2.0, 3.0))]]),
            "y": np.array([[draw.one((0.1, 0.2, 0.3, 0.7, 0.9))]]),
            "W1": draw.tenths(2, 2), "b1": draw.tenths(2, 1, low=1, high=5),
            "W2": draw.tenths(1, 2, low=4), "b2": draw.tenths(1, 1, low=1, high=5),
            "alpha": np.array([[draw.one((0.2, 0.4, 0.5))]]),
        }, WORKED_STEPS  # fmt: skip

    def fits(v: Arrays) -> bool:
        sizes = np.abs(np.concatenate([v["z1"].ravel(), v["z2"].ravel()]))
        apart = np.abs(np.ptp(v["z1"])) > 0.1 and len({*v["W1"].flat}) == 4 and np.ptp(v["W2"]) and np.ptp(v["x"])
        # near zero an updated parameter would be a difference of which four figures leave one or two
        updated = np.concatenate([v[f"{name}_new"].ravel() for name in ("W1", "b1", "W2", "b2")])
        apart = apart and np.all(np.abs(updated) > 0.05)
        return bool(np.all((sizes > 0.245) & (sizes < 2.495)) and apart and 0.1 < abs(v["a2"] - v["y"]).item() < 0.75)

    given, steps = _until(numbers, fits)
    truth = network_truth(given | {"X": given["x"], "Y": given["y"]}, "sigmoid", "sigmoid", "mse")
    found = {name: truth[name.replace("z", "Z").replace("a", "A")] for name in ("z1", "a1", "z2", "a2", "dz1", "dz2")}
    found |= {name: truth[name] for name in ("loss", "dW1", "db1", "dW2", "db2")}
    for name in ("W1", "b1", "W2", "b2"):
        found[f"{name}_new"] = given[name] - given["alpha"] * found[f"d{name}"]
    intro = (
        "Two inputs, two hidden units, one output unit, **the sigmoid everywhere**, and the squared error of one "
        "example with no factor 1/2: loss = (a2 - y)². Carry the example through the network and back, and make one "
        "step of gradient descent.\n\nA value for both hidden units is a list of two numbers, a matrix is a list of "
        "rows. Four significant figures are enough."
    )
    table = {
        "x": "input", "W1": "hidden weights, row i leads into hidden unit i", "b1": "hidden biases",
        "W2": "output weights", "b2": "output bias", "y": "target", "alpha": "learning rate",
    }  # fmt: skip
    return Task("worked_calculation", seed, intro, table, given, steps, found, as_lists=True)


SLOPES = {
    "sigmoid": "A1 * (1 - A1)",
    "tanh": "(1 - A1**2)",
    "relu": "(Z1 > 0)",
}
ACTIVATION = {"sigmoid": "sigma({})", "tanh": "tanh({})", "relu": "relu({})", "linear": "{}"}
OTHER_SLOPE = {
    "sigmoid": ("(1 - A1**2)", "1 - a² is the slope of tanh. Your hidden layer uses the sigmoid."),
    "tanh": ("A1 * (1 - A1)", "a (1 - a) is the slope of the sigmoid. Your hidden layer uses tanh."),
    "relu": ("A1 * (1 - A1)", "a (1 - a) is the slope of the sigmoid. Your hidden layer uses ReLU."),
}


def network_steps(hidden: str, loss: str) -> tuple[Step, ...]:
    """The steps of a network with one hidden layer and several examples, one column each."""
    slope, (other, says) = SLOPES[hidden], OTHER_SLOPE[hidden]
    spoken = {"sigmoid": "the sigmoid", "tanh": "tanh", "relu": "ReLU"}[hidden]
    if loss == "mse":
        ending = (
            Step("A2", "Z2", "The output is linear: nothing is applied."),
            Step("loss", "total((A2 - Y)**2) / m", "Sum over the outputs, mean over the examples, no factor 1/2.", (
                ("total((A2 - Y)**2) / m / 2", "There is no factor 1/2 in this loss."),
                ("total((A2 - Y)**2)", "This is the sum over the examples. The loss is their mean."),
                ("sqrt(total((A2 - Y)**2) / m)", "You took the square root. The loss is the mean square itself."),
            )),
            Step("dZ2", "2 * (A2 - Y) / m", "The derivative of the mean square; a linear output has slope 1.", (
                ("(A2 - Y) / m", "Differentiate the square once more: a factor is missing."),
                ("2 * (A2 - Y)", "The loss is a mean over the examples: its 1/m is missing here."),
                ("2 * (Y - A2) / m", "The sign is turned round: if an output is too large and grows, does the loss fall?"),
            )),
        )  # fmt: skip
    else:
        ending = (
            Step("A2", "sigma(Z2)", "The sigmoid of each entry.", (("Z2", "You copied Z2: apply the sigmoid to it."),)),
            Step("loss", "-total(Y * log(A2) + (1 - Y) * log(1 - A2)) / m",
                 "Cross-entropy: sum over the outputs, mean over the examples.", (
                ("-total(Y * log(A2) + (1 - Y) * log(1 - A2))", "This is the sum over the examples. The loss is their mean."),
                ("-total(Y * log(A2)) / m", "Where y is 0 the other half of the formula counts: it is missing."),
                ("total((A2 - Y)**2) / m", "This is the squared error. The task uses cross-entropy."),
            )),
            Step("dZ2", "(A2 - Y) / m", "For a sigmoid with cross-entropy the slope of the sigmoid cancels.", (
                ("(A2 - Y)", "The loss is a mean over the examples: its 1/m is missing here."),
                ("(A2 - Y) * A2 * (1 - A2) / m", "The slope of the sigmoid cancels against the loss: it is in here once too often."),
                ("2 * (A2 - Y) / m", "A factor 2 belongs to the squared error, not to cross-entropy."),
                ("(Y - A2) / m", "The sign is turned round: if an output is too large and grows, does the loss fall?"),
            )),
        )  # fmt: skip
    return (
        Step("Z1", "W1 @ X + b1", "Weighted inputs plus bias, one column per example.", (
            ("W1 @ X", "The bias is missing."),
        )),
        Step("A1", ACTIVATION[hidden].format("Z1"), f"{spoken[0].upper()}{spoken[1:]} of each entry.", (
            ("Z1", f"You copied Z1: apply {spoken} to it."),
        )),
        Step("Z2", "W2 @ A1 + b2", "The output layer sees the hidden activations.", (
            ("W2 @ A1", "The bias is missing."),
            ("W2 @ Z1 + b2", "You used Z1. What does the hidden layer send on?"),
        )),
        *ending,
        Step("dW2", "dZ2 @ A1.T", "The error signal times what the weights have seen, added up over the examples.", (
            ("dZ2 @ A1.T * m", "The loss is a mean over the examples: its 1/m is missing here."),
            ("dZ2 @ A1.T / m", "The factor 1/m is in dZ2 already: here it comes once too often."),
            ("dZ2 @ Z1.T", "You used Z1. What is multiplied by W2 in the forward pass?"),
        )),
        Step("db2", "rows(dZ2)", "A bias sees the input 1: add the columns, one per example.", (
            ("rows(dZ2) / m", "The factor 1/m is in dZ2 already: here it comes once too often."),
        )),
        Step("dZ1", f"(W2.T @ dZ2) * {slope}", f"Back through the weights, then through the slope of {spoken}.", (
            ("W2.T @ dZ2", "This is the derivative by A1. The slope of the hidden activation is missing."),
            (f"(W2.T @ dZ2) * {other}", says),
            *((("(W2.T @ dZ2) * Z1 * (1 - Z1)", SLOPE_AT_Z),) if hidden == "sigmoid" else ()),
            *((("(W2.T @ dZ2) * (1 - Z1**2)", "In 1 - a² the a is the value of tanh, not z."),) if hidden == "tanh" else ()),
            *((("(W2.T @ dZ2) * relu(Z1)", "That is ReLU itself. Its slope is 1 or 0."),) if hidden == "relu" else ()),
        )),
        Step("dW1", "dZ1 @ X.T", "The error signal times the inputs, added up over the examples.", (
            ("dZ1 @ X.T * m", "The loss is a mean over the examples: its 1/m is missing here."),
            ("dZ1 @ X.T / m", "The factor 1/m is in dZ2 already: here it comes once too often."),
        )),
        Step("db1", "rows(dZ1)", "Add the columns, one per example.", (
            ("rows(dZ1) / m", "The factor 1/m is in dZ2 already: here it comes once too often."),
        )),
    )  # fmt: skip


def small_network(seed: int | None = None) -> Task:
    """Forward pass, loss and all gradients of a small network with several examples: in code, or on paper."""
    seed = _seed(seed)
    draw = Draw("small_network", seed)
    hidden, loss = draw.one(("sigmoid", "tanh", "relu")), draw.one(("mse", "bce"))
    n_in, n_hidden = draw.one(((2, 3), (3, 2)))
    n_out, m = draw.one(((1, 2), (1, 3), (2, 3)))
    steps = network_steps(hidden, loss)

    def numbers() -> tuple[Arrays, tuple[Step, ...]]:
        signs = (1, -1)
        Y = draw.tenths(n_out, m, low=3, high=15, signs=signs)
        if loss == "bce":
            Y = np.array([[float(draw.one((0, 1))) for _ in range(m)] for _ in range(n_out)])
        return {
            "X": draw.tenths(n_in, m, low=3, high=20, signs=signs), "Y": Y,
            "W1": draw.tenths(n_hidden, n_in, low=3, high=12, signs=signs),
            "b1": draw.tenths(n_hidden, 1, low=1, high=6, signs=signs),
            "W2": draw.tenths(n_out, n_hidden, low=3, high=12, signs=signs),
            "b2": draw.tenths(n_out, 1, low=1, high=6, signs=signs), "m": np.array(float(m)),
        }, steps  # fmt: skip

    def fits(v: Arrays) -> bool:
        calm = np.all(np.abs(v["Z1"]) < 2.495) and np.all(np.abs(v["Z2"]) < 2.495)
        away = np.all(np.abs(v["Z1"]) > 0.105) and np.all(np.abs(v["Z2"]) > 0.05) and np.all(np.abs(v["A2"] - v["Y"]) > 0.1)
        active = hidden != "relu" or (np.any(v["Z1"] < 0) and np.all(np.any(v["Z1"] > 0, axis=1)))
        gradients = [v[name] for name in ("dW1", "db1", "dW2", "db2")]
        felt = all(np.all(np.abs(g) > 0.005) and np.all(np.abs(g) > 0.02 * np.max(np.abs(g))) for g in gradients)
        return bool(calm and away and active and felt and (loss == "mse" or 0 < np.mean(v["Y"]) < 1))

    given, steps = _until(numbers, fits)
    truth = network_truth(given, hidden, "linear" if loss == "mse" else "sigmoid", loss)
    spoken = {"sigmoid": "a sigmoid", "tanh": "a tanh", "relu": "a ReLU"}[hidden]
    ending = {
        "mse": "a **linear** output and the **mean squared error**: the mean over the examples of the sum over the "
        "outputs of (a - y)², with no factor 1/2",
        "bce": "a **sigmoid** output and **cross-entropy**: the mean over the examples of the sum over the outputs of "
        "-(y ln a + (1 - y) ln(1 - a))",
    }[loss]
    intro = (
        f"{n_in} inputs, **{spoken} layer** of {n_hidden} units, {n_out} output{'s' * (n_out > 1)}, {m} examples, one "
        f"**column** each. The network has {ending}.\n\n"
        "Every gradient is that of the mean loss, so `dZ2` and `dZ1` carry the 1/m already. The numbers are in "
        '`task.given`: `W1 = task.given["W1"]` and so on. Write code, or take pen and paper.'
    )
    table = {
        "X": "inputs", "Y": "targets", "W1": "hidden weights", "b1": "hidden biases",
        "W2": "output weights", "b2": "output biases",
    }  # fmt: skip
    found = {step.name: truth[step.name] for step in steps}
    return Task("small_network", seed, intro, table, given, steps, found, as_lists=False)


# --- Estimates of vanishing gradients -------------------------------------------------------------------------------


VANISHING_STEPS = (
    Step("max_slope", "outer * inner", "The chain rule: the outer factor, times the slope of the function, times the "
         "inner factor. It is steepest at z = 0, where the function alone has slope 1.", (
        ("outer", "The inner factor is missing: differentiate what is inside as well."),
        ("inner", "The outer factor is missing."),
        ("inner + outer", "The factors of the chain rule are multiplied."),
    )),
    Step("bounds", "start * max_slope * (weight * max_slope)**k",
         "One slope leads from the output to the last layer; each further layer costs one weight and one slope.", (
        ("start * (weight * max_slope)**k", "From the output to z of the last layer there is one slope already."),
        ("start * max_slope**(k + 1)", "The weights are missing: between two layers there is one."),
        ("start * (weight * max_slope)**(k + 1)", "Above the last layer there is no weight, only a slope."),
        ("max_slope * (weight * max_slope)**k", "The gradient does not start at 1 here."),
    )),
    Step("at_input", "start * (weight * max_slope)**depth", "From layer 1 to the input there is one more weight.", (
        ("start * max_slope * (weight * max_slope)**(depth - 1)", "From layer 1 to the input there is one more weight."),
        ("start * (weight * max_slope)**(depth + 1)", "There is no activation between layer 1 and the input."),
    )),
    Step("layers_needed", "floor(log(threshold / start) / log(weight * max_slope)) + 1",
         "The first whole number for which the bound at the input is below the threshold.", (
        ("floor(log(threshold / start) / log(weight * max_slope))", "With so many layers the bound is still a little above."),
        ("floor(log(threshold) / log(weight * max_slope)) + 1", "The gradient does not start at 1 here."),
    ), figures=9),
    Step("weight_needed", "1 / max_slope", "Weight times slope must make 1.", (
        ("max_slope + 0", "Weight times slope must make 1."),
        ("start / max_slope", "Where it starts does not matter: nothing must be lost from layer to layer."),
    )),
    Step("mean_factor", "share + (1 - share) * leak", "The average of the slopes 1 and the small one.", (
        ("share + 0", "The other units let a little through: their slope is not 0."),
        ("(1 + leak) / 2", "Not half of the units are active: weigh the two slopes by their shares."),
    )),
    Step("mean_sizes", "start * mean_factor**(k + 1)", "One factor per layer.", (
        ("start * mean_factor**k", "The first layer multiplies as well."),
        ("mean_factor**(k + 1)", "The gradient does not start at 1 here."),
    )),
    Step("rms_factor", "sqrt(share + (1 - share) * leak**2)",
         "Square the slopes first, then average, then take the root.", (
        ("share + (1 - share) * leak**2", "The root is missing."),
        ("share + (1 - share) * leak", "That is the mean. Square the slopes first, then average, then take the root."),
        ("sqrt(share)", "The other units let a little through: their slope is not 0."),
        ("sqrt(share + (1 - share) * leak)", "The small slope must be squared too."),
    )),
    Step("rms_sizes", "start * rms_factor**(k + 1)", "One factor per layer.", (
        ("start * rms_factor**k", "The first layer multiplies as well."),
        ("rms_factor**(k + 1)", "The gradient does not start at 1 here."),
    )),
)  # fmt: skip


def vanishing_gradients(seed: int | None = None) -> Task:
    """How much of a gradient is left after several layers: a bound for a chain, and the mean for wide layers."""
    import sympy as sp

    seed = _seed(seed)
    draw = Draw("vanishing_gradients", seed)

    def numbers() -> tuple[Arrays, tuple[Step, ...]]:
        depth = draw.one((3, 4, 6))
        return {
            "outer": np.array(draw.one((0.5, 0.8, 1.5, 2.0))), "inner": np.array(draw.one((0.3, 0.4, 0.6, 0.7))),
            "depth": np.array(float(depth)), "weight": np.array(draw.one((0.6, 0.8, 1.2, 1.5))),
            "start": np.array(draw.one((0.5, 2.0, 3.0, 4.0))), "threshold": np.array(draw.one((1e-2, 1e-3, 1e-4))),
            "share": np.array(draw.one((0.3, 0.4, 0.6, 0.7, 0.8))), "leak": np.array(draw.one((0.1, 0.2, 0.3))),
            "k": np.arange(depth, dtype=float),
        }, VANISHING_STEPS  # fmt: skip

    def fits(v: Arrays) -> bool:
        per_layer = v["weight"] * v["max_slope"]
        layers = np.log(v["threshold"] / v["start"]) / np.log(per_layer)
        return bool(0.2 < per_layer < 0.7 and 0.1 < layers % 1 < 0.9 and 4 < layers < 9 and v["max_slope"] != 1)

    given, steps = _until(numbers, fits)
    function = draw.one(("tanh", "arctan", "sin"))
    exact = {name: sp.Rational(f"{value.item():g}") for name, value in given.items() if name != "k"}
    z, layers = sp.Symbol("z", real=True), range(int(given["depth"]))
    f = exact["outer"] * {"tanh": sp.tanh, "arctan": sp.atan, "sin": sp.sin}[function](exact["inner"] * z)
    slope = sp.diff(f, z).subs(z, 0)
    start, per_layer = exact["start"], exact["weight"] * slope
    slopes = ((sp.Integer(1), exact["share"]), (exact["leak"], 1 - exact["share"]))
    mean = sum(size * part for size, part in slopes)
    rms = sp.sqrt(sum(size**2 * part for size, part in slopes))
    found = {
        "max_slope": slope,
        "bounds": [start * slope * per_layer**k for k in layers],
        "at_input": start * per_layer ** exact["depth"],
        "layers_needed": sp.floor(sp.log(exact["threshold"] / start) / sp.log(per_layer)) + 1,
        "weight_needed": 1 / slope,
        "mean_factor": mean,
        "mean_sizes": [start * mean ** (k + 1) for k in layers],
        "rms_factor": rms,
        "rms_sizes": [start * rms ** (k + 1) for k in layers],
    }
    truth = {
        name: np.array([float(x) for x in value] if isinstance(value, list) else float(value))
        for name, value in found.items()
    }
    depth, outer, inner = len(layers), number(given["outer"].item()), number(given["inner"].item())
    share, leak = number(100 * given["share"].item()), number(given["leak"].item())
    of_weights, at_output = number(given["weight"].item()), number(given["start"].item())
    intro = f"""**A chain** of {depth} layers with one unit each, f(z) = {outer} {function}({inner} z) in every unit, and weights of
size {of_weights}. At the output the gradient has magnitude {at_output}. How large can it be at most?

- `max_slope`: the largest slope of f.
- `bounds`: {depth} numbers, the bounds for the error signals of layer {depth}, then {depth - 1}, and so on back to layer 1.
- `at_input`: the bound for the derivative by the input, one more weight further.
- `layers_needed`: how many layers it takes until the bound at the input is below {number(given["threshold"].item())}.
- `weight_needed`: the size of the weights for which the bound does not shrink from layer to layer.

**Wide layers** with a leaky ReLU: in each, {share} % of the units are active (slope 1), the others have slope {leak}. The
weights change nothing, and the gradient starts with magnitude {at_output} at every unit.

- `mean_factor`, `rms_factor`: by what one layer multiplies the mean magnitude, and the root-mean-square.
- `mean_sizes`, `rms_sizes`: both after 1, 2, ..., {depth} layers.

Fractions such as 1/3 are welcome, and four significant figures are enough."""
    table = {
        "depth": "layers", "outer": "outer factor of f", "inner": "inner factor of f", "weight": "size of the weights",
        "start": "magnitude at the output", "threshold": "threshold", "share": "share of active units",
        "leak": "slope of the others",
    }  # fmt: skip
    return Task("vanishing_gradients", seed, intro, table, given, steps, truth, as_lists=True)

