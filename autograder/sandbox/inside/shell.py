"""Cells, run as a kernel would run them: IPython's shell with ordinary notebook outputs collected in order.

The hooks are the ones that ipykernel uses (`display_pub_class`, `displayhook_class`, `_showtraceback`), so prints,
displays, results, errors and inline figures come out in the order in which they were produced. There are no threads
here: the shell is made once in the zygote and survives the fork.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import errno
import getpass
import linecache
import os
import random
import sys
import traceback
from collections.abc import Iterator
from typing import Any

import matplotlib.pyplot
import numpy as np
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.text import SList
from traitlets import Type
from traitlets.config import Config

from . import codec, shapes
from .outputs import Collector, NoStdin, OutputLimit, Stream
from .outside import left_out, make_harmless, without_elsewhere
from .stopwatch import OutOfTime

INLINE_BACKEND = "module://matplotlib_inline.backend_inline"
NO_COMMANDS = "Shell commands do not run while the notebook is graded; left out: "
SCRIPT_MAGICS = ("bash", "sh", "script", "perl", "ruby", "pypy", "python2", "python3", "system", "sx")


USUAL_CELLS = (
    "import numpy as np, matplotlib.pyplot as plt\nplt.plot([1.0, 2.0])\nnp.eye(3) @ np.eye(3)",
    "plt.title('$x_1$'); plt.plot([1, 2], label='a'); plt.legend(); plt.show()",
    "def warm():\n    return 1 / 0\nwarm()",
)
"""A result, a figure and a traceback, as notebooks have them."""

PLAIN_FIGURE = "import matplotlib.pyplot as plt\nfig, axes = plt.subplots(1, 2)\naxes[0].plot([1.0, 2.0])\nplt.show()"

LIMITS_BY_ERROR = {
    errno.EFBIG: "The grader's limit on the size of a file was reached: is a file written in a loop?",
    errno.ENOSPC: "The grader's limit on all files together was reached: are files written in a loop?",
    errno.EMFILE: "The grader's limit on open files was reached: use `with open(...)`, which closes them.",
}
"""What the errors of the operating system mean here."""

GREEDY = "is an array made that is much larger than the data, or a list that grows in a loop?"
"""What to look for where memory ran out."""


class Publisher(DisplayPublisher):
    """Where `display()` ends."""

    shell: Shell

    def publish(  # type: ignore[override]
        self, data: dict[str, Any], metadata: dict[str, Any] | None = None, *,
        transient: dict[str, Any] | None = None, update: bool = False, **_: Any,
    ) -> None:  # fmt: skip
        """Collect one display or update."""
        display_id = (transient or {}).get("display_id")
        self.shell.collector.display("display_data", data, metadata, display_id=display_id, update=update)

    def clear_output(self, wait: bool = False) -> None:
        """Forget the cell's outputs."""
        self.shell.collector.clear(wait)


class ResultHook(DisplayHook):
    """Where the value of a cell's last line ends."""

    shell: Shell

    def write_output_prompt(self) -> None:
        """No prompt: the output carries its number."""

    def write_format_data(self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None) -> None:
        """Collect one result."""
        count = self.prompt_count
        self.shell.collector.display("execute_result", format_dict, md_dict, execution_count=count)

    def log_output(self, format_dict: dict[str, Any]) -> None:
        """No second copy for a history that nobody reads."""

    def finish_displayhook(self) -> None:
        """Nothing is printed after a result."""
        self._is_active = False


class Shell(InteractiveShell):
    """IPython's shell with a notebook's outputs, and without a terminal, history, programs or an exit."""

    display_pub_class = Type(Publisher)
    displayhook_class = Type(ResultHook)

    def __init__(self, **settings: Any) -> None:
        """Make the shell with an empty collector."""
        self.collector = Collector()
        self.folder = ""
        self.failed: list[tuple[str, str]] = []  # the cells that stopped with an error: source and message
        super().__init__(**settings)

    @contextlib.contextmanager
    def _tee(self, channel: str) -> Iterator[None]:
        yield

    def _showtraceback(self, etype: type[BaseException], evalue: BaseException | None, stb: Any) -> None:
        lines = stb if isinstance(stb, list) else str(stb).splitlines()
        try:
            text = str(evalue)
        except Exception:
            text = "(the exception's own text failed)"
        self.collector.error(etype.__name__, text, lines)

    def init_sys_modules(self) -> None:
        """Be `__main__`, as a kernel's user module is."""
        sys.modules["__main__"] = self.user_module

    def enable_gui(self, gui: str | None = None) -> None:
        """No windows."""

    def ask_exit(self) -> None:
        """`exit` and `quit`: a notebook just goes on."""

    def system(self, cmd: str) -> None:
        """Refuse a program, in words."""
        print(f"{NO_COMMANDS}{str(cmd)[:200]}", file=sys.stderr)
        self.user_ns["_exit_code"] = 1

    system_raw = system_piped = system

    def run_line_magic(self, magic_name: str, line: str, _stack_depth: int = 1) -> Any:
        """Run a magic; one that is not here, as those of an extension are, is left out in words."""
        if self.find_line_magic(magic_name) is None and self.find_cell_magic(magic_name) is None:
            return left_out(f"%{magic_name} {line}")
        return super().run_line_magic(magic_name, line, _stack_depth + 1)

    def transform_ast(self, node: ast.Module) -> ast.Module:
        """Leave out a provider's modules; as one of IPython's transformers this would go through all of the tree."""
        transformed: ast.Module = super().transform_ast(without_elsewhere(node))
        return transformed

    def getoutput(self, cmd: str, split: bool = True, depth: int = 0) -> Any:
        """Refuse a program, in words, with an empty answer."""
        self.system(cmd)
        return SList([]) if split else ""


