"""What the solved references take of each limit, and the factor that is left: ``python benchmarks/limits.py``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nbformat

from autograder.build.submission import fill, solutions
from autograder.course import sheet_files, source_notebook
from autograder.exercises import NAMES, load
from autograder.grading.notebook import plan
from autograder.marking import challenges
from autograder.sandbox import Ask, Cell, Job, Limits, Sandbox

ROOT = Path(__file__).resolve().parents[1]


def measure(name: str, sandbox: Sandbox) -> dict[str, float]:
    """Seconds, bytes and the like of one reference, everything run as for feedback."""
    exercise = load(name)
    released = nbformat.read(ROOT / "assignments" / exercise.sheet / f"{name}.ipynb", as_version=4)
    planned = plan(fill(released, solutions(ROOT, exercise)), source_notebook(ROOT, exercise), full=True)
    asked = challenges(name, 1)
    job = Job(
        cells=tuple(Cell(cell.id, cell.source) for cell in planned.cells),
        asks=tuple(Ask(p.name, p.source, tuple(c.given for c in asked[p.name])) for p in exercise.probes),
        files=sheet_files(ROOT, exercise.sheet),
        limits=replace(Limits(), **exercise.limits),
    )
    outcome = sandbox.run(job)
    sizes = [sum(len(str(output)) for output in cell.outputs) for cell in outcome.cells]
    answers = [answer for answers in outcome.answers.values() for answer in answers]
    return {
        "cell_cpu_seconds": max(cell.seconds for cell in outcome.cells),
        "question_cpu_seconds": max(answer.seconds for answer in answers),
        "cpu_seconds": sum(cell.seconds for cell in outcome.cells) + sum(answer.seconds for answer in answers),
        "memory_bytes": outcome.peak_memory,
        "output_bytes": max(sizes),
        "notebook_output_bytes": sum(sizes),
    }


def main() -> None:
    """Print one table: per limit the largest need of any reference, whose it is, the default and the factor."""
    with Sandbox() as sandbox:
        found = {name: measure(name, sandbox) for name in NAMES}
    print("| limit | largest need | of | limit there | factor |\n|---|---|---|---|---|")
    for limit in next(iter(found.values())):
        name = min(found, key=lambda n: vars(replace(Limits(), **load(n).limits))[limit] / max(found[n][limit], 1e-9))
        allowed, need = vars(replace(Limits(), **load(name).limits))[limit], found[name][limit]
        scale, unit = (2**20, "MB") if "bytes" in limit else (1, "s")
        print(f"| `{limit}` | {need / scale:.2f} {unit} | {name} | {allowed / scale:g} {unit} | {allowed / need:.0f} |")


if __name__ == "__main__":
    main()
