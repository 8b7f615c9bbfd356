"""The feedback page: marks and the notebook that was run as one HTML file that needs no network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from nbformat import NotebookNode

from autograder.exercises import load
from autograder.marking import LineMark, Marks, QuestionMark
from autograder.views import graph, places, prose, words
from autograder.views.cell import example, heat, matrix
from autograder.views.requests import ASKS, Request


@dataclass(frozen=True)
class Given:
    """What the gradebook holds for one cell: points, when there are any, and a person's comment.

    ``boxes`` are the lines of the mark scheme, when it was marked by them: whether it was there, its points, its words.
    """

    points: float | None = None
    max_points: float = 0.0
    comment: str = ""
    boxes: tuple[tuple[bool, float, str], ...] = ()


@dataclass(frozen=True)
class Gradebook:
    """What the gradebook adds to the marks of one notebook; empty when there is no gradebook.

    ``cells`` maps a grade id to what was given; ``score`` is the sum that counts, after the ``penalty`` that a late
    hand-in costs. ``codes`` has a code for every question or part that may be asked to be looked at again, and
    ``requests`` those that came.
    """

    cells: Mapping[str, Given] = field(default_factory=dict)
    score: float | None = None
    penalty: float = 0.0
    codes: Mapping[str, str] = field(default_factory=dict)
    requests: Sequence[Request] = ()

    def why(self, cell: str) -> str:
        """Why a person changed the points of a question: the comment, or the last answer to a request."""
        comment = self.cells[cell].comment if cell in self.cells else ""
        replies = [one.reply for one in self.requests if one.question == cell and one.reply]
        return comment or (replies[-1] if replies else "")


def feedback_page(notebook: NotebookNode, marks: Marks, gradebook: Gradebook = Gradebook()) -> str:
    """The page for one student and one notebook.

    ``notebook`` is the one that was run, with its outputs; its hidden tests and mark schemes must be gone already.
    """
    exercise = load(marks.exercise)
    written = [(part, gradebook.cells.get(part.id, Given(None, part.points))) for part in exercise.written]
    first = next((question for question in marks.questions if question.status != "correct"), None)
    score = marks.points if gradebook.score is None else gradebook.score
    out_of = marks.max_points + sum(given.max_points for _, given in written if given.points is not None)
    return (
        environment()
        .get_template("feedback.html.j2")
        .render(
            marks=marks,
            title=exercise.title,
            score=score,
            out_of=out_of,
            waiting=sum(part.points for part, given in written if given.points is None),
            penalty=gradebook.penalty,
            changed=_changed(marks, gradebook),
            gradebook=gradebook,
            ASKS=ASKS,
            written=written,
            first=first,
            first_line=first_wrong(first) if first else None,
            first_place=_first_place(notebook, first) if first else None,
            listings={question.id: places.listings(notebook, question) for question in marks.questions},
            graphs=graph.graphs(marks),
            cells=list(_cells(notebook, marks, gradebook)),
            heat=heat,
            matrix=matrix,
            example=example,
        )
    )


def first_wrong(question: QuestionMark) -> LineMark | None:
    """The first line that is not right: where to look first."""
    return next((line for line in question.lines if line.status != "correct"), None)


def _first_place(notebook: NotebookNode, question: QuestionMark) -> places.Listing | None:
    """A few lines around the place where the question goes wrong first."""
    line = first_wrong(question)
    if line is None or line.place is None:
        return None
    found = places.find_cell(notebook, line.place)
    return places.listing(*found, [line.place], question.sound, around=2, whole=6) if found else None


def _changed(marks: Marks, gradebook: Gradebook) -> dict[str, float]:
    """Questions whose points a person changed, with the points that count."""
    given = [(question, gradebook.cells[question.id].points) for question in marks.questions
             if question.id in gradebook.cells]  # fmt: skip
    return {question.id: points for question, points in given
            if points is not None and abs(points - question.points) > 1e-9}  # fmt: skip


def _cells(notebook: NotebookNode, marks: Marks, gradebook: Gradebook) -> Iterator[dict[str, Any]]:
    """Every cell as what the template shows: prose, code with its outputs, or a pointer to a question."""
    questions = {question.id: question for question in marks.questions}
    figures = 0
    for number, cell in enumerate(notebook.cells, 1):
        about = cell.metadata.get("nbgrader", {})
        name = about.get("grade_id", "")
        comment = gradebook.cells[name].comment if name in gradebook.cells else ""
        if name in questions and cell.cell_type == "code":
            yield {"kind": "question", "question": questions[name]}
        elif cell.cell_type == "code":
            shown = []
            for one in cell.get("outputs", []):
                if any(kind.startswith("image/") for kind in one.get("data", {})):
                    figures += 1
                shown.append(prose.output(one, f"Figure {figures}, drawn by cell {number} of the notebook"))
            yield {
                "kind": "code",
                "number": number,
                "source": _source(notebook, number, cell.source, marks),
                "outputs": [one for one in shown if one],
                "mine": about.get("solution", not about.get("locked", False)),
                "comment": comment,
            }
        elif cell.cell_type == "markdown":
            mine = not about.get("locked", False)
            yield {"kind": "prose", "html": prose.markdown(cell.source), "mine": mine, "comment": comment}


def _source(notebook: NotebookNode, number: int, source: str, marks: Marks) -> Markup:
    """The code of a cell, with what is pointed at marked."""
    pointed = [place for question in marks.questions for _, place in places.places(question)]
    here = [place for place in pointed if places.find_cell(notebook, place) == (number, source)]
    return Markup("\n").join(places.marked_lines(source, here, [])) if here else prose.code(source)


@cache
def environment() -> Environment:
    """The environment of the pages' templates: everything is escaped unless ``prose`` made it safe."""
    made = Environment(
        loader=PackageLoader("autograder.views"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        pointed=places.places,
        sentence=places.sentence,
        policy=prose.POLICY,
        code_styles=prose.code_styles,
        svg=graph.svg,
        in_words=graph.in_words,
        STATES=graph.STATES,
    )
    made.filters.update(
        points=words.points,
        sign=words.sign,
        word=words.word,
        mistake=words.mistake,
        said=prose.said,
        capital=lambda text: text[:1].upper() + text[1:],
    )
    return made