def make_shell() -> Shell:
    """Make the shell as a notebook finds it."""
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    shell = Shell.instance(config=config)
    for name in SCRIPT_MAGICS:
        shell.register_magic_function(_no_script, "line_cell", name)  # type: ignore[arg-type]

    from matplotlib_inline.backend_inline import configure_inline_support

    matplotlib.use(INLINE_BACKEND)
    matplotlib.interactive(True)
    configure_inline_support(shell, INLINE_BACKEND)
    make_harmless(shell)
    _as_new(shell)
    return shell


def rehearse(shell: Shell, cell: str) -> None:
    """Run a cell for nobody to see."""
    with collecting(shell):
        shell.collector.begin(0, 1 << 24)
        shell.run_cell(cell)


def warm_up(shell: Shell, cell: str) -> None:
    """Run a cell for nobody to see, so that a notebook finds its way warm, and be as new again."""
    rehearse(shell, cell)
    _as_new(shell)


def _as_new(shell: Shell) -> None:
    matplotlib.pyplot.close("all")
    shell.collector.begin(0, 1 << 20)
    shell.reset(new_session=True)
    shell.compile._filename_map.clear()
    linecache.clearcache()
    sys.last_value = sys.last_traceback = sys.last_type = None
    shell.execution_count = 1


def _no_script(line: str, cell: str | None = None) -> None:
    first = (line if cell is None else cell).strip().splitlines() or [""]
    print(f"{NO_COMMANDS}{first[0][:200]}", file=sys.stderr)


@contextlib.contextmanager
def collecting(shell: Shell) -> Iterator[None]:
    """Put the notebook's streams in the place of the process's own."""
    kept = sys.stdout, sys.stderr, sys.stdin, builtins.input, getpass.getpass
    sys.stdout, sys.stderr = Stream("stdout", shell.collector), Stream("stderr", shell.collector)
    sys.stdin = NoStdin()
    builtins.input = getpass.getpass = sys.stdin._refuse
    try:
        yield
    finally:
        sys.stdout, sys.stderr, sys.stdin, builtins.input, getpass.getpass = kept


def reseed(seed: int) -> None:
    """Give both global generators a state of their own: a fork would share the zygote's."""
    random.seed(seed)
    np.random.seed(seed % 2**32)


def is_students(filename: str, shell: Shell) -> bool:
    """Whether a code file name is one of the notebook's cells, or a file beside the notebook."""
    return filename in shell.compile._filename_map or filename.startswith(f"{shell.folder}/")


def students_frames(error: BaseException, shell: Shell) -> list[traceback.FrameSummary]:
    """The frames of an exception's traceback that are the student's own, outermost first."""
    try:
        frames = traceback.extract_tb(error.__traceback__)
    except Exception:
        return []
    return [frame for frame in frames if is_students(frame.filename, shell)]


def said(error: BaseException, shell: Shell) -> str:
    """An exception in one or two lines: its type, its text, and the line of the student's that it came from."""
    try:
        text = str(error).strip()
    except Exception:
        text = ""
    frames = students_frames(error, shell)
    if frames and isinstance(error, ValueError):  # what numpy says about shapes
        text = shapes.in_words(text, frames[-1], error)
    text = f"{type(error).__name__}: {text[:600]}" if text else type(error).__name__
    if isinstance(error, SyntaxError) and error.lineno:
        return f"{type(error).__name__}: {str(error.msg)[:600]} (line {error.lineno})"
    if frames:
        text = f"{text} ({codec.place(frames[-1])})"
    return f"{text}. {hint}" if (hint := _limit_behind(error)) else text


def _limit_behind(error: BaseException) -> str:
    """Which limit of the grader an ordinary error stands for, and what to look for."""
    if isinstance(error, OSError) and type(error.errno) is int:
        return LIMITS_BY_ERROR.get(error.errno, "")
    if isinstance(error, RuntimeError) and error.args == ("can't start new thread",):
        return "The grader's limit on threads was reached: are threads started in a loop and never joined?"
    return ""


def status_of(error: BaseException) -> str:
    """The status that an exception out of student code means."""
    if isinstance(error, OutOfTime):
        return "timed_out"
    if isinstance(error, OutputLimit):
        return "output_limit"
    if isinstance(error, MemoryError):
        return "out_of_memory"
    return "raised"


def go_home(folder: str) -> None:
    """Go back to the notebook's folder, wherever student code went."""
    with contextlib.suppress(OSError):
        os.makedirs(folder, exist_ok=True)
        os.chdir(folder)
