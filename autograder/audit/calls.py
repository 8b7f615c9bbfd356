"""What the reference is asked first: the arguments of every function's first call, and what it made of them."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from nbformat import NotebookNode

from autograder.audit.graders import running
from autograder.audit.shams import Call, Function
from autograder.exercise import Exercise
from autograder.in_kernel import ask
from autograder.marking import challenges

Code = Callable[..., Any]

MANY = 400
"""How many entries of an array are written down; more are made by repeating these."""


def first_calls(
    notebook: NotebookNode, exercise: Exercise, root: Path, seed: int, which: Sequence[Function]
) -> dict[str, Call]:
    """The first call of each function of the solved notebook when every probe asks its first challenge."""
    found: dict[str, Call] = {}
    with running(notebook, exercise, root) as names:
        for one in which:
            owner, _, last = one.name.rpartition(".")
            if owner:
                setattr(names[owner], last, _watched(one.name, vars(names[owner])[last], names, found))
            else:
                names[last] = _watched(one.name, names[last], names, found)
        for probe in exercise.probes:
            first, before = challenges(exercise, seed)[probe.name][0], set(found)
            ask(probe, names, first.given)
            found |= {name: replace(found[name], shown=first.shown) for name in set(found) - before}
    return found


def _watched(name: str, function: Code, names: Mapping[str, Any], found: dict[str, Call]) -> Code:
    """The function, which enters its first call."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        if name in found:
            return function(*args, **options)
        bound = signature.bind(*args, **options)
        bound.apply_defaults()
        arguments = {key: _text(value, names) for key, value in bound.arguments.items() if key != "self"}
        called = any(callable(value) or _is_network(value) for key, value in bound.arguments.items() if key != "self")
        found[name] = Call({key: text for key, text in arguments.items() if text}, calls=called)
        owner = vars(args[0]) if args and _is_network(args[0]) else {}
        before = dict(owner)
        returned = function(*args, **options)
        values = {key: value for key, value in owner.items() if value is not before.get(key)}
        values[function.__name__] = returned
        texts = {key: _text(value, names) for key, value in values.items()}
        found[name] = replace(found[name], values={key: text for key, text in texts.items() if text})
        return returned

    return call


def _is_network(value: Any) -> bool:
    return hasattr(value, "forward_pass") and not isinstance(value, type)


def _text(value: Any, names: Mapping[str, Any]) -> str:
    """A value as Python text; empty for what cannot be written down."""
    if isinstance(value, np.random.Generator):
        return "np.random.default_rng(1)"
    if isinstance(value, type) or inspect.isfunction(value):
        return value.__name__ if value.__name__ in names else ""
    if isinstance(value, bool | str) or value is None:
        return repr(value)
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {_text(one, names) or None}' for key, one in value.items())}}}"
    if isinstance(value, list | tuple) and any(np.ndim(one) for one in value if not isinstance(one, dict)):
        return f"[{', '.join(_text(one, names) or 'None' for one in value)}]"
    try:
        array = np.asarray(value)
    except ValueError:
        return ""
    if array.dtype.kind not in "biuf":
        return ""
    if array.size > MANY:
        return f"np.array({_plain(array.ravel()[:MANY].tolist())})"
    return _plain(value if isinstance(value, int | float) else array.tolist(), isinstance(value, np.ndarray))


def _plain(value: Any, array: bool = False) -> str:
    text = re.sub(r"\b(nan|inf)\b", r'float("\1")', repr(value))
    return f"np.array({text})" if array else text
