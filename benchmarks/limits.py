"""What the solved references take of each limit, and the factor that is left: ``python benchmarks/limits.py``.

Seconds are those of computing, which depend little on what else the machine does; memory of a question is found by
halving its limit until the answers change.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import nbformat

from autograder.build.submission import fill, solutions
from autograder.course import imported_by, sheet_files, source_notebook
from autograder.exercises import NAMES, load
from autograder.grading.notebook import plan
from autograder.marking import challenges
from autograder.sandbox import Answer, Ask, Cell, Job, Limits, Outcome, Sandbox

ROOT = Path(__file__).resolve().parents[1]

LEAST_MEMORY = 1 << 20
"""The memory limit of a question at which the search stops: one megabyte."""


def job(name: str, *, full: bool) -> Job:
    """The reference of an exercise as a submission, with its own limits."""
    exercise = load(name)
    released = nbformat.read(ROOT / "assignments" / exercise.sheet / f"{name}.ipynb", as_version=4)
    planned = plan(fill(released, solutions(ROOT, exercise)), source_notebook(ROOT, exercise), full=full)
    asked = challenges(load(name), 1)
    return Job(
        cells=tuple(Cell(cell.id, cell.source) for cell in planned.cells),
        asks=tuple(Ask(p.name, p.source, tuple(c.given for c in asked[p.name])) for p in exercise.probes),
        files=sheet_files(ROOT, exercise.sheet),
        limits=replace(Limits(), **exercise.limits),
        modules=imported_by(ROOT, exercise.sheet, "\n".join(cell.source for cell in planned.cells)),
    )


def answers(outcome: Outcome) -> list[Answer]:
    """All answers to all questions."""
    return [answer for some in outcome.answers.values() for answer in some]


def question_memory(name: str, sandbox: Sandbox) -> int:
    """Bytes, to a factor of two, that the questions of a reference need."""
    asked = job(name, full=False)
    size = asked.limits.question_memory_bytes
    while size > LEAST_MEMORY:
        tried = replace(asked, limits=replace(asked.limits, question_memory_bytes=size // 2))
        if any(answer.status != "answered" for answer in answers(sandbox.run(tried))):
            return size
        size //= 2
    return size


def measure(name: str, sandbox: Sandbox) -> dict[str, float]:
    """Seconds, bytes and the like of one reference, everything run as for feedback."""
    outcome = sandbox.run(job(name, full=True))
    sizes = [sum(len(str(output)) for output in cell.outputs) for cell in outcome.cells]
    cells, asked = [cell.cpu_seconds for cell in outcome.cells], [answer.cpu_seconds for answer in answers(outcome)]
    return {
        "cell_cpu_seconds": max(cells),
        "question_cpu_seconds": max(asked),
        "cpu_seconds": sum(cells) + sum(asked),
        "memory_bytes": outcome.peak_memory,
        "question_memory_bytes": question_memory(name, sandbox),
        "output_bytes": max(sizes),
        "notebook_output_bytes": sum(sizes),
    }


def main() -> None:
    """Print one table: per limit the least factor of any reference, whose it is, the need and the limit there."""
    names = sys.argv[1:] or NAMES
    with Sandbox() as sandbox:
        found = {name: measure(name, sandbox) for name in names}
    print("| limit | need | of | limit there | factor |\n|---|---|---|---|---|")
    for limit in next(iter(found.values())):
        name = min(found, key=lambda n: vars(replace(Limits(), **load(n).limits))[limit] / max(found[n][limit], 1e-9))
        allowed, need = vars(replace(Limits(), **load(name).limits))[limit], found[name][limit]
        scale, unit = (2**20, "MB") if "bytes" in limit else (1, "s")
        print(f"| `{limit}` | {need / scale:.2f} {unit} | {name} | {allowed / scale:g} {unit} | {allowed / need:.1f} |")


if __name__ == "__main__":
    main()
