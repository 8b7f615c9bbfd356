"""Arrays out of files, in the layout of this package: examples in columns, W1, b1, ..., dW1, ...

Files hold one column or one row per example, or the names and the layout of PyTorch. Nothing is ever unpickled.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from autograder.diagnosis.spec import Array

LAYOUTS = ("columns", "rows", "torch")


class BadInput(ValueError):
    """What was given cannot be explained; the message is one sentence that says why."""


def arrays_of(name: str) -> dict[str, Array]:
    """The arrays of one file, as they are in it."""
    if not Path(name).is_file():
        raise BadInput(f"{name}: there is no such file")
    try:
        with np.load(name, allow_pickle=False) as file:
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise BadInput(f"{name}: one array, not an .npz file of named arrays")
            return {key: file[key] for key in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, BadInput):
            raise
        # numpy's own message may advise to unpickle, which must never be done with a file of unknown origin.
        raise BadInput(f"{name}: an .npz file of plain numeric arrays was expected, and this is none") from None
    except TypeError:
        # np.load returns a bare array for an .npy file, which is no context manager.
        raise BadInput(f"{name}: one array was found; an .npz file of named arrays was expected") from None


def same_arrays(loaded: Sequence[tuple[str, Mapping[str, Array]]]) -> None:
    """Raises BadInput when a file, each with its name, lacks what another one has."""
    first_name, first = loaded[0]
    for name, arrays in loaded[1:]:
        if set(arrays) != set(first):
            odd = sorted(set(arrays) ^ set(first))[0]
            has, lacks = (name, first_name) if odd in arrays else (first_name, name)
            raise BadInput(f"{odd} is in {has} but not in {lacks}; every file must hold the same arrays")


def turned(
    name: str, arrays: dict[str, Array], layout: str, names: dict[str, str]
) -> tuple[dict[str, Array], dict[str, tuple[int, ...]]]:
    """The arrays of one file in the layout of this package; their shapes in the file; and, into ``names``, what they
    are called there. Raises BadInput."""
    if layout == "torch":
        arrays = _of_torch(name, arrays, names)
    shapes = {key: value.shape for key, value in arrays.items()}
    turn = {"torch": _torch_columns, "rows": _columns, "columns": _flat_examples}[layout]
    return turn(arrays), shapes


def biases_out(
    name: str, arrays: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]], where: str
) -> tuple[dict[str, Array], dict[str, tuple[int, ...]]]:
    """Biases out of the weights that hold them as their first or last column; X may hold a row of ones for it."""
    found, given = dict(arrays), dict(shapes)
    cut = (slice(1, None), slice(0, 1)) if where == "first" else (slice(None, -1), slice(-1, None))
    weights = [key for key in arrays if _is("W", key)]
    for key in weights:
        core = key.removeprefix("d").removesuffix("_new")
        value = arrays[key]
        if value.ndim != 2 or value.shape[1] < 2:
            raise BadInput(f"{name}: {key} has shape {shapes[key]}; two axes, with room for the bias, were expected")
        if core not in arrays or value.shape != arrays[core].shape:
            raise BadInput(f"{name}: {key} has shape {shapes[key]}; that of {core}, {shapes.get(core)}, was expected")
        bias = key.replace("W", "b", 1)
        if bias in arrays:
            raise BadInput(f"{name}: {bias} is given, although --bias-in-weights says that it is in {key}")
        found[key], found[bias] = value[:, cut[0]], value[:, cut[1]]
        given.pop(key, None)
    x = found.get("X")
    if x is not None and x.ndim == 2 and "W1" in found and len(x) == found["W1"].shape[1] + 1:
        row = x[cut[1]]
        if not np.array_equal(row, np.ones_like(row)):
            raise BadInput(f"{name}: X has as many features as W1 has columns, and no ones where the bias is")
        found["X"] = x[cut[0]]
    return found, given


_SHAPES = re.compile(r"(?P<name>\w+) has shape \(.*?\); \((?P<due>.*?)\) was expected.*")


def in_layout(message: str, layout: str, shapes: Mapping[str, tuple[int, ...]]) -> str:
    """A message about shapes, with those of the file; the one that is due is turned as the file's arrays are."""
    match = _SHAPES.fullmatch(message)
    if layout == "columns" or match is None:
        return message if layout == "columns" else message.replace("one column per", "one row per")
    name, due = match["name"], [part.strip() for part in match["due"].split(",") if part.strip()]
    flat = name[0] == "b" and len(shapes.get(name, ())) == 1
    if flat:
        due = due[:1]
    elif _is("A", name) or layout == "rows":
        due = due[::-1]
    written = f"({due[0]},)" if len(due) == 1 else f"({', '.join(due)})"
    return f"{name} has shape {shapes.get(name, '?')}; {written} was expected"


def _is(kind: str, key: str) -> bool:
    """Whether an array is a weight, a bias, or a gradient or update of one; or, for "A", a matrix of examples."""
    core = key.removeprefix("d").removesuffix("_new")
    if kind == "A":
        return key in ("X", "Y") or (key.rstrip("0123456789") in ("Z", "A", "mask") and key[-1].isdigit())
    return core.rstrip("0123456789") == kind and core != kind


def _columns(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """From one row per example to one column per example."""
    turned = {}
    for key, value in arrays.items():
        if _is("A", key):
            turned[key] = value.reshape(-1, 1).T if value.ndim == 1 else value.T
        elif _is("W", key):
            turned[key] = value.T
        elif _is("b", key) or _is("gamma", key) or _is("beta", key):
            turned[key] = value.reshape(-1, 1) if value.ndim == 1 else value.T
        else:
            turned[key] = value
    return turned


_TORCH = re.compile(r"(?P<module>.*?)\.?(?P<kind>weight|bias)(?P<grad>[._]grad)?(?P<new>_new)?")


def _of_torch(name: str, arrays: Mapping[str, Array], names: dict[str, str]) -> dict[str, Array]:
    """From the names of PyTorch: layers in the order of the file, targets or classes. ``names`` are filled."""
    found: dict[str, Array] = {}
    layers: dict[str, int] = {}
    for key, value in arrays.items():
        match = _TORCH.fullmatch(key)
        if match is None:
            found[key] = value
            continue
        if match["grad"] and match["new"]:
            raise BadInput(f"{name}: {key} is a gradient and an updated parameter at once; one of the two was expected")
        layer = layers.setdefault(match["module"], len(layers) + 1)
        letter = "W" if match["kind"] == "weight" else "b"
        ours = f"{'d' if match['grad'] else ''}{letter}{layer}{match['new'] or ''}"
        found[ours], names[ours] = value, key
    if layers and f"W{len(layers)}" in found:
        outputs = found[f"W{len(layers)}"].shape[0]
        y = found.get("Y")
        if y is not None and y.ndim == 1 and outputs > 1 and y.dtype.kind in "iub":
            if y.min(initial=0) < 0 or y.max(initial=0) >= outputs:
                raise BadInput(f"{name}: Y holds classes from {y.min()} to {y.max()}; 0 to {outputs - 1} were expected")
            found["Y"] = np.eye(outputs)[y.astype(int)]
    return found


def _torch_columns(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Examples in columns; weights are (out, in) already."""
    return {
        key: value if not _is("A", key) else value.reshape(1, -1) if value.ndim == 1 else value.T
        for key, value in arrays.items()
    }


def _flat_examples(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """One number per example may be a flat vector."""
    flat = {key: arrays[key].reshape(1, -1) for key in ("X", "Y") if key in arrays and arrays[key].ndim == 1}
    return {**arrays, **flat}
