"""One submission in one process: walls up, cells run, questions answered, every result sent as soon as it is there."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from typing import Any

import msgpack

from . import frames, places, walls
from .probes import Probe, Setting, Surroundings, answer, has_room
from .repair.instrument import Instrument
from .shell import GREEDY, Shell, collecting, go_home, reseed, said, status_of
from .stopwatch import disarm, time_limit


class Wire:
    """The way out: frames with the job's nonce on the job's socket."""

    def __init__(self, descriptor: int, nonce: bytes) -> None:
        """Write to that descriptor."""
        self._descriptor, self._nonce = descriptor, nonce

    def send(self, kind: str, **fields: Any) -> None:
        """Send one frame."""
        frames.write_frame(self._descriptor, self._nonce, msgpack.packb({"kind": kind, **fields}, use_bin_type=True))


def put_up_walls(limits: dict[str, Any], *, folder: str, settings: dict[str, Any]) -> None:
    """Limit this process for good; what it is allowed afterwards is what the student is allowed."""
    level = settings["level"]
    threads = limits["threads"] if level == "full" and walls.kernel_at_least(5, 14) else None
    address_space = walls.memory_in_use() + limits["memory_bytes"]
    if level == "full":
        walls.private_mounts(limits["tmp_bytes"] + limits["own_files_bytes"])
    walls.limit(
        address_space=address_space,
        cpu_seconds=limits["cpu_seconds"],
        file_bytes=max(limits["file_bytes"], limits["own_files_bytes"]),
        open_files=limits["open_files"],
        threads=threads,
    )
    if level == "none":
        return
    walls.no_new_privileges()
    if level == "reduced":
        walls.landlock([*settings["readable"], folder], settings["listable"])
    kept = None
    if level == "reduced" and settings["leave_root"]:
        # `nobody` may not even enter root's home, where the interpreter may lie. This capability lets it read as root
        # does, and Landlock still says what: only the interpreter and its libraries.
        kept = walls.CAP_DAC_READ_SEARCH if settings["closed_folders"] else None
        walls.become_ordinary(keep=kept)
    walls.drop_capabilities(but=kept)
    walls.seccomp(settings["seccomp"])


def lay_out(files: dict[str, bytes], folder: str) -> None:
    """Write the files that come with the notebook, and go to its folder."""
    for name, data in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as stream:
            stream.write(data)
    os.chdir(folder)


def run_cell(shell: Shell, cell: dict[str, Any], room: int, limits: dict[str, Any]) -> dict[str, Any]:
    """Run one cell; return the fields of its frame."""
    began, computed = time.perf_counter(), time.process_time()
    error: BaseException | None = None
    shell.collector.begin(cell["index"], room)
    shell.execution_count = cell["execution_count"]
    try:
        with collecting(shell), time_limit(cpu=limits["cell_cpu_seconds"], wall=limits["cell_wall_seconds"]):
            result = shell.run_cell(cell["source"], store_history=True)
        error = result.error_before_exec or result.error_in_exec
    except BaseException as escaped:  # a limit that struck inside IPython's own code, or code that broke IPython
        error = escaped
    disarm()
    status, message = "ok", ""
    if error is not None:
        status, message = status_of(error), said(error, shell)
        if status == "timed_out":
            message = f"This cell was {error}; is there a loop that never ends?"
        elif status == "output_limit":
            message = f"This cell was stopped: it put out more than {room} bytes."
        elif status == "out_of_memory":
            message = (
                f"This cell needed more memory than the {limits['memory_bytes'] >> 20} MB that the notebook may have; "
                f"{GREEDY} {message}"
            )
        if not isinstance(error, NotImplementedError):  # a stub says enough
            shell.failed.append((cell["source"], message))
        if status not in ("raised", "out_of_memory") and shell.collector.outputs[-1:]:
            shell.collector.outputs[:] = [o for o in shell.collector.outputs if o["output_type"] != "error"]
        if status != "raised":
            shell.collector.error(status, message, [message])
        elif not any(output["output_type"] == "error" for output in shell.collector.outputs):
            # code that has put IPython's own report out of order does not hide its errors
            shell.collector.error(type(error).__name__, message, [message])
    outputs = shell.collector.finished()
    sys.last_value = sys.last_traceback = sys.last_type = None
    return {
        "status": status,
        "message": message[:4000],
        "outputs": outputs,
        "updates": shell.collector.updates,
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - computed,
    }


def run_job(
    descriptor: int, nonce: bytes, job: dict[str, Any], *, shell: Shell, surroundings: Surroundings,
    settings: dict[str, Any],
) -> None:  # fmt: skip
    """Do one submission, from walls to the last answer. Runs in the forked child, which ends afterwards."""
    wire = Wire(descriptor, nonce)
    limits = job["limits"]
    shell.folder = job["folder"]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    put_up_walls(limits, folder=shell.folder, settings=settings)
    if settings["level"] == "full":
        os.makedirs(os.environ["HOME"])
        os.makedirs(shell.folder)
    lay_out(job["files"], shell.folder)
    sys.path[:0] = [*([settings["modules"]] if settings["modules"] else []), shell.folder]
    path = list(sys.path)
    reseed(job["seed"])
    probes = [Probe(ask["id"], ask["probe"]) for ask in job["asks"]]
    instrument = Instrument(set(job["instrumented"])) if job["instrumented"] else None
    if instrument:
        shell.ast_transformers.append(instrument)
    wire.send("ready")

    room = limits["notebook_output_bytes"]
    waiting, then = dict(job["places"]), {}
    for cell in job["cells"]:
        for question in [question for question, place in waiting.items() if place <= cell["index"]]:
            del waiting[question]
            then[question] = _looked_at(shell)
        wire.send("cell_started", index=cell["index"])
        if instrument:
            instrument.cell = cell["index"]
        fields = run_cell(shell, cell, min(room, limits["output_bytes"]), limits)
        room = max(0, room - (min(room, limits["output_bytes"]) - shell.collector.room))
        wire.send("cell_done", index=cell["index"], **fields)
        go_home(shell.folder)
        if fields["status"] == "out_of_memory":
            _leave_unless_room(wire, limits)
    if "matplotlib.pyplot" in sys.modules and job["asks"]:
        with contextlib.suppress(Exception):
            sys.modules["matplotlib.pyplot"].close("all")
    setting = Setting(shell, surroundings, limits, job["seed"], path, instrument)
    for ask, probe in zip(job["asks"], probes):
        for number, challenge in ask["challenges"]:
            wire.send("ask_started", ask=ask["index"], challenge=number)
            fields = answer(setting, ask, probe, number, challenge, {c: then[c] for c in ask["cells"] if c in then})
            wire.send("answer", ask=ask["index"], challenge=number, **fields)
            if fields["status"] == "out_of_memory":
                _leave_unless_room(wire, limits)
    wire.send("done")


def _looked_at(shell: Shell) -> dict[str, Any]:
    """The plain values of the notebook as they are now."""
    try:
        with time_limit(cpu=1.0, wall=2.0):
            return places.remembered(shell.user_ns)
    except BaseException:  # whatever the student's own kinds of values do
        return {}


def _leave_unless_room(wire: Wire, limits: dict[str, Any]) -> None:
    """After running out of memory: end this run when what follows would suffer, so that another is started."""
    if not has_room(limits["memory_bytes"]):
        wire.send("full")
        os._exit(0)
