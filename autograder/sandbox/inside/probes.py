"""Questions: a probe runs beside the student's code, at one challenge after another, each in a cleaned-up process."""

from __future__ import annotations

import ast
import builtins
import contextlib
import gc
import linecache
import re
import sys
import time
import traceback
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import codec, places, repair
from .repair.instrument import Instrument
from .shell import GREEDY, Shell, collecting, go_home, is_students, reseed, said, status_of, students_frames
from .stopwatch import disarm, time_limit
from .walls import memory_limit

MAX_WARNINGS = 10
MAX_TEXT = 4000


class MissingName(AttributeError):
    """The notebook does not define what the probe asks for."""


class BadProbe(Exception):
    """The probe itself is at fault: ours, never the student's."""


class SpoiltPython(Exception):
    """What the harness needs of Python no longer works, and did before the notebook was run."""


class Student:
    """The notebook's globals as attributes. Reading one that is not there raises MissingName; setting one sets it.

    ``read`` gathers the names that were asked for.
    """

    __slots__ = ("_globals", "_read")

    def __init__(self, names: dict[str, Any], read: set[str]) -> None:
        """Look at these globals, live."""
        object.__setattr__(self, "_globals", names)
        object.__setattr__(self, "_read", read)

    def __getattr__(self, name: str) -> Any:
        """Return the global of that name."""
        object.__getattribute__(self, "_read").add(name)
        try:
            return object.__getattribute__(self, "_globals")[name]
        except KeyError:
            raise MissingName(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        """Set the global of that name, until the end of the challenge."""
        self._globals[name] = value


class Surroundings:
    """What an honest notebook may have changed globally, as it was in the zygote, put back before each question."""

    def __init__(self) -> None:
        """Remember the present state."""
        self._errors = np.geterr()
        self._print = np.get_printoptions()
        self._filters = list(warnings.filters)
        self._builtins = dict(vars(builtins))
        self._recursion = sys.getrecursionlimit()

    def restore(self, folder: str, path: list[str]) -> None:
        """Put it back."""
        np.seterr(**self._errors)
        np.set_printoptions(**self._print)
        warnings.filters[:] = self._filters  # type: ignore[index]
        warnings._filters_mutated()  # type: ignore[attr-defined]
        vars(builtins).update(self._builtins)
        sys.setrecursionlimit(self._recursion)
        sys.path[:] = path
        go_home(folder)


class Probe:
    """A question's function, compiled while nothing of the student's has been run yet.

    So a probe that is at fault is told from a notebook that has put Python itself out of order, which is no fault of
    ours: an audit hook that refuses ``compile`` or ``exec``, for example.
    """

    def __init__(self, ask_id: str, source: str) -> None:
        """Compile the source and see what it defines; what is wrong with it is kept for the answer."""
        self._filename, self._problem = f"<probe {ask_id}>", ""
        try:
            self._code = compile(source, self._filename, "exec")
            count = len(self._defined())
        except Exception as error:
            self._problem = f"the probe of {ask_id!r} does not compile: {type(error).__name__}: {error}"
            return
        if count != 1:
            self._problem = f"the probe of {ask_id!r} must define one function, not {count}"
        linecache.cache[self._filename] = (len(source), None, source.splitlines(keepends=True), self._filename)

    def _defined(self) -> list[Callable[..., Any]]:
        names: dict[str, Any] = {"np": np, "__builtins__": builtins, "__name__": "probe"}
        before = set(names)
        exec(self._code, names)
        return [names[name] for name in names if name not in before and callable(names[name])]

    def function(self) -> Callable[..., Any]:
        """The function, made anew for every challenge. Raises BadProbe, and SpoiltPython when it was right before."""
        if self._problem:
            raise BadProbe(self._problem)
        try:
            return self._defined()[0]
        except Exception as error:
            raise SpoiltPython(
                "The question could not be put: your notebook has changed how Python itself runs code "
                f"({type(error).__name__}: {str(error)[:200]}). Take that out."
            ) from None


@dataclass(frozen=True)
class Setting:
    """What the questions of one job share."""

    shell: Shell
    surroundings: Surroundings
    limits: dict[str, Any]
    seed: int
    path: list[str]
    instrument: Instrument | None = None


def answer(
    setting: Setting, ask: dict[str, Any], probe: Probe, number: int, challenge: bytes, then: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """Ask one question at one challenge; return the fields of the answer's frame.

    ``then`` is what plain names held where the graded cells stand. Where a name that the probe reads had another value
    there, the probe is asked once more with that value; what it answers is in ``earlier``, by the graded cell.
    """
    began, computed = time.perf_counter(), time.process_time()
    limits, read = setting.limits, set[str]()
    result = _asked(setting, ask, probe, number, challenge, limits, read, {})
    earlier: dict[str, dict[str, Any]] = {}
    for cell, values in then.items():
        other = _other_values(setting, values, read)
        spent = {"cpu": time.process_time() - computed, "wall": time.perf_counter() - began}
        left = {f"question_{kind}_seconds": limits[f"question_{kind}_seconds"] - spent[kind] for kind in spent}
        if other and min(left.values()) > 0:
            found = _asked(setting, ask, probe, number, challenge, {**limits, **left}, set(), other)
            earlier[cell] = {name: found[name] for name in ("status", "values", "message", "traceback")}
    result["earlier"] = earlier
    result["seconds"] = time.perf_counter() - began
    result["cpu_seconds"] = time.process_time() - computed
    return result


def _other_values(setting: Setting, then: dict[str, Any], read: set[str]) -> dict[str, Any]:
    if not read & then.keys():
        return {}
    try:
        with time_limit(cpu=1.0, wall=2.0):
            return places.changed_since(then, setting.shell.user_ns, read)
    except BaseException:  # whatever the student's own kinds of values do
        return {}


def _asked(
    setting: Setting, ask: dict[str, Any], probe: Probe, number: int, challenge: bytes, limits: dict[str, Any],
    read: set[str], other: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Run a probe once, with ``other`` values in the place of the notebook's; ``read`` gathers the names it reads."""
    shell, ask_id = setting.shell, ask["id"]
    memory = f"{limits['memory_bytes'] >> 20} MB that the notebook may have"
    result: dict[str, Any] = {"status": "grader_error", "values": b"", "message": "", "traceback": ""}
    caught: list[warnings.WarningMessage] = []
    given: dict[str, Any] = {}
    values: dict[str, Any] = {}
    try:
        function = probe.function()
        given = codec.decode(challenge, max_bytes=len(challenge))
        handed = dict(given)
        setting.surroundings.restore(shell.folder, setting.path)
        reseed(zlib.crc32(f"{setting.seed}/{ask_id}/{number}".encode()))
        shell.collector.begin(0, limits["output_bytes"], keep=False)
        with names_kept(shell.user_ns), warnings.catch_warnings(record=True) as caught, collecting(shell):
            warnings.simplefilter("always")
            shell.user_ns.update(other)
            with (
                memory_limit(limits["question_memory_bytes"]) as limited,
                time_limit(cpu=limits["question_cpu_seconds"], wall=limits["question_wall_seconds"]),
            ):
                if limited:
                    memory = f"{limits['question_memory_bytes'] >> 20} MB that one question may take"
                if ask["task"]:
                    assert setting.instrument is not None
                    values.update(
                        repair.done(ask["task"], setting.instrument, shell.user_ns, Student, function, handed)
                    )
                else:
                    codec.gather(function(Student(shell.user_ns, read), handed), values)
        result["status"] = "answered"
        result["message"] = _never_made(read - shell.user_ns.keys(), shell)
    except BadProbe as error:
        result["message"] = str(error)
    except codec.NoDict as error:
        result["message"] = f"the probe of {ask_id!r} is at fault: {error}"
    except SpoiltPython as error:
        result["status"], result["message"] = "raised", str(error)
    except BaseException as error:
        disarm()
        result.update(_judged(error, shell, ask_id, limits, memory))
        traceback.clear_frames(error.__traceback__)
    finally:
        disarm()
    try:
        result["values"] = codec.encode_answer(values, max_bytes=limits["answer_bytes"])
    except codec.BadValue as error:
        result["status"], result["message"] = "output_limit", f"{str(error)[:600]}."
    result["changed_inputs"] = _changed(given, challenge)
    result["warnings"] = _listed(caught)
    return result


@contextlib.contextmanager
def names_kept(names: dict[str, Any]) -> Iterator[None]:
    """Undo whatever happens to the notebook's globals, so that one question cannot disturb another."""
    kept = dict(names)
    try:
        yield
    finally:
        names.clear()
        names.update(kept)


def _judged(error: BaseException, shell: Shell, ask_id: str, limits: dict[str, Any], memory: str) -> dict[str, str]:
    status = status_of(error)
    message = said(error, shell)
    frames = students_frames(error, shell)
    innermost = _innermost(error)
    in_probe = innermost == f"<probe {ask_id}>"
    if status == "timed_out":
        where = f" It was in line {frames[-1].lineno}: `{(frames[-1].line or '')[:160]}`." if frames else ""
        message = f"Your code was {error} on this question; is there a loop that never ends?{where}"
    elif status == "output_limit":
        message = f"Your code printed more than {limits['output_bytes']} bytes on this question."
    elif status == "out_of_memory":
        message = f"Your code needed more memory than the {memory}; {GREEDY} {message}"
    elif isinstance(error, MissingName):
        why = _never_made({_name(error)}, shell)
        undefined = f"`{_name(error)}` is not defined in your notebook"
        status = "raised" if why else "missing"
        message = why or f"{undefined}: is its cell filled in, and does it run without error?"
    elif isinstance(error, NotImplementedError) and is_students(innermost, shell):
        stub = frames[-1].name
        status, message = (
            "missing",
            (f"`{stub}` is not written yet: replace the line `raise NotImplementedError()` by your solution."),
        )
    elif isinstance(error, AttributeError) and in_probe and _owner(error, shell):
        status, message = "missing", f"`{_owner(error, shell)}` has no `{error.name}`."
    elif isinstance(error, NameError) and in_probe:
        status, message = "grader_error", f"the probe of {ask_id!r} is at fault: {message}"
    return {"status": status, "message": message[:MAX_TEXT], "traceback": _trimmed(error, frames)}


def _name(error: MissingName) -> str:
    return str(error.args[0])[:100] if error.args else "?"


def _never_made(names: set[str], shell: Shell) -> str:
    """Why names are not there: the first cell that would have made one of them, and stopped with an error."""
    for source, message in shell.failed:
        for name in sorted(names & _made_by(source, names)):
            return f"`{name}` is not there, because its cell stopped. {message}"
    return ""


def _made_by(source: str, names: set[str]) -> set[str]:
    """Which of these names a cell makes when it runs to its end; a guess by its lines where it is no Python."""
    try:
        nodes: list[ast.AST] = list(ast.parse(source).body)
    except (SyntaxError, ValueError):
        made = r"^[ \t]*(?:(?:class|def)[ \t]+{0}\b|[^=#(\n]*\b{0}\b[^=#(\n]*=(?!=))"
        return {name for name in names if re.search(made.format(re.escape(name)), source, re.MULTILINE)}
    found = set()
    for node in nodes:  # what a function makes stays in the function
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).split(".")[0])
        elif not isinstance(node, ast.Lambda):
            nodes.extend(ast.iter_child_nodes(node))
    return found


def _innermost(error: BaseException) -> str:
    step = error.__traceback__
    filename = ""
    while step is not None:
        filename = step.tb_frame.f_code.co_filename
        step = step.tb_next
    return filename


def _owner(error: AttributeError, shell: Shell) -> str:
    owner = error.obj
    kind = owner if isinstance(owner, type) else type(owner)
    return kind.__name__[:100] if getattr(kind, "__module__", None) == shell.user_module.__name__ else ""


def _trimmed(error: BaseException, frames: list[traceback.FrameSummary]) -> str:
    if not frames:
        return ""
    try:
        last = traceback.format_exception_only(type(error), error)
    except Exception:
        last = [type(error).__name__]
    lines = []
    for frame in frames[-12:]:
        lines.append(f"  line {frame.lineno}, in {frame.name}\n    {(frame.line or '')[:200]}\n")
    return ("Traceback, your own lines only:\n" + "".join(lines) + "".join(last))[:MAX_TEXT]


def _changed(given: dict[str, Any], challenge: bytes) -> list[str]:
    """Names of the inputs that are no longer what they were."""
    with contextlib.suppress(codec.BadValue):
        if not given or codec.encode(given, max_bytes=len(challenge)) == challenge:
            return []
    changed = []
    for name, value in codec.decode(challenge, max_bytes=len(challenge)).items():
        before = codec.encode(value, max_bytes=len(challenge))
        try:
            same = codec.encode(given[name], max_bytes=2 * len(challenge)) == before
        except codec.BadValue:
            same = False
        if not same:
            changed.append(name)
    return changed


def _listed(caught: list[warnings.WarningMessage]) -> list[str]:
    texts: dict[str, None] = {}
    for warning in caught[:1000]:
        with contextlib.suppress(Exception):
            text = f"{warning.category.__name__}: {str(warning.message)[:200]}"
            texts[text.encode("utf-8", "backslashreplace").decode()] = None
    return list(texts)[:MAX_WARNINGS]


def has_room(memory_bytes: int) -> bool:
    """Whether what earlier code keeps leaves a quarter of the memory limit to what follows."""
    gc.collect()
    try:
        np.empty(memory_bytes // 4, np.uint8)
    except MemoryError:
        return False
    return True
