"""``autograder serve``: a grader that stays warm for one user; every ``autograder grade`` of theirs asks it first."""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import select
import socket
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from autograder import warm
from autograder.commands import grade_notebooks
from autograder.console import complain, say
from autograder.course import CONFIG, DEFINITION, CourseError, find_root, in_use, use
from autograder.exercises import NAMES, all_exercises, load
from autograder.grading.grade import fresh_seed
from autograder.marking import truth_meanwhile
from autograder.personal import EARLIER, SETTING
from autograder.sandbox import SandboxUnavailable, shared_sandbox

REQUEST_SECONDS = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``autograder serve``."""
    parser.add_argument("--minutes", type=float, default=30.0, help="end after so long without a notebook (30)")
    parser.add_argument("--stop", action="store_true", help="end the one that runs")
    parser.add_argument("--root", type=Path, help="the course's folder; found from here by default")


def run(args: argparse.Namespace) -> int:
    """Serve until nothing was asked for long, or something changed. Returns 0, 1 without a sandbox, 2 on bad use."""
    if args.stop:
        return _stop()
    running = warm.connected()
    if running is not None:
        running.close()
        complain("serve", "one runs already: `autograder serve --stop` ends it.")
        return 2
    try:
        root = find_root(args.root)
        shared_sandbox("auto")
        with _listening(warm.address()) as listener:
            Server(root, listener, args.minutes * 60.0).serve()
    except (CourseError, OSError) as problem:
        complain("serve", problem)
        return 2
    except SandboxUnavailable as problem:
        complain("serve", problem)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def _stop() -> int:
    connection = warm.connected()
    if connection is None:
        complain("serve", "none runs, or it is busy.")
        return 1
    with connection:
        connection.send(json.dumps({"what": "stop"}).encode())
        connection.recv(warm.MESSAGE_BYTES)
    return 0


@contextlib.contextmanager
def _listening(place: Path) -> Iterator[socket.socket]:
    """The socket, in a folder that is this user's alone. Raises OSError."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not warm.is_private(place.parent):
        raise PermissionError(f"{place.parent} is not a folder of yours alone: remove it, or have it removed.")
    place.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(place))
        place.chmod(0o600)
        mine = place.stat().st_ino
        listener.listen()
        try:
            yield listener
        finally:
            with contextlib.suppress(OSError):
                if place.stat().st_ino == mine:
                    place.unlink()


class Server:
    """One course, one notebook after the other."""

    def __init__(self, root: Path, listener: socket.socket, idle_seconds: float) -> None:
        """Note what code and course are like now."""
        self._root, self._listener, self._idle = root, listener, idle_seconds
        self._began = self._state()
        self._own = in_use()
        self._seed = fresh_seed()

    def _state(self) -> object:
        own = in_use()
        course = [self._root / "source", *(self._root / name for name in (CONFIG, DEFINITION, SETTING, EARLIER))]
        return warm.files([warm.PACKAGE, *course, *([own.folder] if own else [])]), warm.installed()

    def serve(self) -> None:
        """Answer until nothing was asked for long, or this is the end."""
        all_exercises()
        gc.collect()
        gc.freeze()
        say(f"Grading for {self._root} until nothing was asked for {self._idle / 60:g} minutes.")
        while select.select([self._listener], [], [], self._idle)[0]:
            connection, _ = self._listener.accept()
            with connection:
                if not self._answer(connection):
                    return

    def _answer(self, connection: socket.socket) -> bool:
        """Do what is asked; False when this is the end."""
        if not warm.is_ours(connection):
            return True
        descriptors: Sequence[int] = ()
        try:
            connection.settimeout(REQUEST_SECONDS)
            connection.send(warm.READY)
            said, descriptors, _, _ = socket.recv_fds(connection, warm.MESSAGE_BYTES, 2)
            if not said:
                return True
            asked = json.loads(said)
            if asked["what"] == "stop" or self._state() != self._began:
                connection.send(warm.NO)
                return False
            args = argparse.Namespace(**asked["args"])
            args.paths = [Path(path) for path in args.paths]
            args.root = Path(args.root) if args.root else None
            with _elsewhere(asked, descriptors, connection):
                status = self._grade(args)
            connection.send(warm.NO if status is None else str(status).encode())
            if status is not None:
                self._look_ahead(args.paths)
        except (OSError, ValueError):  # who asked is gone
            pass
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        return True

    def _grade(self, args: argparse.Namespace) -> int | None:
        if not self._is_this_course(args):
            return None
        if args.seed is None:
            args.seed, self._seed = self._seed, fresh_seed()
        try:
            return grade_notebooks.run(args)
        except Exception:
            traceback.print_exc()
            return 1

    def _look_ahead(self, graded: Sequence[Path]) -> None:
        """Work out the truth for the next notebook's seed: most probably it is one of the same exercise."""
        for name in {path.stem for path in graded} & {*NAMES}:
            truth_meanwhile(load(name), self._seed)

    def _is_this_course(self, args: argparse.Namespace) -> bool:
        try:
            return find_root(args.root, graded=args.paths) == self._root
        except CourseError:
            return False
        finally:
            use(self._root)


@contextlib.contextmanager
def _elsewhere(asked: dict[str, Any], descriptors: Sequence[int], connection: socket.socket) -> Iterator[None]:
    """Be where the one who asks is: working directory, environment and output. Whoever has gone reads nothing more."""
    folder, environment, kept = os.getcwd(), dict(os.environ), [os.dup(1), os.dup(2)]
    streams = sys.stdout, sys.stderr
    for stream in streams:
        stream.flush()
    over, end = os.pipe()

    def mute() -> None:
        if connection.fileno() in select.select([connection.fileno(), over], [], [])[0]:
            with open(os.devnull, "w") as nowhere:
                for number in (1, 2):
                    os.dup2(nowhere.fileno(), number)

    watch = threading.Thread(target=mute, name="who asked is still there")
    try:
        os.chdir(str(asked["folder"]))
        os.environ.clear()
        os.environ.update(asked["environment"])
        for number, descriptor in zip((1, 2), descriptors, strict=True):
            os.dup2(descriptor, number)
        sys.stdout, sys.stderr = (
            _written_to(number, *how) for number, how in zip((1, 2), asked["streams"], strict=True)
        )
        watch.start()
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os.close(end)  # so that the watch ends
        if watch.ident:
            watch.join()
        os.close(over)
        sys.stdout, sys.stderr = streams
        for number, descriptor in zip((1, 2), kept):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)


def _written_to(number: int, encoding: str, errors: str) -> TextIO:
    """A stream as Python makes it of a descriptor at its start."""
    return open(number, "w", encoding=encoding, errors=errors, closefd=False, buffering=1 if os.isatty(number) else -1)
