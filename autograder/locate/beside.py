"""What stands beside a wrong answer and is right: it answers a question of its own, with all its points."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence

from autograder.exercise import Exercise, Probe, parsed
from autograder.marking import QuestionMark

_READ = re.compile(r"\bstudent\.([^\W\d]\w*)(?!\s*=[^=])\b")


def right_beside(
    exercise: Exercise, questions: Sequence[QuestionMark], probe: Probe, cells: Iterable[str]
) -> list[str]:
    """The functions and classes of these cells that a wrong answer to this probe does not come from.

    Only questions with all their points are about them otherwise, and the probe is about something else, too: two
    questions may be about different sides of one function. Of a class that the probe reads itself nothing is known,
    but where it reads one that is made of it.
    """
    functions, classes = defined(cells)
    asked = {one.id: exercise.question(one.id).probe for one in questions}
    full = {one.id for one in questions if all(line.points >= line.max_points for line in one.lines)}
    others = {id: read_by(one) & (functions | classes.keys()) for id, one in asked.items() if one.name != probe.name}
    right = {name for id, names in others.items() if id in full for name in names}
    right -= {name for id, names in others.items() if id not in full for name in names}
    mine = read_by(probe)
    right -= mine & classes.keys() - {base for name in mine & classes.keys() for base in classes[name]}
    return sorted(right) if mine & (functions | classes.keys()) - right else []


def defined(cells: Iterable[str]) -> tuple[set[str], dict[str, set[str]]]:
    """The functions that cells define, and the classes with those above them."""
    functions, classes = set[str](), dict[str, set[str]]()
    for source in cells:
        try:
            tree = parsed(source)
        except (SyntaxError, ValueError):
            continue
        functions |= {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}
        for one in tree.body:
            if isinstance(one, ast.ClassDef):
                classes[one.name] = {base.id for base in one.bases if isinstance(base, ast.Name)}
    return functions, classes


def read_by(probe: Probe) -> set[str]:
    """The names of the code that a probe speaks of, in its text or as the setting that says which function it calls."""
    return {*_READ.findall(probe.source), *(one for one in probe.settings.values() if isinstance(one, str))}
