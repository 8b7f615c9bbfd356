"""Marks as one HTML page that stands alone: what continuous integration uploads."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from autograder.marking import Marks
from autograder.views import words
from autograder.views.cell import to_html

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""Content policy: the page loads nothing and runs nothing."""

STYLE = (
    ":root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;"
    "padding:0 1rem}h1{font-size:1.4rem}h2{font-size:1.15rem;margin-top:2rem}table{font-size:.95em}"
)


def page(all_marks: Sequence[Marks]) -> str:
    """Every notebook with every question; the tables are those under the graded cells."""
    parts = []
    for marks in all_marks:
        who = " ".join(part for part in (marks.student, marks.exercise) if part)
        if marks.error:
            parts.append(f"<h2>{escape(who)}: a person has to look</h2>\n<p>{escape(marks.error)}</p>")
            continue
        earned = f"{words.points(marks.points)} of {words.points(marks.max_points)} points"
        parts.append(f"<h2>{escape(who)}: {earned}</h2>")
        parts += [f"<p>{escape(note)}</p>" for note in marks.notes]
        parts += [to_html(question, marks) for question in marks.questions]
    body = "\n".join(parts) or "<p>No notebook was handed in.</p>"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Marks</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>Marks</h1>\n{body}\n</body>\n</html>\n"
    )
