"""What is right and wrong with gradients that any code computed, for people and for programs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from autograder.diagnosis.verdicts import CONVENTION, RIGHT, Finding, Report
from autograder.mistakes import MISTAKES

if TYPE_CHECKING:  # read in a browser, which has no rich
    from rich.console import Console

    from autograder.marking import Place

COLOURS = {RIGHT: "green", CONVENTION: "yellow"}


def as_json(report: Report, points: int, places: Mapping[str, Place] | None = None) -> dict[str, Any]:
    """The report for programs: ``parameters`` maps W1, b1, ... to verdict, mistakes, evidence and more.

    ``place`` says where in the code of ``--code`` a wrong answer begins.
    """
    parameters = {}
    for parameter, finding in report.parameters.items():
        entry = asdict(finding)
        if finding.evidence is not None:
            entry["evidence"]["text"] = finding.evidence.text()
        if place := (places or {}).get(parameter):
            shown = ("cell", "line", "end_line", "col", "end_col", "code", "given", "due", "text")
            entry["place"] = {name: getattr(place, name) for name in shown}
        parameters[parameter] = entry
    return {"points": points, "parameters": parameters}


def show(
    report: Report,
    console: Console,
    parameters: Sequence[str],
    *,
    layout: str = "columns",
    names: Mapping[str, str] | None = None,
    places: Mapping[str, Place] | None = None,
) -> None:
    """Print the report for a person, with the names of the file; ``parameters`` are all that could be answered."""
    from rich.text import Text

    names = names or {}

    for parameter, finding in report.parameters.items():
        verdict = finding.verdict.replace("-", " ")
        shown = names.get(parameter, parameter)
        console.print(Text.assemble((shown, "bold"), ": ", (verdict, COLOURS.get(finding.verdict, "red"))))
        if place := (places or {}).get(parameter):
            from autograder.views.places import where

            console.print(Text(f"    {place.cell}, {where(place, cell=False)}: {place.text}"))
        for line in lines(finding, names):
            console.print(Text("    " + line))
    left_out = [names.get(p, p) for p in parameters if p not in report.parameters]
    if left_out:
        console.print(Text(f"No answer was given for {', '.join(left_out)}."))
    if layout != "columns" and any(f.evidence for f in report.parameters.values()):
        console.print(Text("Examples above are written with one column per example."))
    facts = " ".join(fact for finding in report.parameters.values() for fact in finding.facts)
    if layout == "rows" and ("row" in facts or "column" in facts):
        console.print(Text("Rows and columns above are those of weights with one row per unit."))


_NAME = re.compile(r"\bd?[Wb]\d(?:_new)?\b")


def called(text: str, names: Mapping[str, str]) -> str:
    """A text with the names of the file."""
    return _NAME.sub(lambda match: names.get(match[0], match[0]), text)


def lines(finding: Finding, names: Mapping[str, str]) -> Sequence[str]:
    """What is said about one parameter, sentence by sentence; what is measured, with the names of the file."""
    said = [f"{_sentence(MISTAKES[mistake].title)} [{mistake}]" for mistake in finding.mistakes]
    if finding.follows_from and finding.mistakes:
        said.append(f"It also follows from: {', '.join(MISTAKES[m].title for m in finding.follows_from)}.")
    said += [called(fact, names) for fact in finding.facts]
    if finding.evidence is not None:
        said.append(finding.evidence.text())
    if finding.hint:
        said.append(finding.hint)
    return said


def _sentence(title: str) -> str:
    return title[0].upper() + title[1:] + "."
