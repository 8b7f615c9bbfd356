"""One submission's state over its runs: what is done, what is left, and who is to blame when a run ends early."""

from __future__ import annotations

import signal
from dataclasses import replace
from typing import Any

from . import outputs
from .host import Ending
from .inside import codec
from .model import ANSWER_STATUSES, CELL_STATUSES, Answer, CellResult, Job, Limits

#: ("cell", index) or ("ask", index, challenge)
Item = tuple[Any, ...]


class Progress:
    """Plain bookkeeping; not shared between threads."""

    def __init__(self, job: Job, *, folder: str, level: str) -> None:
        """Nothing is done yet."""
        self.job, self.folder, self.level = job, folder, level
        self.cells: dict[int, CellResult] = {}
        self.answers: dict[tuple[int, int], Answer] = {}
        self.left_out: set[int] = set()
        self.peak_memory = 0
        self._plan: list[Item] = []
        self._next = 0
        self._current: Item | None = None
        self._ready = False
        self._counts: dict[int, int | None] = {}
        count = 0
        for index, cell in enumerate(job.cells):
            blank = not cell.source.strip()
            count += not blank
            self._counts[index] = None if blank else count
            if blank:
                self.cells[index] = CellResult(cell.id, "ok")
        # Challenges are encoded once, outside: the isolated side decodes a fresh copy for each use.
        self._challenges: dict[tuple[int, int], bytes] = {}
        for index, ask in enumerate(job.asks):
            for number, challenge in enumerate(ask.challenges):
                try:
                    self._challenges[index, number] = codec.encode(dict(challenge), max_bytes=1 << 26)
                except codec.BadValue as error:
                    self.answers[index, number] = Answer("grader_error", message=f"The challenge is at fault: {error}.")

    def payload(self) -> dict[str, Any]:
        """What the next run is to do: all cells but those left out, and the challenges without an answer."""
        limits = self.job.limits
        cells = [
            {"index": index, "source": cell.source, "execution_count": self._counts[index]}
            for index, cell in enumerate(self.job.cells)
            if self._counts[index] is not None and index not in self.left_out
        ]
        asks = []
        for index, ask in enumerate(self.job.asks):
            wanted = [
                [number, self._challenges[index, number]]
                for number in range(len(ask.challenges))
                if (index, number) not in self.answers
            ]
            if wanted:
                about: dict[str, Any] = {"index": index, "id": ask.id, "probe": ask.probe, "cells": list(ask.cells)}
                about["task"] = ask.task
                asks.append({**about, "challenges": wanted})
        self._plan = [("cell", cell["index"]) for cell in cells]
        self._plan += [("ask", ask["index"], number) for ask in asks for number, _ in ask["challenges"]]
        self._next, self._current, self._ready = 0, None, False
        files = self.job.laid_out
        own_files = sum(len(data) + 4096 for data in files.values())
        return {
            "cells": cells,
            "places": dict(self.job.places),
            "instrumented": list(self.job.instrumented),
            "modules": list(self.job.modules),
            "asks": asks,
            "files": files if self.level == "full" else {},
            "folder": self.folder,
            "seed": self.job.seed,
            "limits": {**vars(limits), "own_files_bytes": own_files},
        }

    @property
    def finished(self) -> bool:
        """Whether every cell has a result and every challenge an answer."""
        return len(self.cells) == len(self.job.cells) and not self._unanswered()

    def _unanswered(self) -> list[tuple[int, int]]:
        everything = [(i, n) for i, ask in enumerate(self.job.asks) for n in range(len(ask.challenges))]
        return [key for key in everything if key not in self.answers]

    def on_frame(self, frame: Any) -> float | None:
        """Take in one frame, which must be the one that the plan has next; return the seconds allowed for what follows.

        Raises BadValue for any other frame.
        """
        kind = frame.get("kind") if isinstance(frame, dict) else None
        if not self._ready:
            if kind != "ready":
                raise codec.BadValue("a frame before the beginning")
            self._ready = True
            return None
        if self._current is None:
            item = self._plan[self._next] if self._next < len(self._plan) else None
            if item is None or item != _item(frame, "cell_started", "ask_started"):
                raise codec.BadValue("a frame out of turn")
            self._current = item
            limits = self.job.limits
            return limits.cell_wall_seconds if item[0] == "cell" else limits.question_wall_seconds
        if self._current != _item(frame, "cell_done", "answer"):
            raise codec.BadValue("a frame out of turn")
        if self._current[0] == "cell":
            self._take_cell(self._current[1], frame)
        else:
            self._take_answer(self._current[1:], frame)
        self._next, self._current = self._next + 1, None
        return None

    def _take_cell(self, index: int, frame: dict[str, Any]) -> None:
        status = _text(frame, "status")
        if status not in CELL_STATUSES:
            raise codec.BadValue("unknown status")
        result = CellResult(
            id=self.job.cells[index].id,
            status=status,
            outputs=outputs.valid_outputs(frame.get("outputs")),
            execution_count=self._counts[index],
            message=_text(frame, "message")[:4000],
            seconds=_seconds(frame, "seconds"),
            cpu_seconds=_seconds(frame, "cpu_seconds"),
        )
        updates = frame.get("updates")
        for update in updates if isinstance(updates, list) else []:
            self._update(index, update)
        self.cells.setdefault(index, result)  # a later run repeats the cell; its first result stands

    def _update(self, later: int, update: Any) -> None:
        """Change an earlier cell's display, as `update_display` does in a notebook."""
        if not isinstance(update, dict):
            raise codec.BadValue("not an update")
        cell, place = update.get("cell"), update.get("output")
        bundle = outputs.valid_bundle(update)
        if type(cell) is int and type(place) is int and cell < later and cell in self.cells:
            shown = self.cells[cell].outputs
            if 0 <= place < len(shown) and "data" in shown[place]:
                shown[place].update(bundle)

    def _take_answer(self, key: tuple[int, int], frame: dict[str, Any]) -> None:
        earlier = frame.get("earlier")
        if not isinstance(earlier, dict) or not set(earlier) <= set(self.job.asks[key[0]].cells):
            raise codec.BadValue("not an answer as it was at a graded cell")
        self.answers[key] = replace(
            self._answer(frame),
            changed_inputs=_texts(frame, "changed_inputs"),
            warnings=_texts(frame, "warnings"),
            seconds=_seconds(frame, "seconds"),
            cpu_seconds=_seconds(frame, "cpu_seconds"),
            earlier={cell: self._answer(fields) for cell, fields in earlier.items()},
        )

    def _answer(self, fields: Any) -> Answer:
        data = fields.get("values") if isinstance(fields, dict) else None
        if not isinstance(data, bytes):
            raise codec.BadValue("an answer without values")
        status = _text(fields, "status")
        if status not in ANSWER_STATUSES:
            raise codec.BadValue("unknown status")
        return Answer(
            status=status,
            values=codec.values_of(data, max_bytes=self.job.limits.answer_bytes) if data else {},
            message=_text(fields, "message")[:4000],
            traceback=_text(fields, "traceback")[:8000],
        )

    def after(self, ending: Ending) -> None:
        """Settle what a run that has ended leaves: at least one item more is settled each time."""
        self.peak_memory = max(self.peak_memory, ending.memory)
        if ending.reason == "done" and self._next == len(self._plan):
            return
        if not self._ready:
            reason = ending.text or f"it ended with {ending.exit}"
            self.settle_rest("grader_error", f"The isolated process could not be set up: {reason}.")
            return
        if ending.reason == "full":
            if self._next and self._plan[self._next - 1][0] == "cell":
                self.left_out.add(self._plan[self._next - 1][1])
                return
            if self._next:
                return  # a question's memory goes with its process, and its answer is already there
        item = self._current or (self._plan[self._next] if self._next < len(self._plan) else None)
        if item is None:
            return  # everything is there, and what came after does not matter
        status, message = self._verdict(ending, "cell" if item[0] == "cell" else "question")
        self._settle(item, status, message)
        if ending.reason == "out_of_time":
            self.settle_rest("timed_out", f"Not run: the notebook had used up its {_limit_words(self.job.limits)}.")

    def _settle(self, item: Item, status: str, message: str) -> None:
        if item[0] == "cell":
            index = item[1]
            self.left_out.add(index)
            words = [outputs.note(status, message)]
            result = CellResult(self.job.cells[index].id, status, words, self._counts[index], message)
            self.cells.setdefault(index, result)
        else:
            self.answers.setdefault((item[1], item[2]), Answer(status, message=message))

    def _verdict(self, ending: Ending, what: str) -> tuple[str, str]:
        limits = self.job.limits
        if ending.reason == "out_of_time":
            return "timed_out", f"Stopped in this {what}: the notebook used up its {_limit_words(limits)}."
        if ending.reason == "late":
            seconds = limits.cell_wall_seconds if what == "cell" else limits.question_wall_seconds
            return "timed_out", f"This {what} was stopped after {seconds:g} s; is there a loop that never ends?"
        if ending.reason == "broken":  # only student code can have broken the harness, once it was ready
            return "crashed", f"This {what} broke the process that runs the notebook; what came after ran without it."
        if ending.reason == "protocol":
            return "crashed", f"This {what} sent something to the grader that is not an answer."
        if ending.exit in (-signal.SIGKILL, -signal.SIGXCPU) and ending.cpu >= limits.cpu_seconds * 0.95:
            return "timed_out", f"The notebook used up its {limits.cpu_seconds:g} s of computing in this {what}."
        if ending.exit is not None and ending.exit < 0 and ending.exit != -signal.SIGKILL:
            name = signal.Signals(-ending.exit).name
            return "crashed", f"This {what} made Python itself crash ({name}); what came after it ran without it."
        return "crashed", f"This {what} ended the Python process; what came after it ran without it."

    def settle_rest(self, status: str, message: str) -> None:
        """Give everything that is still open the same status."""
        for index in range(len(self.job.cells)):
            if index not in self.cells:
                self._settle(("cell", index), status, message)
        for key in self._unanswered():
            self.answers[key] = Answer(status, message=message)


def _limit_words(limits: Limits) -> str:
    return f"{limits.wall_seconds:g} s in all"


def _item(frame: Any, cell_kind: str, ask_kind: str) -> Item | None:
    if isinstance(frame, dict):
        if frame.get("kind") == cell_kind:
            return ("cell", frame.get("index"))
        if frame.get("kind") == ask_kind:
            return ("ask", frame.get("ask"), frame.get("challenge"))
    return None


def _text(frame: dict[str, Any], name: str) -> str:
    value = frame.get(name)
    if not isinstance(value, str):
        raise codec.BadValue(f"`{name}` is not text")
    return value


def _texts(frame: dict[str, Any], name: str) -> tuple[str, ...]:
    values = frame.get(name)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise codec.BadValue(f"`{name}` is not a list of texts")
    return tuple(value[:500] for value in values[:100])


def _seconds(frame: dict[str, Any], name: str) -> float:
    value = frame.get(name)
    if not isinstance(value, float) or not 0 <= value < 1e6:
        raise codec.BadValue(f"`{name}` is not a number of seconds")
    return value
