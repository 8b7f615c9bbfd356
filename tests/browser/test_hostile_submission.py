"""A hostile submission, opened by the person who marks it: nothing of it may run, in formgrader or in feedback."""

import json
import shutil

import browser
import nbformat
import pytest
from lab import click
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader_kit import NAME, hand_in, make_course, nbgrader
from page_kit import ATTACKS

from autograder.build.submission import fill, solutions
from autograder.exercises import load

pytestmark = pytest.mark.heavy

SPY = "127.0.0.1:9/"
"""Where the attacks would load something from, or send something to."""

DISPLAYS = """
import json
from IPython.display import HTML, SVG, Javascript, Latex, Markdown, display
attacks = json.loads({attacks!r})
for one in attacks:
    print(one)
    display(HTML(one), Markdown(one), Latex(one), Javascript("document.title = 'stolen'; window.stolen = 1"))
    display({{"image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg'>" + one + "</svg>"}}, raw=True)
    display({{"text/html": one, "text/plain": one, "image/png": '"><script>window.stolen = 1</script>'}}, raw=True)
    display({{"application/vnd.jupyter.widget-view+json": {{"model_id": one}}, "application/x": one}}, raw=True)
print("all was displayed")
raise ValueError(attacks[0])
"""

STATE = """
const frames = [...document.querySelectorAll('iframe, object, embed')].length;
const links = [...document.querySelectorAll('[href^="javascript" i], [src^="javascript" i]')].map(e => e.outerHTML);
const handlers = [...document.querySelectorAll('.nb-anchor ~ *, .cell, .jp-Cell, main')].flatMap(
  part => [...part.querySelectorAll('*')].filter(e => ['onload', 'onerror', 'onfocus'].some(n => e.hasAttribute(n)))
).map(e => e.outerHTML);
return {stolen: window.stolen || 0, title: document.title, frames, links, handlers, text: document.body.innerText};
"""
"""What a page has become once all of it has been loaded."""


@pytest.fixture(scope="module")
def course(tmp_path_factory, root):
    """A course of one sheet, and one student, whose notebook attacks from every place that a student can write to."""
    folder = make_course(tmp_path_factory.mktemp("hostile"), root)
    released = nbformat.read(root / "assignments" / "by_hand" / f"{NAME}.ipynb", as_version=4)
    notebook = fill(released, solutions(root, load(NAME)))
    notebook.cells.insert(0, new_code_cell(DISPLAYS.format(attacks=json.dumps(ATTACKS))))
    notebook.cells[1:1] = [new_markdown_cell(one) for one in ATTACKS]
    notebook.cells += [new_code_cell(f"# {one}") for one in ATTACKS]
    notebook.metadata["title"] = ATTACKS[-1]
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source += "".join(f"\n# {one}" if cell.cell_type == "code" else f"\n\n{one}" for one in ATTACKS)
    hand_in(folder, "mallory", notebook)
    for step in ("generate_assignment", "autograde", "generate_feedback"):
        nbgrader(folder, step, "by_hand")
    return folder


def harmless(driver):
    """The text of the open page, after a look at whether anything of the student's ran or was loaded."""
    browser.wait(driver, lambda one: one.execute_script("return document.readyState === 'complete'"), "not loaded")
    state = driver.execute_script(STATE)
    assert (state["stolen"], state["frames"], state["links"], state["handlers"]) == (0, 0, [], [])
    assert state["title"] not in ("stolen", "1")
    assert [url for url in browser.requested(driver) if SPY in url] == []
    return state["text"]


def open_marking_view(driver, address):
    """Go to the only submission as a person does who marks it."""
    browser.size(driver, 1300, 900)
    driver.get(address("formgrader/manage_assignments"))  # signs in
    driver.get(address(f"formgrader/gradebook/by_hand/{NAME}"))
    browser.requested(driver)
    click(driver, xpath="//td//a[contains(., 'Submission #1')]")


def test_nothing_of_it_runs_where_a_person_marks_it(driver, course, artefacts):
    with browser.jupyter_lab(course) as address:
        open_marking_view(driver, address)
        browser.wait(driver, lambda one: one.find_elements("css selector", "#forward_values"), "no marking view")
        text = harmless(driver)
        assert "all was displayed" in text
        assert "<script>document.title = 'stolen'</script>" in text, "what was printed is shown as text"
        browser.picture(driver, artefacts / "formgrader-5-hostile.png", height=4000)


def harmed(driver):
    """Whether a script of the student's ran, or the page asked for something where the student wanted it to."""
    ran = driver.execute_script("return window.stolen === 1 || document.title === 'stolen'")
    return ran or any(SPY in url for url in browser.requested(driver))


def test_control_without_the_sanitiser_it_runs_there(driver, course, tmp_path):
    """The same submission and the same eyes, with nbgrader's own exporter."""
    bare = tmp_path / "bare"
    shutil.copytree(course, bare)
    with (bare / "nbgrader_config.py").open("a") as configuration:
        configuration.write("\nc.HTMLExporter.preprocessors = []\n")
    with browser.jupyter_lab(bare) as address:
        open_marking_view(driver, address)
        browser.wait(driver, harmed, "the attacks do nothing, so the test above shows nothing")


def test_nothing_of_it_runs_in_the_feedback(driver, course, artefacts):
    browser.requested(driver)
    driver.get((course / "feedback" / "mallory" / "by_hand" / f"{NAME}.html").as_uri())
    text = harmless(driver)
    assert "all was displayed" in text
    browser.picture(driver, artefacts / "feedback-hostile.png", height=4000)
