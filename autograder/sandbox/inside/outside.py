"""Lines about the student's own computer: they are left out or made harmless, and the cell says so.

A magic that chooses a window, the mounting of a drive, the installing of a package, a pool of processes: none of it is
an answer, and none of it can work here.
"""

from __future__ import annotations

import ast
import builtins
import importlib.util
import multiprocessing
import multiprocessing.context
import multiprocessing.pool
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent import futures
from typing import Any

import IPython.display
import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from IPython.core.interactiveshell import InteractiveShell

SAID = "While the notebook is graded, "
"""How every sentence begins that says what was left out."""

PROGRAMS = ("conda", "mamba", "micromamba")
INSTALLERS = {*PROGRAMS, "pip", "pip3", "uv", "apt", "apt-get", "brew", "jupyter"}
ELSEWHERE = ("google.colab",)
"""Modules that exist on one provider's computers only."""

RENAMED = {"trapz": "trapezoid", "in1d": "isin", "Inf": "inf", "NaN": "nan", "float_": "float64", "product": "prod",
           "cumproduct": "cumprod", "row_stack": "vstack", "alltrue": "all", "sometrue": "any"}  # fmt: skip
"""Names that numpy has under another one in some of its versions."""


def left_out(what: str) -> None:
    """Say that a line is left out."""
    first = (str(what).strip().splitlines() or [""])[0]
    print(f"{SAID}this is left out: {first[:160]}", file=sys.stderr)


def make_harmless(shell: InteractiveShell) -> None:
    """Replace what only makes sense on the student's computer, in this process for good."""
    _magics(shell)
    _figures()
    _programs()
    _processes()
    builtins._left_out = _absent  # type: ignore[attr-defined]
    for old, new in RENAMED.items():
        if old not in vars(np) and new in vars(np):
            setattr(np, old, getattr(np, new))


def _magics(shell: InteractiveShell) -> None:
    inline, load = shell.find_line_magic("matplotlib"), shell.find_line_magic("load_ext")

    def choose(line: str) -> Any:
        if line.strip() in ("", "inline") or line.strip().startswith("-"):
            return inline(line)
        return left_out(f"%matplotlib {line}")

    def extend(line: str) -> Any:
        try:
            there = importlib.util.find_spec(line.strip()) is not None
        except (ImportError, ValueError):
            there = False
        return load(line) if there else left_out(f"%load_ext {line}")

    shell.register_magic_function(choose, "line", "matplotlib")  # type: ignore[arg-type]
    shell.register_magic_function(extend, "line", "load_ext")  # type: ignore[arg-type]
    for name in PROGRAMS:
        program: Any = lambda line, name=name: left_out(f"%{name} {line}")  # noqa: E731
        shell.register_magic_function(program, "line", name)


def _figures() -> None:
    for module, name in ((matplotlib, "use"), (plt, "switch_backend")):
        setattr(module, name, _or_left_out(getattr(module, name), f"{module.__name__}.{name}"))
    if not hasattr(IPython.display, "set_matplotlib_formats"):
        from matplotlib_inline.backend_inline import set_matplotlib_close, set_matplotlib_formats

        IPython.display.set_matplotlib_formats = set_matplotlib_formats  # type: ignore[attr-defined]
        IPython.display.set_matplotlib_close = set_matplotlib_close  # type: ignore[attr-defined]


