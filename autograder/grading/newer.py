"""What a notebook needs that the grader's computer does not have: a newer Python, or another library."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from nbformat import NotebookNode
from ruff.__main__ import find_ruff_bin

from autograder.marking import QuestionMark
from autograder.sandbox import Outcome

NEWEST = (3, 14)
"""The newest Python whose syntax is told apart."""

SECONDS = 20
"""So long may one look at the syntax of a cell take."""

_PATTERNS = (
    (
        r"ModuleNotFoundError: No module named '(?!autograder\b)([\w.]+)'",
        "it imports `{0}`, which the grader's computer does not have",
    ),
    (
        r"ImportError: cannot import name '(\w+)' from "
        r"'((?:numpy|scipy|sklearn|matplotlib|IPython|pandas|sympy)[\w.]*)'",
        "it needs `{0}` of another version of {1}",
    ),
    (r"AttributeError: `?(np\.\w+|\w+)`? was removed in the NumPy", "it needs `{0}` of another version of numpy"),
    (r"(UsageError: Cell magic `%%\w+` not found)", "{0}"),
    (r"(UsageError: Cell magic)", "it uses a cell magic that is not installed here"),
)


def version_of(notebook: NotebookNode) -> str:
    """The version of Python that a notebook says it was run with; it is not believed, only told."""
    about = notebook.metadata.get("language_info") or {}
    version = str(about.get("version", "")) if isinstance(about, Mapping) else ""
    return version if re.fullmatch(r"\d{1,2}\.\d{1,3}(\.\d{1,3})?\w{0,6}", version) else ""


def lacking(outcome: Outcome, sources: Mapping[str, str], version: str = "") -> str:
    """Why a notebook could not be run as its author did, in one sentence; empty where nothing says so.

    ``sources`` are its cells by id.
    """
    own = ".".join(map(str, sys.version_info[:2]))
    for cell in outcome.cells:
        if cell.status != "raised":
            continue
        if cell.message.startswith(("SyntaxError", "IndentationError")) and (why := newer_syntax(sources[cell.id])):
            said = f" (it says {version})" if version else ""
            return f"The notebook was written for a newer Python{said} than the grader's {own}: {why}."
        if why := lacks(cell.message):
            said = f" It was run with Python {version}." if version and version.split(".")[:2] != own.split(".") else ""
            return f"The notebook could not be run here as it was there: {why}.{said}"
    return ""


def lacks(message: str) -> str:
    """What an error message says is not on this computer."""
    for pattern, words in _PATTERNS:
        if found := re.search(pattern, message):
            return words.format(*found.groups())
    return ""


def newer_syntax(source: str) -> str:
    """What in a cell only a newer Python can read; empty where it is right here, or wrong in every version."""
    if sys.version_info[:2] >= NEWEST or _complaints(source, NEWEST):
        return ""
    return next(iter(_complaints(source, sys.version_info[:2])), "")


def _complaints(source: str, version: Sequence[int]) -> list[str]:
    """What ruff, which only reads, says of the syntax of a cell in a version of Python."""
    cell: dict[str, Any] = {
        "cell_type": "code",
        "source": source,
        "metadata": {},
        "outputs": [],
        "execution_count": None,
        "id": "a",
    }
    about = {"language_info": {"name": "python"}}
    book = json.dumps({"cells": [cell], "metadata": about, "nbformat": 4, "nbformat_minor": 5})
    command = [
        find_ruff_bin(), "check", "--isolated", "--no-cache", "--select", "E9", "--output-format", "json",
        "--target-version", f"py{version[0]}{version[1]}", "--stdin-filename", "cell.ipynb", "-",
    ]  # fmt: skip
    try:
        done = subprocess.run(command, input=book, capture_output=True, text=True, timeout=SECONDS, check=False)
        found = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return ["its syntax could not be looked at"]
    return [str(one["message"]) for one in found if one.get("code") == "invalid-syntax"]


def for_a_person(questions: Sequence[QuestionMark], why: str) -> tuple[QuestionMark, ...]:
    """The same marks, where a question that has no answer because of the computer goes to a person."""
    told = []
    for question in questions:
        reason = why or (f"It could not be run here as it was there: {own}." if (own := _of(question)) else "")
        unanswered = any(line.status in ("missing", "raised") for line in question.lines)
        if reason and unanswered and question.points < question.max_points:
            message = f"{reason} This is no mark: a person will look at it. {question.message}".strip()
            question = replace(question, status="grader_error", message=message)
        told.append(question)
    return tuple(told)


def _of(question: QuestionMark) -> str:
    messages = (question.message, *(line.message for line in question.lines))
    return next((why for message in messages if (why := lacks(message))), "")
