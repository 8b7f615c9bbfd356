"""Reads ``beginners.py.txt``: ``# %% kind id notebook cell``, ``#:`` lines on the fault, and the student's cell."""

import re
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Entry:
    """One solution: its cell, and for a wrong one the texts at fault and what is wrong with each."""

    kind: str
    id: str
    notebook: str
    cell: str
    source: str
    faults: list[str] = field(default_factory=list)
    why: list[str] = field(default_factory=list)


def corpus() -> list[Entry]:
    text = Path(__file__).with_name("beginners.py.txt").read_text(encoding="utf-8")
    entries = []
    for part in re.split(r"^# %% ", text, flags=re.M)[1:]:
        head, *lines = part.splitlines()
        notes = [line for line in lines if line.startswith("#: ")]
        source = "\n".join(line for line in lines if not line.startswith("#: "))
        faults = [note[10:] for note in notes if note.startswith("#: fault: ")]
        why = [text for note in notes if note.startswith("#: why: ") for text in note[8:].split(" | ")]
        entries.append(Entry(*head.split(), source=source, faults=faults, why=why))
    return entries
