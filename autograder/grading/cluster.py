"""Many machines: the same work on a Dask cluster, through the same ``concurrent.futures`` interface.

Needs the extra ``cluster``. Every worker process keeps one sandbox of its own; notebooks go out as bytes and plain data
comes back. Only workers that have shown that they can isolate are given work, whenever they join: being able is what
Dask calls a resource of a worker. The journal makes retries harmless.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from typing import TYPE_CHECKING

from autograder.sandbox import SandboxUnavailable, shared_sandbox

if TYPE_CHECKING:
    from distributed import Worker, WorkerPlugin

CONNECT_SECONDS = 20

LEAST_WIDTH = 32
"""So many notebooks are sent out at least: a cluster that grows with its work must see that there is some."""

SPARE = 2
"""So many notebooks are sent out for each that can be run: a worker has the next one before it is through."""


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
        client.register_plugin(isolating(level))
        refusals = client.run(can_isolate, level, on_error="return")
        if "" not in refusals.values():
            reasons = sorted({str(reason) for reason in refusals.values()}) or ["there is none"]
            raise ClusterProblem(f"no worker at {address} can run notebooks isolated: {' '.join(reasons)[:600]}")

        def width() -> int:
            return max(LEAST_WIDTH, SPARE * int(sum(client.nthreads().values())))

        yield client.get_executor(pure=False, retries=2, resources={resource(level): 1}), width


def resource(level: str) -> str:
    """What Dask calls the ability to isolate; a worker has one for each notebook that it runs at once."""
    return f"isolation {level}"


def isolating(level: str) -> WorkerPlugin:
    """What every worker does as it joins, or at once when it is there: it tries to isolate, and tells the scheduler."""
    from distributed import Status, WorkerPlugin

    class Isolating(WorkerPlugin):
        name = resource(level)

        async def setup(self, worker: Worker) -> None:
            if await asyncio.to_thread(can_isolate, level) == "":
                await worker.set_resources(**{self.name: worker.state.nthreads})
                for status in (Status.paused, Status.running):  # at a change, the scheduler looks for what it can run
                    worker.status = status

    return Isolating()
