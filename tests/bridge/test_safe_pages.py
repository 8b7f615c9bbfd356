"""What of a student's output may reach a page."""

import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from traitlets.config import Config

from autograder import bridge
from autograder.bridge.safe_pages import SafePages, safe_data, safe_html
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
    "remote picture in a disguised style": "<p style='background:u\\72l(//evil/EVIL)'>x</p>",
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
    assert 'style="color:red;padding:1em"' in safe
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


HOSTILE_MARKDOWN = {
    "javascript link": "[x](javascript:EVIL())",
    "javascript link in disguise": "[x](&#106;avascript:EVIL()) [y](JAVA%0aSCRIPT:EVIL()) <javascript:EVIL()>",
    "link by name": "[x][a]\n\n[a]: javascript:EVIL()",
    "data link": "[x](data:text/html;base64,RVZJTA==)",
    "picture in disguise": "![x\\](attachment:q)](http://evil/EVIL.png)",
    "remote picture": "![x](http://evil/EVIL.png) ![y][p]\n\n[p]: //evil/EVIL.png",
    "attachment that leads elsewhere": "![x](attachment:../../EVIL)",
    "html": "<img src=x onerror=EVIL()> <script>EVIL()</script>",
    "html in a table": "| a |\n|---|\n| <svg onload=EVIL()> |",
    "mermaid": '```mermaid\ngraph TD; A-->B; click A "javascript:EVIL()"\n```',
    "link in a formula": r"$\href{javascript:EVIL()}{x}$ $$\require{html}\style{position:fixed}{x}$$",
}


def page_of(*cells):
    config = Config()
    bridge.configure(config)
    return HTMLExporter(config=config).from_notebook_node(new_notebook(cells=[*cells]))[0]


@pytest.mark.slow
@pytest.mark.parametrize("source", HOSTILE_MARKDOWN.values(), ids=HOSTILE_MARKDOWN)
@pytest.mark.parametrize("place", ["cell", "output"])
def test_nothing_in_markdown_runs_or_loads(source, place):
    """On the page as it is made, whatever the Markdown looks like."""
    shown = new_output("display_data", data={"text/markdown": source})
    page = page_of(new_markdown_cell(source) if place == "cell" else new_code_cell("1", outputs=[shown]))
    body = page[page.index("<main") :]
    found = BeautifulSoup(body, "html.parser")
    sources = [tag.get("src", "data:image/") for tag in found.find_all(["img", "svg"])]
    assert all(source.startswith("data:image/") for source in sources)
    assert all(tag["href"].startswith(("http://", "https://", "#")) for tag in found.find_all("a", href=True))
    assert not [name for tag in found.find_all(True) for name in tag.attrs if name.startswith("on")]
    assert "EVIL" not in "".join(tag.text for tag in found.find_all("script"))
    assert not re.search(r"\\(href|require|style)\b", found.text)


@pytest.mark.slow
def test_a_picture_of_the_notebook_is_shown_and_a_missing_one_is_told():
    cell = new_markdown_cell("![a](attachment:a.png) ![b](attachment:b.png) **bold** $x < y$ `z`")
    cell.attachments = {"a.png": {"image/png": PIXEL}, "c.png": {"text/html": "<script>EVIL()</script>"}}
    page = page_of(cell)
    assert f"data:image/png;base64,{PIXEL}" in page
    assert "(the picture b.png is missing)" in page
    assert "<strong>bold</strong>" in page
    assert "$x &lt; y$" in page
    cell.source = "![c](attachment:c.png)"
    assert "(the picture c.png is missing)" in page_of(cell)


def test_what_the_course_wrote_stays_as_it_is():
    cell = new_markdown_cell("<details><summary>More</summary>\n\n![p](picture.png)\n\n</details>")
    cell.metadata = {"nbgrader": {"locked": True, "grade_id": "x"}}
    assert "<details>" in page_of(cell)


@pytest.mark.slow
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
