"""Reads the sheets ``*.py.txt``: ``# %% kind id notebook cell``, ``#:`` lines on the fault, and the student's cell."""

import re
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Entry:
    """One solution: its cell, and for a wrong one the texts at fault and what is wrong with each.

    ``alternatives`` are texts that a teacher could as well point at for one of the faults.
    """

    kind: str
    id: str
    notebook: str
    cell: str
    source: str
    faults: list[str] = field(default_factory=list)
    why: list[str] = field(default_factory=list)
    alternatives: list[str] = field(default_factory=list)


def corpus(folder: str = "") -> list[Entry]:
    """The entries of the sheets beside this file, or of those in a folder there, ``unseen`` to ``fifth``."""
    entries = []
    for sheet in sorted((Path(__file__).parent / folder).glob("*.py.txt")):
        for part in re.split(r"^# %% ", sheet.read_text(encoding="utf-8"), flags=re.M)[1:]:
            head, *lines = part.splitlines()
            notes: dict[str, list[str]] = {"fault": [], "why": [], "alternatives": []}
            while lines and lines[0].startswith("#: "):
                name, _, text = lines.pop(0)[3:].partition(": ")
                notes[name].append(text)
            why = [reason for text in notes["why"] for reason in text.split(" | ")]
            source = "\n".join(lines)
            entries.append(Entry(*head.split(), source, notes["fault"], why, notes["alternatives"]))
    return entries
