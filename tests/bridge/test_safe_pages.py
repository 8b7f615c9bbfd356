"""What of a student's output may reach a page."""

import nbformat
import pytest
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from traitlets.config import Config

from autograder import bridge
from autograder.bridge.safe_pages import SafePages, safe_data, safe_html, safe_markdown
from autograder.marking.marks import LineMark, Marks, QuestionMark
from autograder.views.cell import to_html

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="

HOSTILE = {
    "script": "<script>EVIL()</script>",
    "script that does not end": "<script>EVIL()",
    "script in a script": "<scr<script>x</script>ipt>EVIL()</script>",
    "upper case": "<SCRIPT SRC=//evil>EVIL()</SCRIPT >",
    "handler": "<b onmouseover=EVIL()>x</b>",
    "handler with a slash": "<svg/onload=EVIL()>",
    "frame": "<iframe srcdoc='<script>EVIL()</script>'></iframe>",
    "object": "<object data=EVIL></object><embed src=EVIL>",
    "form": "<form action=//evil/EVIL><input name=x></form>",
    "javascript link": "<a href=' java\nscript:EVIL()'>x</a>",
    "data link": "<a href='data:text/html,<script>EVIL()</script>'>x</a>",
    "remote picture": "<img src=//evil/EVIL>",
    "remote picture in a style": "<p style='background:url(//evil/EVIL)'>x</p>",
    "over the page": "<div style='position:fixed;top:0;z-index:9'>EVIL</div>",
    "out of its place": "<div style='margin-top:-900px'>x</div>",
    "style sheet": "<style>body{display:none}EVIL</style>",
    "meta": "<meta http-equiv=refresh content='0;url=//evil/EVIL'>",
    "base": "<base href=//evil/EVIL>",
    "math": "<math><mtext><script>EVIL()</script></mtext></math>",
    "comment": "<!--><script>EVIL()</script>-->",
    "entities": "<img src=x onerror=&#69;VIL()>",
}


@pytest.mark.parametrize("html", HOSTILE.values(), ids=HOSTILE)
def test_what_runs_loads_or_covers_is_gone(html):
    safe = safe_html(html)
    lowered = safe.lower()
    assert "<script" not in lowered
    for word in ("onmouseover", "onload", "onerror", "javascript:", "//evil", "data:text", "position", "-900", "<style",
                 "<meta", "<base", "<form", "<iframe", "<object", "<svg", "url("):  # fmt: skip
        assert word not in lowered
    assert safe_html(safe) == safe


def test_tables_colours_and_own_pictures_stay():
    html = f'<table><tr><td style="color: red; padding: 1em" colspan="2">x</td></tr></table>' \
           f'<img src="data:image/png;base64,{PIXEL}">'  # fmt: skip
    safe = safe_html(html)
    assert 'colspan="2"' in safe
    assert "color: red" in safe
    assert PIXEL in safe


def test_the_tables_of_marks_stay_as_they_are(marks_of_a_slip):
    html = to_html(marks_of_a_slip.questions[0], marks_of_a_slip)
    safe = safe_html(html)
    for part in ("<table", "border-collapse", "border-left", "points</strong>", 'scope="col"'):
        assert part in html
        assert part in safe


@pytest.fixture
def marks_of_a_slip():
    line = LineMark("Z1", "Z1", 0, 1, "wrong", message="Compare the shapes.", difference=[[0.0, 1e-3], [1.0, 0.0]])
    question = QuestionMark("q", "The forward pass", 0, 1, "wrong", lines=(line,))
    return Marks("", "training", "tanh_swap", (question,), isolation="full")


@pytest.mark.parametrize("kind", ["application/javascript", "application/vnd.jupyter.widget-view+json", "image/x"])
def test_other_kinds_are_left_out_and_said(kind):
    assert safe_data({kind: "EVIL"}) == {"text/plain": f"(an output of the kind {kind} was left out of this page)"}


def test_a_picture_that_is_none_is_left_out():
    assert "image/png" not in safe_data({"image/png": '"><script>EVIL()</script>'})
    assert safe_data({"image/png": PIXEL}) == {"image/png": PIXEL}


def test_a_drawing_becomes_a_picture_in_which_nothing_runs():
    html = safe_data({"image/svg+xml": "<svg><script>EVIL()</script></svg>"})["text/html"]
    assert html.startswith('<img alt="drawing" src="data:image/svg+xml;base64,')
    assert "EVIL" not in html
    assert 'src="data:image/svg+xml' in safe_html(html)


def test_markdown_shows_its_html_as_text():
    assert safe_markdown("a < b, 1<2 and <script>x</script>") == "a < b, 1<2 and &lt;script>x&lt;/script>"
    assert safe_markdown("![x](http://evil/x.png)") == "&#33;[x](http://evil/x.png)"
    assert safe_markdown("![x](attachment:a.png)") == "![x](attachment:a.png)"


def test_formgraders_exporter_is_configured_and_twice_is_once():
    config = Config()
    bridge.configure(config)
    hostile = new_code_cell("1", outputs=[new_output("display_data", data={"text/html": "<script>EVIL()</script>ok"})])
    hostile.metadata = {"tags": ['"><script>EVIL()</script>']}
    notebook = new_notebook(cells=[hostile, new_markdown_cell("<img src=x onerror=EVIL()>")])
    notebook.metadata = {"title": "</title><script>EVIL()</script>", "widgets": {
        "application/vnd.jupyter.widget-state+json": {"state": "</script><script>EVIL()</script>"}}}  # fmt: skip
    page, _ = HTMLExporter(config=config).from_notebook_node(notebook)
    bare, _ = HTMLExporter().from_notebook_node(notebook)
    assert "<script>EVIL()" in bare, "the control: without the configuration it runs"
    assert "<script>EVIL()" not in page
    assert "<img src=x" not in page
    once, _ = SafePages().preprocess(nbformat.from_dict(notebook), {})
    again, _ = SafePages().preprocess(nbformat.from_dict(once), {})
    assert again == once
