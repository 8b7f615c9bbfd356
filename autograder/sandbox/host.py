"""The zygote seen from outside: starting it, handing it jobs, and watching one run of one job to its end."""

from __future__ import annotations

import compileall
import contextlib
import os
import secrets
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgpack

from . import view
from .inside import frames, walls
from .model import Limits, SandboxUnavailable
from .scratch import Scratch

START_SECONDS = 60.0
GRACE_SECONDS = 1.0  # between the interrupt inside and the kill from outside
END_SECONDS = 5.0  # for a killed process to be reaped and reported
MAX_FRAME_ITEMS = 400_000

BUBBLEWRAP_REMEDY = (
    "Install bubblewrap (Debian, Ubuntu: `apt-get install bubblewrap`) and allow user namespaces "
    "(Ubuntu 24.04: `sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`)"
)


class ZygoteGone(Exception):
    """The zygote has ended or does not answer."""


class Zygote:
    """One zygote process of one level. Thread-safe."""

    def __init__(self, level: str, modules: Path | None, hide: Iterable[Path], soon: Iterable[str] = ()) -> None:
        """Start it and wait until it is ready. Raises SandboxUnavailable with the reason.

        `soon`: modules that it imports as soon as it is ready, since the first job is known to use them.
        """
        self.level = level
        self.root = os.getuid() == 0
        self._lock = threading.Lock()
        self._folder = Scratch()
        self.scratch = self._folder.path
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the zygote)
        try:
            command, environment = self._command(modules, hide, theirs.fileno())
            # No --die-with-parent: it is tied to the *thread* that starts the process. The zygote ends, and bubblewrap
            # with it and everything inside, as soon as the other end of its control socket is closed.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                pass_fds=[theirs.fileno()],
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            self.close()
            raise SandboxUnavailable(f"bubblewrap could not be started ({error}). {BUBBLEWRAP_REMEDY}.") from None
        finally:
            theirs.close()
        try:
            self._greet(modules, tuple(hide), list(soon))
        except BaseException:
            self.close()
            raise

    def _command(self, modules: Path | None, hide: Iterable[Path], descriptor: int) -> tuple[list[str], dict[str, str]]:
        if self.level == "full":
            return (
                view.bubblewrap_command(
                    inside=view.INSIDE, modules=modules, hide=hide, descriptor=descriptor, root=self.root
                ),
                {"PATH": os.environ.get("PATH", os.defpath)},
            )
        scratch = str(self.scratch)
        environment = {name: value.replace(view.SCRATCH, scratch) for name, value in view.ENVIRONMENT.items()}
        return view.python_command(view.interpreter(), str(view.INSIDE.parent), descriptor), environment

    def _greet(self, modules: Path | None, hide: tuple[Path, ...], soon: list[str]) -> None:
        place = "" if modules is None else view.MODULES if self.level == "full" else str(modules)
        settings: dict[str, Any] = {
            "level": self.level, "modules": place, "seccomp": seccomp_blob(self.level), "soon": soon,
        }  # fmt: skip
        if self.level == "reduced":
            settings["readable"], settings["listable"] = view.readable(modules, hide)
            # Root's processes own what root owns, so leave; in a user namespace that knows one user there is no other.
            settings["leave_root"] = self.root and _is_mapped(walls.ORDINARY_ID)
            settings["closed_folders"] = not view.open_to_all([*settings["readable"], str(self.scratch / "x")])
        try:
            self._process.stdin.write(msgpack.packb(settings))  # type: ignore[union-attr]
            self._process.stdin.close()  # type: ignore[union-attr]
            keep_bytecode()
            self._control.settimeout(START_SECONDS)
            hello = msgpack.unpackb(self._control.recv(1 << 16) or b"\xc0")
        except (OSError, ValueError) as error:
            hello = None
            reason = f"{type(error).__name__}: {error}"
        else:
            reason = "it ended at once"
        if not isinstance(hello, dict):
            raise SandboxUnavailable(
                f"The isolated process could not be started: {self._last_words() or reason}. {BUBBLEWRAP_REMEDY}."
            )
        if hello["python"] != sys.version:
            raise SandboxUnavailable(
                f"The isolated process runs another Python ({hello['python']}) than this one ({sys.version}); "
                "use an interpreter whose libraries are visible to it."
            )
        if hello["tasks"] != 1:
            raise SandboxUnavailable(f"The isolated process has {hello['tasks']} threads and cannot be forked safely.")
        keep_fonts(hello["fonts"])

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read()[-4000:].decode("utf-8", "replace").strip().splitlines()
        return " / ".join(line.strip() for line in lines[-3:])[:500]

    def take(self, *, figures: bool, modules: Iterable[str] = ()) -> tuple[socket.socket, socket.socket]:
        """The job's socket and the report's of a process that waits for a job. Raises ZygoteGone or ValueError.

        `figures` says whether the job will draw, `modules` what it imports; both only make it faster.
        """
        kind = frames.WITH_FIGURES if figures else frames.WITHOUT_FIGURES
        used = {*modules}
        rare = [name for name in frames.RARE if name in used or name.split(".")[0] in used]
        with self._lock:
            try:
                self._control.send(kind + " ".join(rare).encode())
                said, descriptors, _, _ = socket.recv_fds(self._control, 1 << 16, 2)
            except OSError as error:
                raise ZygoteGone(str(error)) from None
        if len(descriptors) == 2:
            job, report = (socket.socket(fileno=descriptor) for descriptor in descriptors)
            return job, report
        if said:
            raise ValueError(said.decode("utf-8", "replace"))
        raise ZygoteGone("the zygote closed its control socket")

    @property
    def pid(self) -> int:
        """The process that this one started (bubblewrap, or the zygote itself)."""
        return self._process.pid

    def close(self) -> None:
        """End the zygote and everything that it started, and remove its scratch folder."""
        self._control.close()
        process = getattr(self, "_process", None)
        if process is not None:
            if process.stdin:
                with contextlib.suppress(OSError):
                    process.stdin.close()
            try:
                process.wait(timeout=END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._errors.close()
        self._folder.close()


def keep_bytecode() -> None:
    """Lay the bytecode of the inside beside it for the next start: what runs there cannot write."""
    if not sys.dont_write_bytecode:
        compileall.compile_dir(view.INSIDE, quiet=2)


def keep_fonts(packed: bytes) -> None:
    """Lay matplotlib's list of fonts there, too, when it was made anew."""
    if packed and not sys.dont_write_bytecode:
        place = view.INSIDE / "__pycache__" / "fonts.json"
        with contextlib.suppress(OSError), tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as file:
            file.write(zlib.decompress(packed))
            file.close()
            os.chmod(file.name, 0o644)
            os.replace(file.name, place)


def _is_mapped(number: int) -> bool:
    """Whether this user namespace has a user and a group of that number."""
    maps = [Path("/proc/self", name).read_text().splitlines() for name in ("uid_map", "gid_map")]
    ranges = [[tuple(map(int, line.split())) for line in lines] for lines in maps]
    return all(any(first <= number < first + size for first, _, size in one) for one in ranges)


def seccomp_blob(level: str) -> bytes:
    """The filter for this machine. Raises SandboxUnavailable for a machine without one."""
    if level == "none":
        return b""
    path = Path(__file__).parent / "seccomp" / f"{level}-{os.uname().machine}.bpf"
    if not path.is_file():
        raise SandboxUnavailable(f"No seccomp filter for {os.uname().machine}: add one with seccomp/generate.py.")
    return path.read_bytes()


@dataclass
class Ending:
    """How one run of a job ended, and what it took."""

    reason: str  # done, full, broken, protocol, late (one item), out_of_time (all), ended, gone (the zygote)
    exit: int | None = None
    cpu: float = 0.0
    memory: int = 0
    text: str = ""


def watch(
    zygote: Zygote, payload: dict[str, Any], limits: Limits, *, deadline: float,
    on_frame: Callable[[dict[str, Any]], float | None],
) -> Ending:  # fmt: skip
    """Run a job once; call `on_frame` for each frame, which returns the seconds allowed until the next one.

    `deadline` is on the monotonic clock. Whatever happens inside, the process is gone when this returns. `on_frame`
    raises codec.BadValue for a frame that may not come now.
    """
    nonce = secrets.token_bytes(frames.NONCE_BYTES)
    answer_bytes = limits.answer_bytes * (1 + len(payload["places"]))
    try:
        job, report = zygote.take(
            figures=any("plt." in cell["source"] for cell in payload["cells"]), modules=payload["modules"]
        )
    except ZygoteGone as error:
        return Ending("gone", text=str(error))
    except ValueError as error:
        return Ending("broken", text=str(error))
    with job, report:
        ending = Ending("broken")
        pidfd = -1
        try:
            pidfd = _first_report(report)
            job.settimeout(START_SECONDS)
            body = msgpack.packb(payload, use_bin_type=True)
            job.sendall(struct.pack(">I", len(body)) + nonce + body)
            ending = _read_frames(job, nonce, limits, answer_bytes, deadline, on_frame)
        except ZygoteGone as error:
            ending = Ending("gone", text=str(error))
        except (OSError, ValueError) as error:
            ending = Ending("broken", text=f"{type(error).__name__}: {error}")
        finally:
            if pidfd >= 0:
                with contextlib.suppress(OSError):
                    signal.pidfd_send_signal(pidfd, signal.SIGKILL)
                os.close(pidfd)
                _last_report(report, ending)
    return ending


def _first_report(report: socket.socket) -> int:
    """Wait for the pidfd of the student's process. Raises ZygoteGone or ValueError."""
    report.settimeout(START_SECONDS)
    try:
        data, descriptors, _, _ = socket.recv_fds(report, 1 << 16, 1)
    except OSError as error:
        raise ZygoteGone(str(error)) from None
    if descriptors:
        return descriptors[0]
    if not data:
        raise ZygoteGone("the zygote closed a job's socket")
    raise ValueError(str(msgpack.unpackb(data).get("error", "no process"))[-1500:])


def _last_report(report: socket.socket, ending: Ending) -> None:
    report.settimeout(END_SECONDS)
    try:
        final = msgpack.unpackb(report.recv(1 << 16))
        ending.exit, ending.cpu, ending.memory = final["exit"], final["cpu"], final["memory"]
    except (OSError, ValueError, KeyError):
        # The monitor is out of the student's reach: when it says nothing it was killed, and the process with it.
        if ending.reason == "ended":
            ending.reason, ending.text = "gone", "the zygote was killed in the middle of a job"


def _read_frames(
    job: socket.socket, nonce: bytes, limits: Limits, answer_bytes: int, deadline: float,
    on_frame: Callable[[dict[str, Any]], float | None],
) -> Ending:  # fmt: skip
    from .inside import codec  # imports numpy, which takes as long as to start a zygote

    max_frame = 4 * limits.output_bytes + answer_bytes + (1 << 20)
    allowance = 4 * limits.notebook_output_bytes + 2 * max_frame
    buffer = bytearray()
    item_deadline = time.monotonic() + START_SECONDS
    job.setblocking(False)
    poll = select.poll()
    poll.register(job, select.POLLIN)
    while True:
        left = min(deadline, item_deadline) - time.monotonic()
        if left <= 0:
            return Ending("out_of_time" if deadline <= item_deadline else "late")
        if not poll.poll(left * 1000 + 1):
            continue
        try:
            data = job.recv(1 << 18)
        except BlockingIOError:
            continue
        if not data:
            return Ending("ended")
        buffer += data
        while len(buffer) >= frames.HEAD_BYTES:
            size = struct.unpack_from(">I", buffer)[0]
            if size > max_frame or bytes(buffer[4 : frames.HEAD_BYTES]) != nonce:
                return Ending("protocol", text="a frame that is too large or is not from the harness")
            if len(buffer) < frames.HEAD_BYTES + size:
                break
            body = bytes(buffer[frames.HEAD_BYTES : frames.HEAD_BYTES + size])
            del buffer[: frames.HEAD_BYTES + size]
            try:
                frame = codec.decode(
                    body, max_bytes=max_frame, max_depth=32, max_text=max_frame, max_items=MAX_FRAME_ITEMS
                )
                kind = frame.get("kind") if isinstance(frame, dict) else None
                if kind == "answer":
                    allowance += answer_bytes + (1 << 16)  # answers are counted apart from outputs
                allowance -= size
                if allowance < 0:
                    raise codec.BadValue("more than may come out of one notebook")
                if kind in ("done", "full", "broken"):
                    return Ending(kind, text=str(frame.get("text", ""))[:2000])
                seconds = on_frame(frame)
            except codec.BadValue as error:
                return Ending("protocol", text=str(error))
            item_deadline = time.monotonic() + (START_SECONDS if seconds is None else seconds + GRACE_SECONDS)
