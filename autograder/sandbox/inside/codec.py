"""Plain values as bytes, and bytes as plain values, with nothing executable in between.

Both sides use this module: the isolated side to write answers, the trusted side to read them. The trusted side believes
nothing: every length, depth, count, dtype and shape is checked before memory is taken for it, and the only failure is
`BadValue`. There is no pickle, no eval and no object dtype anywhere.
"""

from __future__ import annotations

import contextlib
import math
import struct
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgpack
import numpy as np

from . import shapes

MAX_DEPTH = 6  # containers inside containers, the outermost included
MAX_ITEMS = 20_000  # values in one message, containers included
MAX_TEXT = 100_000  # characters in one string
MAX_KEY = 200  # characters in one name
MAX_REASON = 400  # bytes of the reason why a value is unreadable
MAX_DIMENSIONS = 8

_ARRAY, _SCALAR, _UNREADABLE = 1, 2, 3

#: The code on the wire is the position in this table; append only.
DTYPES = tuple(
    np.dtype(name)
    for name in (
        "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
        "float16", "float32", "float64", "complex128",
    )
)  # fmt: skip
_CODES = {dtype: code for code, dtype in enumerate(DTYPES)}


class BadValue(ValueError):
    """A value that may not cross the border, with the reason in words that a student can read."""


class TooMuch(BadValue):
    """A value that holds more values than may cross."""


class NoDict(TypeError):
    """A probe has given something else than a dict of values."""


class Unreadable(str):
    """Stands in an answer where a value stood that may not cross the border; its text says what that was."""

    __slots__ = ()

    @property
    def problem(self) -> str:
        """Why there is no value, as the end of a sentence about it."""
        return str(self)


def plain(value: object, name: str = "the answer") -> Any:
    """Copy `value` into exact built-in types and base arrays; numpy scalars become 0-d arrays,
    fractions and sympy numbers floats, what is made to become an array (a sympy matrix, a table) one, `...` None.

    Subclasses lose everything that they override. Raises BadValue, naming the offending part, when something is neither
    a number, text, nothing, an array of numbers, nor a dict or list of those.
    """
    return _plain(value, name, 1, [0], _refuse)


def readable(values: dict[str, Any]) -> dict[str, Any]:
    """Copy an answer value by value, as `plain` does; what may not cross becomes Unreadable and costs nothing else.

    An exception in the place of a value says itself why there is none.
    """
    found: dict[str, Any] = {}
    for name, value in values.items():
        try:
            found[name] = _plain(value, "it", 2, [0], Unreadable)
        except TooMuch:
            found[name] = Unreadable(f"it holds more than {MAX_ITEMS} values")
        except BadValue as problem:
            found[name] = Unreadable(problem)
    return found


def gather(found: object, values: dict[str, Any]) -> None:
    """Add what a probe returns, a dict, to values; of a generator each part at once, when it is yielded.

    So code that runs later cannot change a part, and what was yielded before an error is there. Raises NoDict, and
    whatever a generator raises.
    """
    for part in found if isinstance(found, Iterator) else (found,):
        if not isinstance(part, dict):
            raise NoDict("a probe gives dicts")
        values.update(readable(part))


Otherwise = Callable[[str], Any]
"""What becomes of a part that may not cross, given the reason: refused as a whole, or left out by itself."""


def _refuse(problem: str) -> Any:
    raise BadValue(problem)


def _part(value: object, name: str, depth: int, count: list[int], otherwise: Otherwise) -> Any:
    try:
        return _plain(value, name, depth, count, otherwise)
    except TooMuch:
        raise
    except BadValue as problem:
        return otherwise(str(problem))


