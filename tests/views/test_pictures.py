"""Every picture of the course has a text for those who do not see it, where it is drawn and on the feedback page."""

import re
import shutil

import nbformat
import pytest
from bs4 import BeautifulSoup
from kernel_kit import executed
from nbconvert import HTMLExporter

from autograder.build.submission import fill, solutions
from autograder.cli import main
from autograder.exercises import NAMES, load

WORDS = 8
"""A text that says what there is to see has at least so many words."""


def texts(html):
    return [image.get("alt") or "" for image in BeautifulSoup(html, "html.parser").find_all("img")]


def helpful(text):
    return len(text.split()) >= WORDS and not text.startswith(("Figure ", "No description"))


@pytest.fixture(scope="module")
def pages(root, tmp_path_factory):
    """The feedback pages of the reference solutions."""
    folder = tmp_path_factory.mktemp("pictures")
    for exercise in map(load, NAMES):
        released = nbformat.read(root / "assignments" / exercise.sheet / f"{exercise.name}.ipynb", as_version=4)
        path = folder / "submitted" / "ada" / exercise.sheet / f"{exercise.name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(fill(released, solutions(root, exercise)), path)
    assert main(["feedback", str(folder / "submitted"), "--to", str(folder / "pages"), "--root", str(root)]) == 0
    return {name: (folder / "pages" / "ada" / load(name).sheet / f"{name}.html").read_text() for name in NAMES}


def test_every_figure_of_the_course_is_shown_with_a_text(root):
    for path in sorted(root.glob("reference/*/*.py")):
        if path.parent.name != "toolkit" and not path.stem.endswith("_variants"):
            script = path.read_text()
            assert "\nplt.show()" not in script, path
            drawn = re.findall(r"^[^#\n]*plt\.(?:subplots|figure)\(", script, re.M)
            shown = re.findall(r"^ *show\(", script, re.M)
            assert len(drawn) == len(shown), path


@pytest.mark.long
def test_every_picture_of_every_reference_run_has_a_text(pages):
    for name, html in pages.items():
        found = texts(html)
        assert found, f"{name} shows no picture"
        assert all(map(helpful, found)), (name, found)


@pytest.mark.heavy
def test_in_jupyter_and_in_nbconvert_the_picture_itself_carries_the_text(root, tmp_path, monkeypatch):
    """As metadata alone neither of them would use it."""
    monkeypatch.delenv("MPLBACKEND", raising=False)  # the kernel is to choose its own
    shutil.copytree(root / "assignments" / "guide", tmp_path / "guide")
    notebook = nbformat.read(tmp_path / "guide" / "backpropagation.ipynb", as_version=4)
    executed(notebook, tmp_path / "guide")
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == 6
    for output in pictures:
        assert texts(output.data["text/html"]) == [output.metadata["image/png"]["alt"]] == [output.data["text/plain"]]
    html, _ = HTMLExporter().from_notebook_node(notebook)
    assert sum(map(helpful, texts(html))) == len(texts(html)) == 6
