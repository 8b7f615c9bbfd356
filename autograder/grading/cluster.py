"""Many machines: the same work on a Dask cluster, through the same ``concurrent.futures`` interface.

Needs the extra ``cluster``. Every worker process keeps one sandbox of its own; notebooks go out as bytes and plain data
comes back. A worker that cannot isolate refuses: it is left out from the start, and one that comes later gives its work
back. The journal makes retries harmless.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Executor

from autograder.sandbox import SandboxUnavailable, shared_sandbox

CONNECT_SECONDS = 20

LEAST_WIDTH = 32
"""So many notebooks are sent out at least: a cluster that grows with its work must see that there is some."""


class ClusterProblem(Exception):
    """The cluster cannot be used. The message says why and what to do."""


def can_isolate(level: str) -> str:
    """Run on a worker: start its sandbox. Returns the reason when it cannot, and nothing when it can."""
    try:
        shared_sandbox(level)
    except SandboxUnavailable as reason:
        return str(reason)
    return ""


@contextlib.contextmanager
def cluster_pool(address: str, level: str) -> Iterator[tuple[Executor, Callable[[], int]]]:
    """An executor whose workers are those of a Dask cluster that can isolate, and how many notebooks they run at once.

    The second is a function, for workers come and go.

    Raises ClusterProblem.
    """
    try:
        from distributed import Client
    except ImportError:
        raise ClusterProblem(
            "a cluster needs Dask: install it with `pip install 'backprop-autograder[cluster]'`."
        ) from None
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterProblem(
            f"no scheduler answers at {address} ({str(error)[:200]}): start one with `dask scheduler`."
        ) from None
    with client:
        refusals = client.run(can_isolate, level, on_error="return")
        able = [worker for worker, reason in refusals.items() if reason == ""]
        if not able:
            reasons = sorted({str(reason) for reason in refusals.values()}) or ["there is none"]
            raise ClusterProblem(f"no worker at {address} can run notebooks isolated: {' '.join(reasons)[:600]}")
        later = len(able) == len(refusals)  # workers that come later get work too

        def width() -> int:
            return max(LEAST_WIDTH, sum(client.nthreads(None if later else able).values()))

        yield client.get_executor(pure=False, retries=2, workers=able, allow_other_workers=later), width
