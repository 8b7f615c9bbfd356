"""Outputs and cell frames from the isolated side, rebuilt field by field into valid nbformat v4 outputs."""

from __future__ import annotations

import math
from typing import Any

from .inside.codec import BadValue


def valid_outputs(outputs: Any) -> list[dict[str, Any]]:
    """Return a fresh copy with the known fields only. Raises BadValue for anything that is not an nbformat output."""
    if not isinstance(outputs, list):
        raise BadValue("outputs are not a list")
    return [_valid(output) for output in outputs]


def _valid(output: Any) -> dict[str, Any]:
    kind = _field(output, "output_type", str)
    if kind == "stream":
        name = _field(output, "name", str)
        if name not in ("stdout", "stderr"):
            raise BadValue("unknown stream")
        return {"output_type": kind, "name": name, "text": _field(output, "text", str)}
    if kind == "error":
        lines = _field(output, "traceback", list)
        if not all(isinstance(line, str) for line in lines):
            raise BadValue("a traceback is not a list of texts")
        fields = {name: _field(output, name, str) for name in ("ename", "evalue")}
        return {"output_type": kind, **fields, "traceback": lines}
    if kind not in ("display_data", "execute_result"):
        raise BadValue("unknown kind of output")
    bundle = {"output_type": kind, **valid_bundle(output)}
    if kind == "execute_result":
        bundle["execution_count"] = _field(output, "execution_count", int)
    return bundle


def valid_bundle(output: Any) -> dict[str, Any]:
    """Return the data and metadata of a display. Raises BadValue."""
    data, metadata = _field(output, "data", dict), _field(output, "metadata", dict)
    for mime, item in data.items():
        # nbformat lets only JSON types hold anything but text
        if not isinstance(item, str) and not (mime == "application/json" or mime.endswith("+json")):
            raise BadValue("a display's data is not text")
    _check_json([data, metadata])
    return {"data": data, "metadata": metadata}


def _check_json(value: Any) -> None:
    """Refuse what a notebook's file cannot hold: bytes and arrays, which frames can carry, and NaN."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
        elif isinstance(item, float) and not math.isfinite(item):
            raise BadValue("a display holds a number that is none")
        elif item is not None and not isinstance(item, str | int | float):
            raise BadValue("a display holds something that is not JSON")


def note(name: str, message: str) -> dict[str, Any]:
    """An error output in our own words."""
    return {"output_type": "error", "ename": name, "evalue": message, "traceback": [message]}


def _field(record: Any, name: str, kind: type) -> Any:
    if not isinstance(record, dict) or not isinstance(record.get(name), kind) or isinstance(record.get(name), bool):
        raise BadValue(f"`{name}` is missing or of the wrong kind")
    return record[name]