def _plain(value: object, name: str, depth: int, count: list[int], otherwise: Otherwise) -> Any:
    count[0] += 1
    if count[0] > MAX_ITEMS:
        raise TooMuch(f"{name} holds more than {MAX_ITEMS} values")
    if value is None or value is True or value is False or value is Ellipsis:
        return None if value is Ellipsis else value
    kind = type(value)
    if issubclass(kind, np.generic | np.ndarray):
        return _plain_array(value, name)
    if issubclass(kind, int):
        number = int.__pos__(value)  # type: ignore[arg-type]
        if not -(2**63) <= number < 2**64:
            raise BadValue(f"{name} is a whole number of more than 64 bits")
        return number
    if issubclass(kind, float):
        return float.__pos__(value)  # type: ignore[arg-type]
    if issubclass(kind, complex):
        return np.array(complex.__pos__(value))  # type: ignore[arg-type]
    if issubclass(kind, str):
        return _plain_text(str.__str__(value), name)
    if issubclass(kind, dict | list | tuple) and depth > MAX_DEPTH:
        raise BadValue(f"{name} is nested deeper than {MAX_DEPTH} levels")
    if issubclass(kind, dict):
        result: dict[str, Any] = {}
        entries: list[tuple[object, object]] = list(dict.items(value))  # type: ignore[arg-type]
        for key, item in entries:
            if not isinstance(key, str) or len(key) > MAX_KEY:
                raise BadValue(f"{name} has a key that is not a short text")
            key = _plain_text(str.__str__(key), name)
            part = f"`{key}`" if depth == 1 else _entry(name, repr(key))
            result[key] = _part(item, part, depth + 1, count, otherwise)
        return result
    if issubclass(kind, list | tuple):
        every: Any = list if issubclass(kind, list) else tuple
        items: Iterator[object] = every.__iter__(value)
        return [_part(item, _entry(name, str(n)), depth + 1, count, otherwise) for n, item in enumerate(items)]
    if issubclass(kind, Exception):
        raise BadValue(_said(value))
    if hasattr(kind, "__array__"):
        return _plain_array(_as_array(value, name), name)
    if hasattr(kind, "__float__"):
        return _rounded(value, name)
    raise BadValue(_no_number(value, name))


def _entry(name: str, key: str) -> str:
    return f"its entry [{key}]" if name == "it" else f"{name}[{key}]"


def _said(error: Any) -> str:
    """What an exception says; a probe puts one in the place of a value that it cannot give.

    One that the student's code has raised comes with a traceback, and is told as such.
    """
    try:
        text = str(error).strip()
        if error.__traceback__ is None:
            return text
        frames = traceback.extract_tb(error.__traceback__)
        text = shapes.in_words(text, frames[-1], error) if isinstance(error, ValueError) else text
        ours = ("<probe", sys.prefix, sys.base_prefix)
        own = [frame for frame in frames if not frame.filename.startswith(ours)]
        told = f"your code raised {type(error).__name__}" + (f": {text}" if text else "")
        return f"{told} ({place(own[-1])})" if own else told
    except Exception:
        return _no_number(error, "it")


def place(frame: traceback.FrameSummary) -> str:
    """Where an exception came from: the function, the line and its text."""
    where = "" if frame.name == "<module>" else f"`{frame.name}`, "
    return f"{where}line {frame.lineno}" + (f": `{frame.line[:160]}`" if frame.line else "")


def _no_number(value: object, name: str) -> str:
    return f"{name} is {_described(value)}, not a number or an array of numbers"


def _as_array(value: object, name: str) -> np.ndarray:
    """What says that it can become an array, as one."""
    try:
        return np.array(value)
    except Exception:  # whatever its own conversion raises
        raise BadValue(_no_number(value, name)) from None


def _rounded(value: object, name: str) -> float:
    """A number of another kind, such as a fraction or a sympy number, as the nearest float."""
    try:
        return float.__pos__(float(value))  # type: ignore[arg-type]
    except Exception:  # whatever its own conversion raises
        raise BadValue(_no_number(value, name)) from None


def _plain_text(text: str, name: str) -> str:
    if len(text) > MAX_TEXT:
        raise BadValue(f"{name} is a text of more than {MAX_TEXT} characters")
    return text.encode("utf-8", "backslashreplace").decode()


def _plain_array(value: object, name: str) -> np.ndarray:
    array = np.array(value, copy=True, subok=False, order="C")
    if array.dtype.hasobject:
        rows = [item for item in array.ravel()[:50] if isinstance(item, list | tuple | np.ndarray)]
        if rows:
            raise BadValue(f"{name} is a list of rows of different length, not an array of numbers")
        if array.size <= MAX_ITEMS and all(hasattr(type(item), "__float__") for item in array.flat):
            return np.array([_rounded(item, name) for item in array.flat], dtype=float).reshape(array.shape)
        raise BadValue(f"{name} is an array of Python objects (dtype object), not of numbers")
    base = array.dtype.newbyteorder("=")
    if base == np.longdouble and base not in _CODES:  # more digits than are marked
        base = np.dtype("float64")
    if base not in _CODES:
        raise BadValue(f"{name} has the dtype {str(array.dtype)[:40]}, not an ordinary number type such as float64")
    if array.ndim > MAX_DIMENSIONS:
        raise BadValue(f"{name} has {array.ndim} dimensions")
    with np.errstate(over="ignore"):
        return array.astype(base, copy=False)


