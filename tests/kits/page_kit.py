"""Marks and notebooks for the tests of pages, and a reader of HTML that notices what must not be there."""

from html.parser import HTMLParser

import numpy as np
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from autograder.exercises import load
from autograder.marking import LineMark, Marks, Place, QuestionMark, Span

EXPECTED = np.array([[1.0, 2.0], [3.0, 4.0]])

ATTACKS = (
    "<script>document.title = 'stolen'</script>",
    "<img src=x onerror=\"document.title = 'stolen'\">",
    "<svg onload=\"document.title = 'stolen'\"><script>document.title = 'stolen'</script></svg>",
    "<a href=\"javascript:document.title = 'stolen'\">look</a>",
    "<iframe srcdoc=\"<script>parent.document.title = 'stolen'</script>\"></iframe>",
    "<style>body { display: none }</style><meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'>",
    '<math><mtext><table><mglyph><style><img src=x onerror="document.title=1"></style></mglyph></table></math>',
    '<img src="http://127.0.0.1:9/pixel.png"><link rel=stylesheet href=http://127.0.0.1:9/x.css>',
    "<form action=http://127.0.0.1:9/><input autofocus onfocus=\"document.title='stolen'\"></form>",
    "$\\href{javascript:document.title='stolen'}{x}$ $<script>document.title='stolen'</script>$",
    "</pre></main></body><script>document.title = 'stolen'</script>",
)


CELL = """class TanhNetwork(SimpleNeuralNetwork):
    def backward_pass(self, X, Y):
        dZ2 = self.A2 - Y
        dZ1 = (self.W2.T @ dZ2) * (self.A1 * (1 - self.A1))
        self.dW1 = dZ1 @ X.T / X.shape[1]
"""


def span(code, source=CELL, cell="network", kind=Span, **more):
    """The span of the first place where this code stands in the source."""
    start = source.index(code)
    lines, upto = source[:start].split("\n"), source[: start + len(code)].split("\n")
    return kind(cell, len(lines), len(upto), len(lines[-1]), len(upto[-1]), code, **more)


def place(code="self.A1 * (1 - self.A1)", source=CELL, **more):
    """A place as the engine finds it: the derivative of the sigmoid where that of tanh is due."""
    text = f"`{code}` is the derivative of the sigmoid at Z1. Here the derivative of tanh is due."
    numbers = {"got": EXPECTED / 10, "expected": EXPECTED / 5}
    about = {"given": "sigmoid'(Z1)", "due": "tanh'(Z1)", "text": text} | numbers
    return span(code, source, kind=Place, **about | more)


def cell(source=CELL, name="network"):
    """A cell of the student, labelled as nbgrader does."""
    about = {"grade_id": name, "grade": False, "locked": False, "solution": True}
    return new_code_cell(source, metadata={"nbgrader": about} if name else {})


def wrong_line(name, got, *, mistakes=(), message="`dW1` does not have the expected values.", place=None):
    got = np.asarray(got, dtype=float)
    return LineMark(
        name,
        name,
        0.0,
        5,
        "wrong",
        mistakes=mistakes,
        message=message,
        hint="Look at the step back.",
        expected=EXPECTED,
        got=got,
        difference=np.abs(got - EXPECTED) / 4,
        place=place,
    )


def marks(student="carla", *, dW1=None, error="", remarks=(), seconds=1.0):
    """Marks of tanh_swap: right but for dW1 when one is given; db1 then follows from it."""
    exercise = load("tanh_swap")
    questions = []
    for question in exercise.questions if not error else ():
        lines = []
        for line in question.lines:
            right = LineMark(line.name, line.label, line.points, line.points, "correct")
            if dW1 is not None and line.name == "dW1":
                right = dW1
            if dW1 is not None and line.name == "db1":
                right = LineMark("db1", "db1", 3, 3, "correct", own=True, message="Right, given your earlier values.")
            lines.append(right)
        points = sum(line.points for line in lines)
        full = points == question.points
        first = next((f"{line.label}: {line.message}" for line in lines if line.status != "correct"), "")
        questions.append(
            QuestionMark(
                question.id,
                question.title,
                points,
                question.points,
                "correct" if full else "wrong",
                tuple(m for line in lines for m in line.mistakes),
                first,
                tuple(lines),
                tuple(remarks),
            )
        )
    return Marks(student, exercise.sheet, exercise.name, tuple(questions), "full", 7, 5.0, error=error, seconds=seconds)


def notebook(*texts):
    """A notebook whose student wrote and printed these texts wherever a student can."""
    cells = [new_markdown_cell("# Task\n\nThe loss is $\\frac{1}{m} \\sum_i (a_i - y_i)^2$.")]
    for text in texts:
        cells.append(new_markdown_cell(text))
        cell = new_code_cell(f"# {text}")
        cell.outputs = [
            new_output("stream", name="stdout", text=text),
            new_output("display_data", data={"text/html": text, "text/plain": "x"}),
            new_output("display_data", data={"text/markdown": text}),
            new_output("display_data", data={"image/svg+xml": f"<svg xmlns='http://www.w3.org/2000/svg'>{text}</svg>"}),
            new_output("error", ename="E", evalue=text, traceback=[text]),
        ]
        cells.append(cell)
    return new_notebook(cells=cells)


class Page(HTMLParser):
    """What stands in a page: tags with their attributes, headings, ids, links and visible text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.headings, self.text, self._open = [], [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self._open.append(tag)
        if tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            self.headings.append(int(tag[1]))

    def handle_endtag(self, tag):
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data):
        if not {"style", "script"} & set(self._open):
            self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())
