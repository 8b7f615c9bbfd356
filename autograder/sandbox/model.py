"""What goes into the sandbox and what comes out: plain, frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any, TypeAlias

#: numpy arrays of numbers, int, float, bool, str, None, and nested dicts and lists of those (see inside/codec.py).
Value: TypeAlias = Any

#: What can become of a question. Only `grader_error` is our fault.
ANSWER_STATUSES = (
    "answered",
    "missing",
    "raised",
    "timed_out",
    "out_of_memory",
    "output_limit",
    "crashed",
    "grader_error",
)
CELL_STATUSES = ("ok", *ANSWER_STATUSES[2:])


class SandboxUnavailable(RuntimeError):
    """No isolation (of the level asked for) is to be had here: the reason and the remedy, in a sentence or two."""


@dataclass(frozen=True)
class Limits:
    """What one submission may take. Seconds of CPU are what is judged; wall seconds only stop what sleeps or hangs."""

    cell_cpu_seconds: float = 20.0  #: per cell
    cell_wall_seconds: float = 40.0  #: per cell
    question_cpu_seconds: float = 5.0  #: per challenge of a question
    question_wall_seconds: float = 10.0  #: per challenge of a question
    cpu_seconds: float = 90.0  #: per submission, each time it is run
    wall_seconds: float = 180.0  #: per submission, all reruns together
    reruns: int = 5  #: fresh starts after something killed the process
    memory_bytes: int = 1 << 30  #: beyond what the libraries take
    question_memory_bytes: int = 256 << 20  #: per challenge of a question, beyond what the cells hold
    threads: int = 32
    open_files: int = 256
    file_bytes: int = 16 << 20  #: one file
    tmp_bytes: int = 32 << 20  #: the whole scratch folder, beyond the job's own files
    output_bytes: int = 4 << 20  #: prints and figures of one cell
    notebook_output_bytes: int = 24 << 20  #: prints and figures of all cells
    answer_bytes: int = 64 << 10  #: the answer at one challenge

    def per_cell(self, seconds: float) -> Limits:
        """The same limits with another time for one cell; the whole notebook gets at least as much."""
        return replace(
            self,
            cell_cpu_seconds=float(seconds),
            cell_wall_seconds=float(seconds),
            cpu_seconds=max(self.cpu_seconds, float(seconds)),
            wall_seconds=max(self.wall_seconds, float(seconds)),
        )


@dataclass(frozen=True)
class Cell:
    """One code cell: `id` names it in the outcome, `source` is IPython code."""

    id: str
    source: str


@dataclass(frozen=True)
class Ask:
    """One question: a probe, asked at each challenge.

    `probe` is the source of one self-contained function `def NAME(student, given): ... return {name: value}`. `student`
    gives the notebook's globals as attributes, `given` is the challenge's own copy, `np` is numpy. A probe may yield
    its values in parts instead; what it has yielded counts, whatever is raised afterwards. `cells` are the graded cells
    that the answers are for. ``task`` is empty for a question that is answered; ``record`` and ``repair`` run the probe
    many times beside instrumented code (see inside/repair/), and their one challenge says at which points.
    """

    id: str
    probe: str
    challenges: tuple[Mapping[str, Value], ...]
    cells: tuple[str, ...] = ()
    task: str = ""


@dataclass(frozen=True)
class Job:
    """One submission: its cells in order, what to ask afterwards, and the files beside it.

    ``places`` says for graded cells how many cells come before them. Plain values are answered as they were there, too.
    ``bytecode`` is laid beside the files too. It is a compiled form of some of them, so that two jobs that differ only
    in it are the same job. ``instrumented`` are the numbers of the cells that are compiled with a hook around every
    expression, for questions with a task. ``modules`` are those that the job is seen to import: it runs sooner where
    they are there.

    Raises ValueError for a repeated question id or a file name that leads out of the notebook's folder.
    """

    cells: tuple[Cell, ...]
    asks: tuple[Ask, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    seed: int = 0
    limits: Limits = Limits()
    bytecode: Mapping[str, bytes] = field(default_factory=dict, compare=False)
    places: Mapping[str, int] = field(default_factory=dict)
    instrumented: tuple[int, ...] = ()
    modules: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be laid out."""
        if len({ask.id for ask in self.asks}) != len(self.asks):
            raise ValueError("two questions of one job have the same id")
        for name in (*self.files, *self.bytecode):
            parts = PurePosixPath(name).parts
            if not parts or name.startswith("/") or ".." in parts or "\0" in name:
                raise ValueError(f"not a file name inside the notebook's folder: {name!r}")

    @property
    def laid_out(self) -> dict[str, bytes]:
        """Everything that lies beside the notebook while it runs."""
        return {**self.files, **self.bytecode}


@dataclass(frozen=True)
class Answer:
    """What came back at one challenge. `values` are those that were there before an error, if there was one.

    ``earlier`` has for a graded cell what is answered with the plain values as they were there, if that is different.
    """

    status: str
    values: Mapping[str, Value] = field(default_factory=dict)
    message: str = ""  #: for the student, one or two sentences; of an answer, why a name that it asks for is not there
    traceback: str = ""  #: the student's own frames only
    changed_inputs: tuple[str, ...] = ()  #: names of inputs that were changed in place
    warnings: tuple[str, ...] = ()  #: such as "RuntimeWarning: overflow encountered in exp"
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    earlier: Mapping[str, Answer] = field(default_factory=dict)


@dataclass(frozen=True)
class CellResult:
    """What became of one cell; `outputs` are nbformat v4 outputs."""

    id: str
    status: str
    outputs: list[dict[str, Any]] = field(default_factory=list)
    execution_count: int | None = None
    message: str = ""
    seconds: float = 0.0
    cpu_seconds: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """A submission's cells, in order, and its answers: for each question one per challenge."""

    cells: tuple[CellResult, ...]
    answers: Mapping[str, tuple[Answer, ...]]
    level: str
    seconds: float
    peak_memory: int  #: bytes beyond what the libraries take
    reruns: int = 0
