"""One sandbox for each level in a process, started once and closed at the end."""

from __future__ import annotations

import atexit
import contextlib
import threading
from collections.abc import Iterable

from .model import SandboxUnavailable
from .sandbox import Sandbox

_lock = threading.Lock()
_sandboxes: dict[str, Sandbox] = {}


def shared_sandbox(level: str, soon: Iterable[str] = ()) -> Sandbox:
    """The sandbox of this process at a level; what the first job uses, if it starts now. Raises SandboxUnavailable."""
    with _lock:
        if level not in _sandboxes:
            sandbox = Sandbox(level=level, soon=soon)
            atexit.register(sandbox.close)
            _sandboxes[level] = sandbox
        return _sandboxes[level]


def start_early(level: str, soon: Iterable[str] = ()) -> None:
    """Start the shared sandbox while this process goes on. What prevents it is told by :func:`shared_sandbox`."""

    def start() -> None:
        with contextlib.suppress(SandboxUnavailable):
            shared_sandbox(level, soon)

    threading.Thread(target=start, name="start of the sandbox").start()
