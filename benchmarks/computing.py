"""What a process and all processes below it compute, waited for or not."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path


class Watched(threading.Thread):
    """Seconds of computing by a process and by all processes below it, each as it was last seen.

    Those in the sandbox end with their parent, and nobody is told what they computed. What this thread computes itself
    is not counted. Linux with the kernel's statistics of its scheduler.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.ended, self.own = pid, threading.Event(), 0.0
        self.seen: dict[str, int] = {}

    def __enter__(self) -> Watched:
        self.look()
        self.before = dict(self.seen)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.join()
        self.look()

    def run(self) -> None:
        while not self.ended.wait(0.002):
            self.look()
        self.own = time.thread_time() if self.pid == os.getpid() else 0.0

    def look(self) -> None:
        left = [self.pid]
        for pid in left:  # which grows
            with contextlib.suppress(OSError):  # ended in the meantime
                for name in os.listdir(f"/proc/{pid}/task"):
                    task = Path(f"/proc/{pid}/task", name)
                    with contextlib.suppress(OSError):
                        self.seen[name] = int((task / "schedstat").read_text().split()[0])
                        left += map(int, (task / "children").read_text().split())

    def seconds(self) -> float:
        return sum(now - self.before.get(task, 0) for task, now in self.seen.items()) / 1e9 - self.own
