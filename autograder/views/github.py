"""Marks for GitHub Actions: the step summary, a few annotations, and the step's outputs.

What a student wrote can be in a message. Here it is text and nothing else: it starts no workflow command, closes no
table cell and mentions nobody.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import accumulate

from autograder.marking import Marks, QuestionMark
from autograder.marking.spans import LINE_END
from autograder.views import words
from autograder.views.places import places

MAX_ANNOTATIONS = 10
"""GitHub shows ten annotations of a step; the summary has everything."""

MAX_SUMMARY = 1_000_000
"""Bytes of a summary; GitHub refuses a step's summary above 1 MiB as a whole."""

MARKUP = re.compile(r"([\\`*_{}\[\]()#+!|~$<>&@:])")

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""Characters that steer a terminal; logs are shown in one."""


def summary(all_marks: Sequence[Marks]) -> str:
    """The step summary in Markdown: points, the first thing to look at, then every question."""
    parts = [_notebook(marks) for marks in all_marks]
    if not parts:
        return "No notebook was handed in.\n"
    text = "\n".join(parts)
    if len(text.encode()) > MAX_SUMMARY:
        text = _totals(all_marks) + "\nThe table of all questions is too long for this page: see the feedback.\n"
    return text


def notices(all_marks: Sequence[Marks], files: Mapping[tuple[str, str], tuple[str, str]] = {}) -> list[str]:
    """At most ten workflow commands: one per notebook that needs a person, then one per question that lost points.

    ``files`` has the path and the text of notebooks, by student and exercise: their annotations stand at the line.
    """
    found = [
        _command("error", f"{_who(marks)}: a person has to look", words.to_do(marks))
        for marks in all_marks
        if marks.needs_person
    ]
    for marks in all_marks:
        for question in marks.questions:
            if question.status != "grader_error" and question.points < question.max_points:
                file = files.get((marks.student, marks.exercise))
                at = _at(question, *file) if file else {}
                found.append(_command("warning", _title(marks, question), words.summary(question), at))
    if len(found) > MAX_ANNOTATIONS:
        rest = len(found) - MAX_ANNOTATIONS + 1
        found = found[: MAX_ANNOTATIONS - 1]
        found.append(_command("notice", f"{rest} more", "The step summary has the table of all questions."))
    return found


def outputs(all_marks: Sequence[Marks]) -> str:
    """The step's outputs as lines of ``name=value``, for ``$GITHUB_OUTPUT``."""
    return (
        f"points={words.points(sum(marks.points for marks in all_marks))}\n"
        f"max-points={words.points(sum(marks.max_points for marks in all_marks))}\n"
        f"needs-person={str(any(marks.needs_person for marks in all_marks)).lower()}\n"
    )


def _notebook(marks: Marks) -> str:
    if marks.error:
        return f"### {_md(_who(marks))}: a person has to look\n\n{_md(marks.error)}\n"
    lines = [f"### {_md(_who(marks))}: {words.points(marks.points)} of {words.points(marks.max_points)} points", ""]
    first = next((question for question in marks.questions if question.status != "correct"), None)
    if first is not None:
        lines += [f"**Look first at {_md(first.title)}.** {_md(words.summary(first))}".strip(), ""]
    lines += ["| question | points | | what was found |", "|---|--:|---|---|"]
    for question in marks.questions:
        earned = f"{words.points(question.points)} / {words.points(question.max_points)}"
        status = f"{words.sign(question.status)} {words.word(question.status)}"
        said = " ".join(_md(text) for text in (words.summary(question), *question.remarks) if text)
        lines.append(f"| {_md(question.title)} | {earned} | {status} | {said} |")
    lines += ["", *(f"- {_md(note)}" for note in marks.notes)]
    if marks.written_points:
        lines.append(f"- Parts in words, {words.points(marks.written_points)} points, are marked by a person.")
    if marks.isolation == "none":
        lines.append("- **Graded without isolation.**")
    return "\n".join(lines).rstrip() + "\n"


def _totals(all_marks: Sequence[Marks]) -> str:
    return "".join(
        f"- {_md(_who(marks))}: {words.points(marks.points)} / {words.points(marks.max_points)}\n"
        for marks in all_marks
    )


def _who(marks: Marks) -> str:
    return " ".join(part for part in (marks.student, marks.exercise) if part)


def _title(marks: Marks, question: QuestionMark) -> str:
    earned = f"{words.points(question.points)} of {words.points(question.max_points)} points"
    return f"{_who(marks)}, {question.title}: {earned}"


def _at(question: QuestionMark, path: str, text: str) -> dict[str, str]:
    """The file of a question and the line of its first place; columns would be those of the JSON around it."""
    place = next((place for _, place in places(question)), None)
    line = line_in_file(text, place.cell, place.line) if place else None
    return {"file": path} | ({"line": str(line)} if line else {})


def line_in_file(text: str, cell: str, line: int) -> int | None:
    """The line of a notebook's file on which a line of a cell stands; None where that is not certain."""
    try:
        cells = json.loads(text)["cells"]
        (source,) = [one["source"] for one in cells if one["metadata"].get("nbgrader", {}).get("grade_id") == cell]
        begin = [0, *(end.end() for end in LINE_END.finditer("".join(source)))][line - 1]
        at = next(n for n, end in enumerate(accumulate(map(len, source))) if end > begin)
        rows = [row.strip().removesuffix(",") for row in text.split("\n")]
        (first,) = (
            number
            for number in range(len(rows) - len(source) + 1)
            if all(_says(rows[number + n], piece) for n, piece in enumerate(source))
        )
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, RecursionError, StopIteration):
        return None
    return first + at + 1 if isinstance(source, list) else None


def _says(row: str, piece: str) -> bool:
    return row in (json.dumps(piece), json.dumps(piece, ensure_ascii=False))


def _command(level: str, title: str, message: str, at: Mapping[str, str] = {}) -> str:
    """A workflow command; GitHub's own escapes keep titles and messages inside it."""
    about = {**at, "title": title}
    head = ",".join(f"{name}={_escape(text).replace(':', '%3A').replace(',', '%2C')}" for name, text in about.items())
    return f"::{level} {head}::{_escape(message) or 'See the step summary.'}"


def _escape(text: str) -> str:
    return CONTROL.sub("\ufffd", text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _md(text: str) -> str:
    """Text as Markdown that shows exactly this text on one line."""
    flat = CONTROL.sub("\ufffd", " ".join(text.split()))
    return MARKUP.sub(lambda match: f"&#{ord(match[0])};", flat)