def _or_left_out(choose: Callable[..., Any], name: str) -> Callable[..., Any]:
    def chosen(backend: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return choose(backend, *args, **kwargs)
        except ImportError:
            return left_out(f"{name}({backend!r})")

    chosen.__name__ = choose.__name__
    return chosen


def _installs(command: Any) -> bool:
    """Whether a command installs something: of any other one the answer may depend."""
    words = re.split(r"[\s;&|]+", command) if isinstance(command, str) else command
    try:
        names = [os.path.basename(str(word)) for word in words]
    except TypeError:
        return False
    return "install" in names and bool(INSTALLERS.intersection(names))


def _programs() -> None:
    empty: dict[str, Callable[[Any, Any], Any]] = {
        "run": lambda command, out: subprocess.CompletedProcess(command, 0, out, out),
        "call": lambda command, out: 0,
        "check_call": lambda command, out: 0,
        "check_output": lambda command, out: out,
        "getoutput": lambda command, out: "",
        "getstatusoutput": lambda command, out: (0, ""),
    }
    for name, answer in empty.items():
        setattr(subprocess, name, _unless_installing(getattr(subprocess, name), answer))
    os.system = _unless_installing(os.system, lambda command, out: 0)


def _unless_installing(start: Callable[..., Any], answer: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def started(*args: Any, **kwargs: Any) -> Any:
        command = args[0] if args else kwargs.get("args", kwargs.get("cmd", kwargs.get("command", "")))
        if not _installs(command):
            return start(*args, **kwargs)
        left_out(command if isinstance(command, str) else " ".join(map(str, command)))
        text = any(kwargs.get(name) for name in ("text", "universal_newlines", "encoding", "errors"))
        return answer(command, "" if text else b"")

    started.__name__ = getattr(start, "__name__", "start")
    return started


class Notifier:
    """The queue over which a pool tells itself of changes, without a semaphore, for which there is no place."""

    def __init__(self) -> None:
        self._reader, self._writer = multiprocessing.Pipe(duplex=False)
        self._lock = threading.Lock()

    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._reader.poll()

    def get(self) -> Any:
        """Take what waits."""
        return self._reader.recv()

    def put(self, what: Any) -> None:
        """Add something."""
        with self._lock:
            self._writer.send(what)


class Here:
    """What a pool of threads needs of a context."""

    SimpleQueue = Notifier


class Threads(multiprocessing.pool.ThreadPool):
    """A pool of threads where nothing can be shared between processes."""

    def __init__(self, processes: int | None = None, initializer: Any = None, initargs: Any = ()) -> None:
        multiprocessing.pool.Pool.__init__(self, processes, initializer, initargs, context=Here())


def _processes() -> None:
    def pool(processes: int | None = None, *args: Any, **kwargs: Any) -> Threads:
        print(f"{SAID}threads do the work of other processes.", file=sys.stderr)
        few = min(processes or 2, 4) if isinstance(processes, int | None) else processes
        return Threads(few, *args[:2], **{name: kwargs[name] for name in ("initializer", "initargs") if name in kwargs})

    class ProcessPoolExecutor(futures.ThreadPoolExecutor):
        def __init__(
            self, max_workers: int | None = None, mp_context: Any = None, initializer: Any = None,
            initargs: tuple[Any, ...] = (), **_: Any,
        ) -> None:  # fmt: skip
            print(f"{SAID}threads do the work of other processes.", file=sys.stderr)
            super().__init__(min(max_workers or 2, 4), initializer=initializer, initargs=initargs)

    multiprocessing.Pool = pool
    setattr(multiprocessing.context.BaseContext, "Pool", lambda self, *args, **kwargs: pool(*args, **kwargs))  # noqa: B010
    futures.ProcessPoolExecutor = ProcessPoolExecutor  # type: ignore[misc, assignment]


class _Absent:
    """Stands for a module that is not here: whatever is called in it says that it is left out."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> _Absent:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Absent(f"{self._name}.{name}")

    def __call__(self, *_: Any, **__: Any) -> None:
        left_out(f"{self._name}(…)")


def _absent(name: str) -> _Absent:
    left_out(f"import {name}")
    return _Absent(name)


def without_elsewhere(cell: ast.Module) -> ast.Module:
    """A cell in which the imports of a provider's own modules, at its top, are replaced: their calls do nothing.

    What stands in a `try` or an `if` is the student's own care for other computers, and is left alone.
    """
    cell.body = [new for old in cell.body for new in _replaced(old)]
    return cell


def _replaced(node: ast.stmt) -> list[ast.stmt]:
    if isinstance(node, ast.ImportFrom) and node.module and _is_elsewhere(node.module):
        names = [(alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names]
    elif isinstance(node, ast.Import) and all(_is_elsewhere(alias.name) for alias in node.names):
        names = [(alias.asname or alias.name.split(".")[0],
                  alias.name if alias.asname else alias.name.split(".")[0]) for alias in node.names]  # fmt: skip
    else:
        return [node]
    lines = [f"{name} = __import__('builtins')._left_out({whole!r})" for name, whole in names if name != "*"]
    return [ast.copy_location(one, node) for one in ast.parse("\n".join(lines) or "pass").body]


def _is_elsewhere(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in ELSEWHERE)
