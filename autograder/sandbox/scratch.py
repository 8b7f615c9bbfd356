"""Temporary folders that are swept when their owner was killed: a lock says who still lives."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path

PREFIX = "autograder-sandbox-"
YOUNG_SECONDS = 60.0  #: a folder of this age may not be locked yet


class Scratch:
    """A temporary folder that is there until it is closed, or until its owner is dead and another one starts."""

    def __init__(self) -> None:
        """Make and lock it, and sweep those whose owners are dead."""
        sweep()
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        self.path.chmod(0o755)
        self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def close(self) -> None:
        """Remove it."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def sweep() -> None:
    """Remove this user's folders that nobody holds; what cannot be removed stays."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                info = os.fstat(descriptor)
                if info.st_uid == os.getuid() and time.time() - info.st_ctime > YOUNG_SECONDS:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while the owner lives
                    shutil.rmtree(folder)
            finally:
                os.close(descriptor)
