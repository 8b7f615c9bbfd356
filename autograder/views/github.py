"""Marks for GitHub Actions: the step summary, a few annotations, and the step's outputs.

What a student wrote can be in a message. Here it is text and nothing else: it starts no workflow command, closes no
table cell and mentions nobody.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from autograder.marking import Marks, QuestionMark
from autograder.views import words

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


def notices(all_marks: Sequence[Marks]) -> list[str]:
    """At most ten workflow commands: one per notebook that needs a person, then one per question that lost points."""
    found = [
        _command("error", f"{_who(marks)}: a person has to look", words.to_do(marks))
        for marks in all_marks
        if marks.needs_person
    ]
    for marks in all_marks:
        for question in marks.questions:
            if question.status != "grader_error" and question.points < question.max_points:
                found.append(_command("warning", _title(marks, question), words.summary(question)))
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


def _command(level: str, title: str, message: str) -> str:
    """A workflow command; GitHub's own escapes keep titles and messages inside it."""
    head = _escape(title).replace(":", "%3A").replace(",", "%2C")
    return f"::{level} title={head}::{_escape(message) or 'See the step summary.'}"


def _escape(text: str) -> str:
    return CONTROL.sub("\ufffd", text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _md(text: str) -> str:
    """Text as Markdown that shows exactly this text on one line."""
    flat = CONTROL.sub("\ufffd", " ".join(text.split()))
    return MARKUP.sub(lambda match: f"&#{ord(match[0])};", flat)
