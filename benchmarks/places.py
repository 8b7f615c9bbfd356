"""How often the place of a mistake is found in code that the search was not made with: ``python benchmarks/places.py``.

The corpus is ``tests/places``: solutions in the styles of beginners, written apart from the engine, each with the texts
at fault. A wrong one is *located* when every place that is claimed lies on a text at fault (or on one that a teacher
could as well point at), *elsewhere* when one does not, and *silent* when nothing is claimed. Right ones must be silent.
``--corpus unseen`` takes ``tests/places/unseen``: written later, without a look at the search; its first run is the
figure for code never seen, in docs/graders.md. ``--corpus third``, ``fourth`` and ``fifth`` are later ones, written
in the same way.
The seconds are those that the places add to the marks, on this machine, the median and the most.

``--class EXERCISE`` measures a class instead, 30 % of it wrong: the processor time of all processes of `autograder
grade` with places beside that without, so that a busy machine does not matter.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
from computing import Watched

from autograder.audit import load_variants
from autograder.build.submission import fill, solutions
from autograder.course import source_notebook
from autograder.exercises import load
from autograder.grading.grade import grade_notebook
from autograder.marking.spans import Place, offsets
from autograder.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "places"))
from corpus import Entry, corpus  # noqa: E402


def laid(entry: Entry) -> Any:
    """The notebook of an entry: its cell, and the course's own solution in every other one."""
    solved, stub = (nbformat.read(ROOT / kind / f"{entry.notebook}.ipynb", 4) for kind in ("source", "assignments"))
    answers = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell.source for cell in solved.cells}
    for cell in stub.cells:
        nbgrader = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code" and nbgrader.get("solution"):
            cell.source = entry.source if nbgrader["grade_id"] == entry.cell else answers[nbgrader["grade_id"]]
    return stub


def is_at_fault(entry: Entry, place: Place) -> bool:
    """Whether a place lies within a line of a text at fault, or the other way round."""
    if place.cell != entry.cell or (span := offsets(entry.source, place)) is None:
        return False
    for text in entry.faults + entry.alternatives:
        start = entry.source.index(text)
        if span[0] < start + len(text) and start < span[1]:
            return True
    return False


def measured(entries: list[Entry]) -> Iterator[dict[str, Any]]:
    with Sandbox() as sandbox:
        for entry in entries:
            seconds = []
            for times, places in enumerate((True, False, True)):  # what an exercise needs is worked out the first time
                again = replace(entry, source=entry.source + "\n# again" * times)  # equal code is searched only once
                notebook, began = laid(again), time.perf_counter()
                marks = grade_notebook(
                    notebook, load(entry.notebook.split("/")[1]), sandbox, root=ROOT, seed=1, places=places
                ).marks
                seconds.append(time.perf_counter() - began)
            lines = [line for question in marks.questions for line in question.lines if line.place is not None]
            found = [(line.name, line.place.line, line.place.code, line.place.text) for line in lines if line.place]
            right = [line.place is not None and is_at_fault(entry, line.place) for line in lines]
            verdict = "silent" if not right else "located" if all(right) else "elsewhere"
            yield {
                "id": entry.id, "kind": entry.kind, "verdict": verdict, "places": found, "faults": entry.faults,
                "seconds": round(seconds[2] - seconds[1], 2),
            }  # fmt: skip


def handed_in(name: str, folder: Path, size: int) -> None:
    """The notebooks of a class: every one another text, three of ten with a mistake, and each mistake another one."""
    exercise = load(name)
    variants, solved, source = load_variants(ROOT, exercise), solutions(ROOT, exercise), source_notebook(ROOT, exercise)
    wrong = 3 * size // 10
    step = len(variants.wrong) // wrong
    chosen = [*variants.wrong[: step * wrong : step], *(variants.right[n % len(variants.right)] for n in range(size))]
    for number, variant in enumerate(chosen[:size]):
        cells = {cell: f"{text}\n# {number}" for cell, text in variant.apply(solved).items()}
        path = folder / f"student{number:02}" / exercise.sheet / f"{name}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(fill(source, cells), path)


def computed(folder: Path, *options: str) -> float:
    """Seconds of processor time that `autograder grade` takes, with all its processes."""
    command = [sys.executable, "-m", "autograder", "grade", str(folder), "--root", str(ROOT), "--json", *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process, Watched(process.pid) as watched:
        process.wait()
    if process.returncode == 2:
        raise SystemExit("the class was not graded")
    return watched.seconds() + sum(watched.before.values()) / 1e9


def of_class(name: str, size: int = 20) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "submitted"
        handed_in(name, folder, size)
        marks, places = computed(folder, "--no-places"), computed(folder)
    print(f"{name}: {size} notebooks, marks {marks:.1f} s, with places {places:.1f} s: {places / marks:.2f} x")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="every entry, a line each")
    folders = sorted({sheet.parent.name for sheet in (ROOT / "tests" / "places").glob("*/*.py.txt")})
    parser.add_argument("--corpus", default="", choices=folders, help="a folder in tests/places")
    parser.add_argument("ids", nargs="*", metavar="ID", help="entries to measure; all by default")
    parser.add_argument("--class", dest="of", metavar="EXERCISE", help="measure a class of this exercise")
    arguments = parser.parse_args()
    if arguments.of:
        of_class(arguments.of)
        return
    found = []
    entries = corpus(arguments.corpus)
    wanted = [one for one in entries if one.kind != "odd" and (not arguments.ids or one.id in arguments.ids)]
    for one in measured(wanted):
        found.append(one)
        if arguments.json:
            print(json.dumps(one, ensure_ascii=False), flush=True)
    for kind in ("wrong", "right"):
        mine = [one for one in found if one["kind"] == kind]
        count = {word: sum(one["verdict"] == word for one in mine) for word in ("located", "elsewhere", "silent")}
        print(f"{kind}: {len(mine)}; " + ", ".join(f"{word} {number}" for word, number in count.items()))
    added = [one["seconds"] for one in found if one["kind"] == "wrong"]
    print(f"seconds added: median {statistics.median(added):.1f}, most {max(added):.1f}")


if __name__ == "__main__":
    main()
