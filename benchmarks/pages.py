"""How benchmarks write their figures into a page, and what they say of the machine."""

from __future__ import annotations

import os
import sys
import time
from datetime import date
from pathlib import Path


def ms(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.{1 if seconds < 0.01 else 0}f} ms"


def into(page: Path, sections: dict[str, str]) -> None:
    """Replace what stands between the marks of each section."""
    text = page.read_text()
    for name, content in sections.items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        before, rest = text.split(begin)
        text = f"{before}{begin}\n{content}\n{end}{rest.split(end)[1]}"
    page.write_text(text)


def loop_seconds(rounds: int = 3) -> float:
    """Processor seconds of a plain loop of ten million additions, the best of some rounds.

    Cores of one machine differ by a factor of two from those of another: with this, times of two pages compare.
    """
    found = []
    for _ in range(rounds):
        began, total = time.process_time(), 0
        for number in range(10_000_000):
            total += number
        found.append(time.process_time() - began)
    return min(found)


def measured_on(load: float, when: str = "at the beginning") -> str:
    """The day, the cores and their pace, Python, and the load at that moment: one sentence."""
    return (
        f"Measured on {date.today():%Y-%m-%d} on {os.cpu_count()} cores, each of which takes {loop_seconds():.2f} s "
        f"for ten million additions in a loop, Python {sys.version.split()[0]}, load {load:.1f} {when}"
    )
