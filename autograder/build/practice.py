"""The steps of the practice tasks that are those of an exercise: written into the toolkit, so that they stand once."""

from __future__ import annotations

import json
from pathlib import Path

from autograder.exercise import Verdict
from autograder.exercises import worked_calculation

PATH = Path("reference/toolkit/practice.py")
BEGIN = "# The steps of the worked calculation, from its exercise: `autograder build` writes them.\n"
END = "# The end of what `autograder build` writes.\n"


def renewed(text: str) -> str:
    """The toolkit's module with the steps as they are in the exercise; unchanged where it has no place for them."""
    if BEGIN not in text or END not in text:
        return text
    start, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    return text[:start] + _steps() + text[end:]


def renew(root: Path) -> list[Path]:
    """Write the steps into the toolkit below ``root``; the files that changed."""
    path = root / PATH
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if renewed(text) == text:
        return []
    path.write_text(renewed(text), encoding="utf-8", newline="\n")
    return [PATH]


def _steps() -> str:
    """Every step with its formula, why, and the sentences about its slips.

    A step that is too small cannot be told from the old value at four figures: nothing is said of it.
    """
    lines = ["WORKED_STEPS = ("]
    for step in worked_calculation.ALL:
        told = [
            (slip.formula, Verdict.named(slip.id, title=slip.title, hint=slip.hint))
            for slip in step.slips
            if slip.id != "step-too-small"
        ]
        said = [f"        ({_text(formula)}, {_text(f'{v.message} {v.hint}')})," for formula, v in told]
        figures = f", figures={step.figures}" if step.figures else ""
        first = f"    Step({_text(step.name)}, {_text(step.formula)}, {_text(step.why)}, ("
        lines += [first, *said, f"    ){figures}),"]
    return "\n".join([*lines, ")  # fmt: skip\n"])


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