def _described(value: object) -> str:
    kind = type(value).__name__[:60]
    if kind in ("function", "method", "builtin_function_or_method"):
        return "a function (was it not called?)"
    return f"{'an' if kind[:1].lower() in 'aeiou' else 'a'} {kind}"


def encode(value: object, *, max_bytes: int) -> bytes:
    """Write a value as bytes. Arrays keep dtype and shape; numpy scalars stay scalars.

    Raises BadValue when the value is not plain (see `plain`) or takes more than `max_bytes`.
    """
    try:
        data: bytes = msgpack.packb(value, default=_pack_special, use_bin_type=True, strict_types=True)
    except BadValue:
        raise
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise BadValue(f"not a plain value: {str(error)[:200]}") from None
    if len(data) > max_bytes:
        raise BadValue(f"the value takes {len(data)} bytes, more than the limit of {max_bytes}")
    return data


def encode_answer(values: dict[str, Any], *, max_bytes: int) -> bytes:
    """Write what `readable` gave, without the largest values where all together are too much."""
    values = dict(values)
    with contextlib.suppress(BadValue):
        if 1 + sum(map(_items, values.values())) <= MAX_ITEMS:
            return encode(values, max_bytes=max_bytes)
    bytes_left, items_left = max_bytes, MAX_ITEMS - 1
    for name in sorted(values, key=lambda name: _bytes(values[name])):
        size, items = len(name) + 5 + _bytes(values[name]), _items(values[name])
        if size > bytes_left - MAX_REASON or items > items_left:
            values[name] = Unreadable(_too_large(values[name]))
            size, items = len(name) + 5 + _bytes(values[name]), 1
        bytes_left, items_left = bytes_left - size, items_left - items
    return encode(values, max_bytes=max_bytes)


def _too_large(value: object) -> str:
    what = f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else f"{_items(value)} values"
    return f"it is far larger than anything that is asked for: {what}"


def _items(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(_items, inner))


def _bytes(value: object) -> int:
    return value.nbytes + 100 if isinstance(value, np.ndarray) else len(encode(value, max_bytes=1 << 62))


def _pack_special(value: object) -> msgpack.ExtType:
    if isinstance(value, Unreadable):
        return msgpack.ExtType(_UNREADABLE, value.encode("utf-8", "backslashreplace")[:MAX_REASON])
    if not isinstance(value, np.ndarray | np.generic):
        raise BadValue(f"not a plain value: {_described(value)}")
    array = _plain_array(value, "the value")
    head = struct.pack(f">BB{array.ndim}Q", _CODES[array.dtype], array.ndim, *array.shape)
    data = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    return msgpack.ExtType(_ARRAY if isinstance(value, np.ndarray) else _SCALAR, head + data)


def decode(
    data: bytes, *, max_bytes: int, max_depth: int = MAX_DEPTH, max_text: int = MAX_TEXT, max_items: int = MAX_ITEMS
) -> Any:
    """Read a value that `encode` wrote, believing nothing. Raises BadValue, and nothing else, for anything unfit."""
    if len(data) > max_bytes:
        raise BadValue(f"{len(data)} bytes, more than the limit of {max_bytes}")
    _count(data, max_depth, max_items)
    try:
        value = msgpack.unpackb(
            data,
            ext_hook=_unpack_special,
            raw=False,
            strict_map_key=True,
            use_list=True,
            max_str_len=min(4 * max_text, max_bytes),
            max_bin_len=max_bytes,
            max_array_len=max_items,
            max_map_len=max_items,
            max_ext_len=max_bytes,
        )
    except BadValue:
        raise
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException) as error:
        raise BadValue(f"undecodable: {type(error).__name__}") from None
    _check(value, max_depth, max_text, max_items)
    return value


#: For each first byte of a value in msgpack: bytes of the length or count that follows, fixed bytes that follow, the
#: values inside for each of that count (a map has two), and the count that the byte itself holds.
_HEADS: dict[int, tuple[int, int, int, int]] = {
    **dict.fromkeys((*range(0x80), *range(0xE0, 0x100), 0xC0, 0xC2, 0xC3), (0, 0, 0, 0)),
    **{0x80 + n: (0, 0, 2, n) for n in range(16)},
    **{0x90 + n: (0, 0, 1, n) for n in range(16)},
    **{0xA0 + n: (0, n, 0, 0) for n in range(32)},
    **{byte: (size, 0, 0, 0) for byte, size in ((0xC4, 1), (0xC5, 2), (0xC6, 4), (0xD9, 1), (0xDA, 2), (0xDB, 4))},
    **{byte: (size, 1, 0, 0) for byte, size in ((0xC7, 1), (0xC8, 2), (0xC9, 4))},
    **{byte: (0, size, 0, 0) for byte, size in ((0xCA, 4), (0xCB, 8), *((0xCC + n, 1 << n) for n in range(4)))},
    **{0xD0 + n: (0, 1 << n, 0, 0) for n in range(4)},
    **{0xD4 + n: (0, 1 + (1 << n), 0, 0) for n in range(5)},
    **{byte: (size, 0, 1, 0) for byte, size in ((0xDC, 2), (0xDD, 4))},
    **{byte: (size, 0, 2, 0) for byte, size in ((0xDE, 2), (0xDF, 4))},
}


