"""A notebook as the text of its file: character by character what nbformat writes, without its copies and checks."""

from __future__ import annotations

from collections.abc import Mapping
from json.encoder import encode_basestring
from typing import Any

from nbformat import NotebookNode

_TRANSIENT = ("orig_nbformat", "orig_nbformat_minor", "signature")
"""What nbformat never writes into the metadata of a notebook."""


def text_of(notebook: NotebookNode) -> str:
    """What ``nbformat.writes`` gives for a notebook of format 4, and the end of the last line. Changes nothing."""
    about = {name: value for name, value in notebook.metadata.items() if name not in _TRANSIENT}
    return _json({**notebook, "metadata": about, "cells": [_cell(cell) for cell in notebook.cells]}, "\n") + "\n"


def _cell(cell: NotebookNode) -> dict[str, Any]:
    """A cell with its texts as lists of lines."""
    made = dict(cell)
    if "trusted" in cell.metadata:
        made["metadata"] = {name: value for name, value in cell.metadata.items() if name != "trusted"}
    if isinstance(cell.get("source"), str):
        made["source"] = cell["source"].splitlines(True)
    if "attachments" in cell:
        made["attachments"] = {name: _bundle(held) for name, held in cell["attachments"].items()}
    if cell.cell_type == "code":
        made["outputs"] = [_output(output) for output in cell.outputs]
    return made


def _output(output: Mapping[str, Any]) -> Mapping[str, Any]:
    if output["output_type"] in ("execute_result", "display_data"):
        return {**output, "data": _bundle(output["data"])} if "data" in output else output
    if output["output_type"] == "stream" and isinstance(output["text"], str):
        return {**output, "text": output["text"].splitlines(True)}
    return output


def _bundle(data: Mapping[str, Any]) -> dict[str, Any]:
    def is_text(kind: str) -> bool:
        return kind.startswith("text/") or kind in ("application/javascript", "image/svg+xml")

    return {
        kind: value.splitlines(True) if isinstance(value, str) and is_text(kind) else value
        for kind, value in data.items()
    }


def _json(value: Any, line: str) -> str:
    """``json.dumps`` with sorted keys and an indent of one, for which the standard library has no fast way."""
    if isinstance(value, str):
        return encode_basestring(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return _FLOATS.get(found := float.__repr__(value), found)
    inside = line + " "
    if isinstance(value, Mapping):
        if not value:
            return "{}"
        parts = [f"{inside}{encode_basestring(name)}: {_json(value[name], inside)}" for name in sorted(value)]
        return "{" + ",".join(parts) + line + "}"
    if not isinstance(value, list | tuple):
        raise TypeError(f"a notebook cannot hold a {type(value).__name__}")
    if not value:
        return "[]"
    return "[" + ",".join([inside + _json(one, inside) for one in value]) + line + "]"


_FLOATS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
