"""The sandbox: run a student's cells isolated, ask questions of what they define, and get plain data back."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeAlias

from .canary import canary
from .host import Ending, Zygote, watch
from .model import Answer, Job, Outcome, SandboxUnavailable
from .view import FOLDER

if TYPE_CHECKING:
    from .progress import Progress

LEVELS = ("full", "reduced", "none")

OnAnswer: TypeAlias = Callable[[str, tuple[Answer, ...]], None]


class Told:
    """Passes frames on to the progress, and tells of each question once, when all its answers are there."""

    def __init__(self, progress: Progress, on_answer: OnAnswer | None) -> None:
        """Nothing is told yet."""
        self._progress, self._on_answer = progress, on_answer
        self._ids: set[str] = set()

    def on_frame(self, frame: Any) -> float | None:
        """Hand one frame on; the result is that of the progress."""
        seconds = self._progress.on_frame(frame)
        self.look()
        return seconds

    def look(self) -> None:
        """Tell of what is new."""
        if self._on_answer is None:
            return
        answers = self._progress.answers
        for index, ask in enumerate(self._progress.job.asks):
            keys = [(index, number) for number in range(len(ask.challenges))]
            if ask.id not in self._ids and all(key in answers for key in keys):
                self._ids.add(ask.id)
                self._on_answer(ask.id, tuple(answers[key] for key in keys))


class Sandbox:
    """One zygote, ready to run jobs. A context manager; `run` may be called from many threads at the same time."""

    def __init__(
        self, *, level: str = "auto", modules: Path | None = None, hide: Iterable[Path] = (), soon: Iterable[str] = ()
    ) -> None:
        """Start the zygote and, unless `level` is "none", prove its walls with a canary.

        `level`: "full" (bubblewrap, namespaces, seccomp), "reduced" (Landlock and seccomp, no scratch folder), "auto"
        (the better of the two that holds here) or "none" (no walls, only when asked for in so many words). `modules`: a
        folder of the course's helper modules, read-only and first on the notebook's import path. `hide`: more folders
        that must not be seen, should they lie inside a library folder. `soon`: modules that the first job is known to
        use. Raises SandboxUnavailable with the reason and the remedy.
        """
        self._modules = None if modules is None else Path(modules).resolve()
        self._hide = tuple(Path(path) for path in hide)
        self._lock = threading.Lock()
        self._closed = False
        if level not in ("auto", *LEVELS):
            raise ValueError(f"unknown level {level!r}: one of auto, {', '.join(LEVELS)}")
        reasons = []
        for candidate in ("full", "reduced") if level == "auto" else (level,):
            try:
                self._zygote = Zygote(candidate, self._modules, self._hide, soon)
            except SandboxUnavailable as error:
                reasons.append(str(error))
                continue
            self.level = candidate
            if candidate == "none":
                return
            report = canary(self.run)
            if report.holds:
                return
            self._zygote.close()
            reasons.append(f"At level {candidate} the walls do not hold: {report.words()}.")
        raise SandboxUnavailable(" ".join(reasons))

    def __enter__(self) -> Sandbox:
        """Return the sandbox itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the sandbox."""
        self.close()

    def close(self) -> None:
        """End the zygote and all that it started. Jobs that are still running raise SandboxUnavailable."""
        with self._lock:
            self._closed = True
            self._zygote.close()

    @property
    def pid(self) -> int:
        """The process that holds the zygote."""
        return self._zygote.pid

    def run(self, job: Job, on_answer: OnAnswer | None = None) -> Outcome:
        """Run a submission; whatever its code does costs that code and nothing else.

        `on_answer` is called with the id of each question, and its answers, as soon as all of them are there.
        Raises SandboxUnavailable when the zygote is gone and cannot be started again, and nothing else.
        """
        from .progress import Progress  # imports numpy, which takes as long as to start a zygote

        began = time.monotonic()
        folder = FOLDER if self.level == "full" else tempfile.mkdtemp(prefix="notebook-", dir=self._zygote.scratch)
        try:
            if self.level != "full":
                _lay_out(job, Path(folder))
            progress = Progress(job, folder=folder, level=self.level)
            told = Told(progress, on_answer)
            reruns = self._run(job, progress, told, deadline=began + job.limits.wall_seconds)
            told.look()
        finally:
            if self.level != "full":
                shutil.rmtree(folder, ignore_errors=True)
        answers: dict[str, tuple[Answer, ...]] = {
            ask.id: tuple(progress.answers[index, number] for number in range(len(ask.challenges)))
            for index, ask in enumerate(job.asks)
        }
        return Outcome(
            cells=tuple(progress.cells[index] for index in range(len(job.cells))),
            answers=answers,
            level=self.level,
            seconds=time.monotonic() - began,
            peak_memory=progress.peak_memory,
            reruns=reruns,
        )

    def _run(self, job: Job, progress: Progress, told: Told, *, deadline: float) -> int:
        for attempt in range(job.limits.reruns + 1):
            ending = self._once(job, progress, told, deadline=deadline)
            progress.after(ending)
            if progress.finished:
                return attempt
        starts = job.limits.reruns + 1
        progress.settle_rest("crashed", f"Not run: the notebook ended its process {starts} times before this point.")
        return job.limits.reruns

    def _once(self, job: Job, progress: Progress, told: Told, *, deadline: float) -> Ending:
        for _ in range(2):
            zygote = self._zygote
            ending = watch(zygote, progress.payload(), job.limits, deadline=deadline, on_frame=told.on_frame)
            if ending.reason != "gone":
                return ending
            self._replace(zygote)
        raise SandboxUnavailable(f"The isolated process keeps ending: {ending.text}. Start the grading again.")

    def _replace(self, dead: Zygote) -> None:
        """Start another zygote, unless another thread has."""
        with self._lock:
            if self._closed:
                raise SandboxUnavailable("The sandbox is closed; open a new one.")
            if self._zygote is dead:
                dead.close()
                self._zygote = Zygote(self.level, self._modules, self._hide)


def _lay_out(job: Job, folder: Path) -> None:
    """Write a job's files where no private file system can be made for it."""
    for name, data in job.laid_out.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
