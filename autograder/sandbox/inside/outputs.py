"""What a cell prints and draws: ordinary notebook outputs in the order in which they were produced, up to a limit."""

from __future__ import annotations

import base64
from typing import Any

import msgpack
import numpy as np

OUTPUT_COST, PART_COST = 500, 20


class OutputLimit(BaseException):
    """The cell has printed and drawn more than it may. Not an Exception, so that `except Exception` does not eat it."""


class StdinRefused(RuntimeError):
    """`input()` and its like: nobody is there to answer."""


class Collector:
    """The outputs of the cell that is running, as nbformat v4 dicts in the order of their production."""

    def __init__(self) -> None:
        """Start empty, and without a limit until `begin` gives one."""
        self.outputs: list[dict[str, Any]] = []
        self.updates: list[dict[str, Any]] = []
        self._keep = False
        self._cell = 0
        self._room = 1 << 20
        self._clear_next = False
        self._displays: dict[str, list[tuple[int, int]]] = {}

    def begin(self, cell: int, room: int, *, keep: bool = True) -> None:
        """Start a cell (or, with `keep=False`, code whose output is only counted) that may produce `room` bytes."""
        self.outputs, self.updates = [], []
        self._cell, self._room, self._keep, self._clear_next = cell, room, keep, False

    @property
    def room(self) -> int:
        """Bytes that may still be produced."""
        return self._room

    def _take(self, size: int) -> None:
        if size > self._room:
            self._room = 0
            raise OutputLimit
        self._room -= size

    def _before_output(self) -> None:
        if self._clear_next:
            self._clear()

    def _clear(self) -> None:
        self._clear_next = False
        self.outputs.clear()
        for places in self._displays.values():
            places[:] = [place for place in places if place[0] != self._cell]

    def stream(self, name: str, text: str) -> None:
        """Add printed text; what follows text of the same stream is joined to it, as notebooks do."""
        if not text:
            return
        text = text.encode("utf-8", "backslashreplace").decode() if not text.isascii() else text
        kept = text if len(text) <= self._room else text[: self._room]
        if kept and self._keep:
            self._before_output()
            if self.outputs and self.outputs[-1].get("name") == name:
                self.outputs[-1]["parts"].append(kept)
            else:
                self.outputs.append({"output_type": "stream", "name": name, "parts": [kept]})
        self._take(len(text))

    def display(
        self, kind: str, data: dict[str, Any], metadata: dict[str, Any] | None, *, display_id: object = None,
        update: bool = False, execution_count: int | None = None,
    ) -> None:  # fmt: skip
        """Add (or, with `update`, replace) a rich output."""
        bundle = {"data": _bundle(data), "metadata": clean(metadata) if isinstance(metadata, dict) else {}}
        self._take(_size(bundle))
        if not self._keep:
            return
        if update:
            for cell, index in self._displays.get(str(display_id), []):
                if cell == self._cell:
                    self.outputs[index].update(bundle)
                else:
                    self.updates.append({"cell": cell, "output": index, **bundle})
            return
        self._before_output()
        output = {"output_type": kind, **bundle}
        if kind == "execute_result":
            output["execution_count"] = execution_count
        if display_id is not None:
            self._displays.setdefault(str(display_id), []).append((self._cell, len(self.outputs)))
        self.outputs.append(output)

    def error(self, name: str, value: str, lines: list[str]) -> None:
        """Add an error. It is always kept, cut short when there is no room, for it says what went wrong."""
        if self._keep:
            self._before_output()
            room = max(2000, self._room)
            lines = [line[:room] for line in lines[:200]] if sum(map(len, lines)) > room else lines
            output = {"output_type": "error", "ename": name[:200], "evalue": value[:2000]}
            self.outputs.append(clean({**output, "traceback": lines}))

    def clear(self, wait: bool) -> None:
        """Forget what the cell has shown so far, now or when the next output comes."""
        if wait:
            self._clear_next = True
        else:
            self._clear()

    def finished(self) -> list[dict[str, Any]]:
        """The cell's outputs, joined."""
        for output in self.outputs:
            if "parts" in output:
                output["text"] = "".join(output.pop("parts"))
        return self.outputs


def _bundle(data: dict[str, Any]) -> dict[str, Any]:
    bundle = {}
    for mime, item in data.items():
        if isinstance(item, bytes):
            item = base64.b64encode(item).decode("ascii")
        bundle[str(mime)] = clean(item)
    return bundle


def _size(bundle: dict[str, Any]) -> int:
    """Bytes that an output counts for: many small parts cost whoever reads them more than one large text."""
    texts = sum(len(item) for item in bundle["data"].values() if isinstance(item, str))
    others = [bundle["metadata"], *(item for item in bundle["data"].values() if not isinstance(item, str))]
    return OUTPUT_COST + texts + PART_COST * len(msgpack.packb(others))


def clean(value: Any, depth: int = 1) -> Any:
    """Copy into what JSON and the frames can hold; anything else becomes its text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value).encode("utf-8", "backslashreplace").decode()
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return int(value)
    if isinstance(value, float):
        return float(value) if np.isfinite(value) else str(value)
    if isinstance(value, dict) and depth < 20:
        return {str(key): clean(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple) and depth < 20:
        return [clean(item, depth + 1) for item in value]
    return str(value)[:1000]


class Stream:
    """`sys.stdout` or `sys.stderr` of the notebook."""

    encoding, errors, closed, newlines, line_buffering = "utf-8", "strict", False, None, True

    def __init__(self, name: str, collector: Collector) -> None:
        """Write to the collector under that name."""
        self.name, self._collector = f"<{name}>", collector
        self._stream = name

    def write(self, text: str) -> int:
        """Add text. Raises TypeError for anything else."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._collector.stream(self._stream, text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write each line."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Stay open: later cells print too."""

    def isatty(self) -> bool:
        """No terminal is there."""
        return False

    def writable(self) -> bool:
        """It can be written to."""
        return True

    def readable(self) -> bool:
        """It cannot be read."""
        return False

    def fileno(self) -> int:
        """There is no descriptor, as in a kernel without one. Raises OSError."""
        raise OSError("the notebook's output has no file descriptor")


class NoStdin:
    """`sys.stdin` of the notebook: says at once that nobody will answer."""

    encoding, errors, closed, name = "utf-8", "strict", False, "<stdin>"

    def _refuse(self, *_: object, **__: object) -> str:
        raise StdinRefused("input() gets no answer while the notebook is graded: give the value in the code instead.")

    read = readline = readlines = __next__ = _refuse

    def __iter__(self) -> NoStdin:
        """Refuse at the first line."""
        return self

    def isatty(self) -> bool:
        """No terminal is there."""
        return False

    def fileno(self) -> int:
        """There is no descriptor. Raises OSError."""
        raise OSError("the notebook's input has no file descriptor")
