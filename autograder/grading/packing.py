"""What came back of a run as compressed plain data: so the journal keeps it, and so it travels from a worker."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from autograder.sandbox import Answer, CellResult, Outcome
from autograder.sandbox.inside import codec

MAX_ENTRY = 1 << 28
MAX_ITEMS = 5_000_000


def pack(outcome: Outcome) -> bytes:
    """An outcome as bytes. Raises codec.BadValue for one that is too large."""
    return zlib.compress(codec.encode({"outcome": _outcome(outcome)}, max_bytes=MAX_ENTRY), 1)


def unpack(data: bytes) -> Outcome:
    """The outcome again. No code is in the bytes and none is loaded. Raises ValueError when they are damaged."""
    try:
        return _outcome_from(codec.decode(
            zlib.decompress(data), max_bytes=MAX_ENTRY, max_depth=40, max_text=MAX_ENTRY, max_items=MAX_ITEMS
        )["outcome"])  # fmt: skip
    except (codec.BadValue, zlib.error, KeyError, TypeError) as error:
        raise ValueError(f"what came back of a run is damaged ({error})") from None


def plain_answers(outcome: Outcome) -> dict[str, list[dict[str, Any]]]:
    """The answers of a run as dicts, lists and values that may cross the border."""
    return {name: [_answer(answer) for answer in answers] for name, answers in outcome.answers.items()}


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "status": answer.status,
        "values": dict(answer.values),
        "message": answer.message,
        "traceback": answer.traceback,
        "changed_inputs": list(answer.changed_inputs),
        "warnings": list(answer.warnings),
        "earlier": {cell: _answer(earlier) for cell, earlier in answer.earlier.items()},
    }


def _answer_from(record: Mapping[str, Any]) -> Answer:
    fields = {name: tuple(record[name]) for name in ("changed_inputs", "warnings")}
    earlier = {cell: _answer_from(answer) for cell, answer in record["earlier"].items()}
    return Answer(**{**record, **fields, "earlier": earlier})


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "cells": [
            {
                "id": cell.id,
                "status": cell.status,
                "outputs": cell.outputs,
                "execution_count": cell.execution_count,
                "message": cell.message,
                "seconds": cell.seconds,
            }
            for cell in outcome.cells
        ],
        "answers": plain_answers(outcome),
        "level": outcome.level,
        "seconds": outcome.seconds,
        "peak_memory": outcome.peak_memory,
        "reruns": outcome.reruns,
    }


def _outcome_from(record: Mapping[str, Any]) -> Outcome:
    return Outcome(
        cells=tuple(CellResult(**cell) for cell in record["cells"]),
        answers={name: tuple(map(_answer_from, answers)) for name, answers in record["answers"].items()},
        level=record["level"],
        seconds=record["seconds"],
        peak_memory=record["peak_memory"],
        reruns=record["reruns"],
    )
