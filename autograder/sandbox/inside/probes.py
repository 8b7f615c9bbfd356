"""Questions: a probe runs beside the student's code, at one challenge after another, each in a cleaned-up process."""

from __future__ import annotations

import builtins
import contextlib
import gc
import linecache
import sys
import time
import traceback
import warnings
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import codec
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
    """The notebook's globals as attributes. Reading one that is not there raises MissingName; setting one sets it."""

    __slots__ = ("_globals",)

    def __init__(self, names: dict[str, Any]) -> None:
        """Look at these globals, live."""
        object.__setattr__(self, "_globals", names)

    def __getattr__(self, name: str) -> Any:
        """Return the global of that name."""
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
        warnings.filters[:] = self._filters
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


def answer(
    shell: Shell, surroundings: Surroundings, *, ask_id: str, probe: Probe, number: int, challenge: bytes, seed: int,
    limits: dict[str, Any], folder: str, path: list[str],
) -> dict[str, Any]:  # fmt: skip
    """Ask one question at one challenge; return the fields of the answer's frame."""
    began, computed = time.perf_counter(), time.process_time()
    memory = f"{limits['memory_bytes'] >> 20} MB that the notebook may have"
    result: dict[str, Any] = {"status": "grader_error", "values": b"", "message": "", "traceback": ""}
    caught: list[warnings.WarningMessage] = []
    given: dict[str, Any] = {}
    values: dict[str, Any] = {}
    try:
        function = probe.function()
        given = codec.decode(challenge, max_bytes=len(challenge))
        handed = dict(given)
        surroundings.restore(folder, path)
        reseed(zlib.crc32(f"{seed}/{ask_id}/{number}".encode()))
        shell.collector.begin(0, limits["output_bytes"], keep=False)
        with _names_kept(shell.user_ns), warnings.catch_warnings(record=True) as caught, collecting(shell):
            warnings.simplefilter("always")
            with (
                memory_limit(limits["question_memory_bytes"]) as limited,
                time_limit(cpu=limits["question_cpu_seconds"], wall=limits["question_wall_seconds"]),
            ):
                if limited:
                    memory = f"{limits['question_memory_bytes'] >> 20} MB that one question may take"
                found = function(Student(shell.user_ns), handed)
                if not isinstance(found, dict | Iterator):
                    raise BadProbe(f"the probe of {ask_id!r} returned no dict")
                codec.gather(found, values)
        result["values"] = codec.encode_answer(values, max_bytes=limits["answer_bytes"])
        result["status"] = "answered"
    except BadProbe as error:
        result["message"] = str(error)
    except SpoiltPython as error:
        result["status"], result["message"] = "raised", str(error)
    except codec.BadValue as error:
        too_big = "more than the limit of" in str(error)
        result["status"] = "output_limit" if too_big else "raised"
        result["message"] = f"{str(error)[:600]}."
    except BaseException as error:
        disarm()
        result.update(_judged(error, shell, ask_id, limits, memory))
        traceback.clear_frames(error.__traceback__)
    finally:
        disarm()
    if values and result["status"] != "answered":
        with contextlib.suppress(codec.BadValue):  # what was there before the error
            result["values"] = codec.encode_answer(values, max_bytes=limits["answer_bytes"])
    result["changed_inputs"] = _changed(given, challenge)
    result["warnings"] = _listed(caught)
    result["seconds"] = time.perf_counter() - began
    result["cpu_seconds"] = time.process_time() - computed
    return result


@contextlib.contextmanager
def _names_kept(names: dict[str, Any]) -> Iterator[None]:
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
        status, message = "missing", (
            f"`{_name(error)}` is not defined in your notebook: is its cell filled in, and does it run without error?"
        )
    elif isinstance(error, NotImplementedError) and is_students(innermost, shell):
        stub = frames[-1].name
        status, message = "missing", (
            f"`{stub}` is not written yet: replace the line `raise NotImplementedError()` by your solution."
        )
    elif isinstance(error, AttributeError) and in_probe and _owner(error, shell):
        status, message = "missing", f"`{_owner(error, shell)}` has no `{error.name}`."
    elif isinstance(error, NameError) and in_probe:
        status, message = "grader_error", f"the probe of {ask_id!r} is at fault: {message}"
    return {"status": status, "message": message[:MAX_TEXT], "traceback": _trimmed(error, frames)}


def _name(error: MissingName) -> str:
    return str(error.args[0])[:100] if error.args else "?"


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
    changed = []
    pristine = codec.decode(challenge, max_bytes=len(challenge)) if given else {}
    for name, value in pristine.items():
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
