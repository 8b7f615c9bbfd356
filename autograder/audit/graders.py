"""Two ways to get a variant graded: the real path, and a fast one for authors that trusts the variant's code."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from autograder.course import source_notebook
from autograder.exercise import Exercise
from autograder.grading.notebook import plan
from autograder.in_kernel import ask
from autograder.marking import QuestionMark, challenges, mark
from autograder.marking.mark import Answer
from autograder.sandbox import Sandbox

Grader = Callable[[NotebookNode, Exercise], tuple[QuestionMark, ...]]
"""A filled notebook to the marks of its questions."""

SEED = 1
"""The seed that the published table is made with; what it shows must hold for every other seed."""


def isolated(root: Path, sandbox: Sandbox, seed: int = SEED, *, places: bool = False) -> Grader:
    """The real path: isolated execution, then marking, and with ``places`` the search for them."""
    from autograder.grading.grade import grade_notebook

    def grade(notebook: NotebookNode, exercise: Exercise) -> tuple[QuestionMark, ...]:
        return grade_notebook(notebook, exercise, sandbox, root=root, seed=seed, places=places).marks.questions

    return grade


def in_process(root: Path, seed: int = SEED) -> Grader:
    """The fast path: the cells are run in this process. Only for variants from the course's own repository."""

    def grade(notebook: NotebookNode, exercise: Exercise) -> tuple[QuestionMark, ...]:
        return mark(exercise, seed, answers_here(notebook, exercise, root, seed))

    return grade


def answers_here(notebook: NotebookNode, exercise: Exercise, root: Path, seed: int) -> dict[str, list[Answer]]:
    """What a notebook of the course's own repository answers, run in this process."""
    with running(notebook, exercise, root) as names:
        asked = challenges(exercise, seed)
        return {
            probe.name: [ask(probe, names, challenge.given) for challenge in asked[probe.name]]
            for probe in exercise.probes
        }


@contextlib.contextmanager
def running(notebook: NotebookNode, exercise: Exercise, root: Path) -> Iterator[dict[str, Any]]:
    """The names that a notebook of the course's own defines, run in this process, and its folder meanwhile."""
    names: dict[str, Any] = {"__name__": "__main__"}
    with _beside(root / "source" / exercise.sheet), contextlib.redirect_stdout(io.StringIO()):
        for cell in plan(notebook, source_notebook(root, exercise), full=False).cells:
            with contextlib.suppress(Exception):  # as in a notebook: the next cell is run all the same
                exec(compile(cell.source, cell.id, "exec"), names)
        yield names


@contextlib.contextmanager
def _beside(folder: Path) -> Iterator[None]:
    """Run as if in the sheet's folder: its modules are found, its data files too.

    The modules are this run's own: what it changes in one of their classes, the next does not see.
    """
    here, names = Path.cwd(), [path.stem for path in folder.glob("*.py")]
    before = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    sys.path.insert(0, str(folder))
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(here)
        sys.path.remove(str(folder))
        for name in names:
            sys.modules.pop(name, None)
        sys.modules |= before