def _count(data: bytes, max_depth: int, max_items: int) -> None:
    """Count the values in a message and how deep they are nested, before anything is made of them.

    An empty list is one byte here and sixty in Python, and a header may announce what never comes. Raises BadValue.
    """
    at, count, left = 0, 0, [1]  # for each container that is open, how many values it still lacks
    while left:
        if not left[-1]:
            left.pop()
            continue
        left[-1] -= 1
        count += 1
        head = _HEADS.get(data[at]) if at < len(data) else None
        if head is None:
            raise BadValue("undecodable: cut short, or of an unknown kind")
        size, fixed, each, inside = head
        length = int.from_bytes(data[at + 1 : at + 1 + size], "big")
        at += 1 + size + fixed
        if not each:
            at += length
            continue
        inside = each * (length + inside)
        if count + inside > max_items * 2:
            raise BadValue(f"more than {max_items} values")
        if len(left) > max_depth:
            raise BadValue(f"nested deeper than {max_depth}")
        left.append(inside)
    if at != len(data) or count > max_items * 2:
        raise BadValue("undecodable: cut short, or longer than it says" if at != len(data) else "too many values")


def _unpack_special(code: int, data: bytes) -> np.ndarray | np.generic | Unreadable:
    if code == _UNREADABLE:
        return Unreadable(data[:MAX_REASON].decode("utf-8", "replace"))
    if code not in (_ARRAY, _SCALAR) or len(data) < 2:
        raise BadValue("unknown kind of value")
    kind, dimensions = data[0], data[1]
    if kind >= len(DTYPES) or dimensions > MAX_DIMENSIONS or len(data) < 2 + 8 * dimensions:
        raise BadValue("bad array header")
    shape = struct.unpack_from(f">{dimensions}Q", data, 2)
    dtype = DTYPES[kind]
    body = data[2 + 8 * dimensions :]
    if any(size >= 2**31 for size in shape) or math.prod(shape) * dtype.itemsize != len(body):
        raise BadValue("bad shape")
    if dtype == np.bool_:  # a byte other than 0 and 1 would be a bool that is neither true nor false
        array: np.ndarray = (np.frombuffer(body, np.uint8) != 0).reshape(shape)
    else:
        array = np.frombuffer(body, dtype.newbyteorder("<")).astype(dtype).reshape(shape)
    if code == _ARRAY:
        return array
    number: np.generic = array.reshape(-1)[0]
    return number


def _check(value: Any, max_depth: int, max_text: int, max_items: int) -> None:
    count = 0
    stack = [(value, 1)]
    while stack:
        item, depth = stack.pop()
        count += 1
        if count > max_items:
            raise BadValue(f"more than {max_items} values")
        if isinstance(item, dict | list) and depth > max_depth:
            raise BadValue(f"nested deeper than {max_depth}")
        if isinstance(item, dict):
            for key, inner in item.items():
                if not isinstance(key, str) or len(key) > MAX_KEY:
                    raise BadValue("a key is not a short text")
                stack.append((inner, depth + 1))
        elif isinstance(item, list):
            stack.extend((inner, depth + 1) for inner in item)
        elif isinstance(item, str):
            if len(item) > max_text:
                raise BadValue(f"a text of more than {max_text} characters")
        elif isinstance(item, msgpack.Timestamp):
            raise BadValue("unknown kind of value")


def values_of(data: bytes, *, max_bytes: int) -> dict[str, Any]:
    """Read an answer: a dict of names to values, scalars as 0-d arrays. Raises BadValue."""
    value = decode(data, max_bytes=max_bytes)
    if not isinstance(value, Mapping):
        raise BadValue("an answer is a dict of names to values")
    return {name: _scalars_as_arrays(item) for name, item in value.items()}


def _scalars_as_arrays(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _scalars_as_arrays(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_scalars_as_arrays(item) for item in value]
    return np.asarray(value) if isinstance(value, np.generic) else value
