"""The site: only what is ours or pinned, and nothing of the key."""

import html
import json
import posixpath
import re
import shutil
import subprocess
import sys
import zipfile
from html.parser import HTMLParser
from importlib.metadata import distribution

import nbformat
import pytest
import yaml

from autograder.cli import main
from autograder.course import CourseError
from autograder.site import documents, guide, lite, make, python

PICTURES = [f"pictures/{name}.png" for name in ("feedback", "notebook", "report", "growth")]


@pytest.fixture(scope="module")
def site(tmp_path_factory, root):
    """As it is published: Python comes from Pyodide's network."""
    folder = tmp_path_factory.mktemp("site") / "site"
    assert main(["site", "--to", str(folder), "--root", str(root)]) == 0
    return folder


def policy(page):
    text = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page.read_text())[1]
    text = text.replace("&#39;", "'")
    return {name: values for name, *values in (part.split() for part in text.split(";"))}


@pytest.mark.slow
def test_every_page_forbids_what_it_does_not_need(site):
    for name in make.PAGES:
        rules = policy(site / name)
        assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == ["'none'"], name
        assert rules["style-src"] == ["'self'"], name
        if "python.js" in make.SCRIPTS.get(name, ()):
            assert rules["script-src"] == ["'self'", "blob:", "'wasm-unsafe-eval'"], name
            assert rules["worker-src"] == ["blob:"], name
            assert rules["connect-src"] == ["'self'", python.HOST], name
        else:
            assert rules["script-src"] == rules["connect-src"] == ["'self'"], name
            assert rules["trusted-types"] == ["'none'"], name


@pytest.mark.slow
def test_no_page_style_or_script_names_another_server(site):
    """Addresses of Python are in one file, each with a hash; a page below any path finds its neighbours."""
    for path in site.rglob("*"):
        if path.suffix == ".html":  # what a page loads lies beside it; a document may speak of any address
            loaded = re.findall(r"<(?!a )[^>]*(?:src|href|action)=\"([^\"]*)", path.read_text())
            assert {one for one in loaded if "/" in one.removeprefix("../")} <= set(PICTURES), path.name
        if path.suffix in (".html", ".js", ".css") and path.parent == site:
            text = re.sub(r'<a href="https?://[^"]*"', "<a", path.read_text())  # a link is followed by people alone
            named = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+", text)) - {python.HOST}
            assert named <= {"http://www.w3.org"}, path.name
            assert not re.search(r"""(?:src|href)="/|fetch\(["'`]/""", path.read_text()), path.name
    files = json.loads((site / "python" / "files.json").read_text())
    assert files["core"].startswith(python.HOST)
    assert set(files["hashes"]) == set(python.CORE)
    assert all(re.match(r"sha(256|384)-.{40}", one["integrity"]) for one in files["archives"].values())


class Page(HTMLParser):
    """The addresses, ids and attributes of styles and scripts of a page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.ids, self.handlers = [], set(), []
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("href", "src"):
                self.links.append(value)
            elif name == "id":
                assert value not in self.ids
                self.ids.add(value)
            elif name == "style" or name.startswith("on"):
                self.handlers.append((tag, name))


@pytest.mark.slow
def test_every_link_of_every_page_leads_somewhere(site):
    """Those of the search as well, and no page has a style or a script in an attribute, which its policy forbids."""
    pages = {path.relative_to(site).as_posix(): Page(path) for path in site.rglob("*.html")}
    assert len(pages) > 20
    links = [(name, link) for name, page in pages.items() for link in page.links]
    links += [("docs/index.html", address) for address, *_ in json.loads((site / "docs" / "search.json").read_text())]
    walked = 0
    for name, link in links:
        if re.match(r"https?:|data:|mailto:", link):
            continue
        path, _, place = link.partition("#")
        there = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name
        assert (site / there).is_file(), f"{name}: {link}"
        assert not place or place in pages[there].ids, f"{name}: {link}"
        walked += 1
    assert walked > 500
    assert [found for page in pages.values() for found in page.handlers] == []


@pytest.mark.slow
def test_every_document_is_a_page_and_every_section_is_in_the_search(site, root):
    every = {f"docs/{path.name}" for path in (root / "docs").glob("*.md")} | {path.name for path in root.glob("*.md")}
    assert {path for listed in documents.GROUPS.values() for path in listed} == every
    sections = json.loads((site / "docs" / "search.json").read_text())
    for path in every:
        text = re.sub(r"^```.*?^```", "", (root / path).read_text(), flags=re.MULTILINE | re.DOTALL)
        titles = [re.sub(r"[`*]", "", one) for one in re.findall(r"^#+ (.*)$", text, re.MULTILINE)]
        page = f"{path.removeprefix('docs/').removesuffix('.md')}.html"
        assert [title for address, _, title, _ in sections if address.split("#")[0] == page] == titles, path
        shown = html.unescape(re.sub(r"<[^>]*>", "", (site / "docs" / page).read_text()))
        assert all(title in shown for title in titles), path
    said = {title: text for _, _, title, text in sections}
    assert "pack one sheet at a time" in said["Release"]
    assert "isolated process → answers (plain values)" in said["Data flows one way"]


def test_a_link_to_a_file_that_is_no_page_is_text(tmp_path):
    (tmp_path / "docs").mkdir()
    pages = {f"docs/{name}": name.replace(".md", ".html") for name in ("a.md", "b.md")}
    text = "# A\n\n[schema](../a.json), [b](b.md#c), [d](https://example.org/), <b>no</b>\n\n## C c!\n\n## C c\n"
    (tmp_path / next(iter(pages))).write_text(text)
    body = documents.document(tmp_path, next(iter(pages)), pages).body
    assert (
        '<p>schema, <a href="b.html#c">b</a>, <a href="https://example.org/">d</a>, &lt;b&gt;no&lt;/b&gt;</p>' in body
    )
    assert re.findall(r'<h2 id="(.*?)">', body) == ["c-c", "c-c-1"]


@pytest.mark.slow
def test_the_guide_has_every_section_of_the_notebook_and_says_nothing_about_cells(site, root):
    text = (site / "guide.html").read_text()
    notebook = nbformat.read(root / "assignments" / "guide" / "backpropagation.ipynb", as_version=4)
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    titles = re.findall(r"^## (.*)$", prose, re.MULTILINE)
    assert [html.unescape(one) for one in re.findall(r"<h2 id=[^>]*>(.*?)</h2>", text)] == titles
    assert not re.search(r"notebook|cell\b", re.sub(r"<[^>]*>", "", text))
    drawn = set(re.findall(r"^  (\w+)\(figure\) {", (site / "guide.js").read_text(), re.MULTILINE))
    assert set(re.findall(r'data-live="(\w+)"', text)) == drawn == {*guide.PICTURES, "graph"}


def test_a_sentence_that_the_guide_no_longer_has_is_named(tmp_path, root):
    text = (root / "assignments" / "guide" / "backpropagation.ipynb").read_text()
    (tmp_path / "guide.ipynb").write_text(text.replace("with three learning rates", "with four"))
    with pytest.raises(CourseError, match="no longer says 'with three learning rates'"):
        guide.sections(tmp_path / "guide.ipynb")


@pytest.mark.slow
def test_no_file_of_it_holds_a_solution_or_a_hidden_test(site, root):
    assert list(make.leaks_of(root, site)) == []
    names = zipfile.ZipFile(site / "python" / "course.zip").namelist()
    top = {name.removeprefix("autograder/").split("/")[0] for name in names if name.startswith("autograder/")}
    assert top == {name.split("/")[0] for name in python.OURS}
    assert not top & {"exercises", "audit", "personal"}
    assert "autograder/truth/descent.py" not in names


@pytest.mark.slow
def test_a_planted_solution_is_found_wherever_it_stands(site, root, tmp_path):
    copy = tmp_path / "site"
    shutil.copytree(site, copy)
    secret = next(one for one in make.secrets(root) if one.kind == "solution" and len(one.line) > 30)
    hidden = next(one for one in make.secrets(root) if one.kind == "hidden tests")
    (copy / "practice.js").write_text(f"// {secret.line}\n")
    with zipfile.ZipFile(copy / "python" / "course.zip", "a") as packed:
        packed.writestr("autograder/more.py", f"    {hidden.line}\n")
        packed.writestr("autograder/exercises/sgd.py", "\n")
    found = "\n".join(make.leaks_of(root, copy))
    assert f"practice.js holds the solution line `{secret.line}`" in found
    assert f"autograder/more.py holds the hidden tests line `{hidden.line}`" in found
    assert "autograder/exercises/sgd.py is of the key" in found


@pytest.mark.slow
def test_a_planted_solution_is_found_through_colours_escapes_and_json(site, root, tmp_path):
    copy = tmp_path / "site"
    shutil.copytree(site / "docs", copy / "docs")
    assert list(make.leaks_of(root, copy)) == []
    secret = next(one for one in make.secrets(root) if one.kind == "solution" and re.search('["<]', one.line))
    marked = f"```python\n### BEGIN SOLUTION\n{secret.line}\n```\n"
    (tmp_path / "planted.md").write_text(f"# Planted\n\n{marked}")
    page = documents.document(tmp_path, "planted.md", {"planted.md": "planted.html"})
    assert secret.line not in page.body
    (copy / "docs" / "planted.html").write_text(page.body)
    (copy / "docs" / "search.json").write_text(json.dumps([["#a", "a", f"x\n{secret.line}"]]))
    cell = nbformat.v4.new_code_cell(f"import numpy\n{secret.line}\n### END SOLUTION")
    (copy / "lite" / "files" / "training").mkdir(parents=True)
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), copy / "lite" / "files" / "training" / "planted.ipynb")
    found = set(make.leaks_of(root, copy))
    held = f"holds the solution line `{secret.line}`"
    assert found == {
        *(f"{name} {held}" for name in ("docs/planted.html", "docs/search.json", "lite/files/training/planted.ipynb")),
        "docs/planted.html holds `### BEGIN SOLUTION`",
        "lite/files/training/planted.ipynb holds `### END SOLUTION`",
    }


@pytest.mark.slow
def test_what_is_packed_is_what_is_installed(site, root):
    with zipfile.ZipFile(site / "python" / "course.zip") as packed:
        for name in packed.namelist():
            there = name.replace("sandbox/__init__.py", "sandbox/here.py")
            path = root / there if name.startswith("autograder/") else root / "reference" / "toolkit" / name
            assert packed.read(name) == path.read_bytes(), name
    with zipfile.ZipFile(site / "python" / "sympy.zip") as packed:
        assert {"sympy/__init__.py", "mpmath/__init__.py"} <= set(packed.namelist())
        for name in packed.namelist()[::40]:
            assert packed.read(name) == distribution("sympy").locate_file(name).read_bytes(), name


def test_the_workflow_publishes_the_folder_that_the_command_makes(root):
    """With the command of the page, and no right that publishing does not need."""
    workflow = yaml.safe_load((root / ".github" / "workflows" / "pages.yml").read_text())
    assert workflow["permissions"] == {"contents": "read"}
    made, published = workflow["jobs"]["make"], workflow["jobs"]["publish"]
    assert published["permissions"] == {"pages": "write", "id-token": "write"}
    assert "permissions" not in made
    (line,) = [line for step in made["steps"] for line in step.get("run", "").splitlines() if "autograder site" in line]
    (upload,) = [step for step in made["steps"] if "upload-pages-artifact" in step.get("uses", "")]
    assert line.split()[-4:] == ["--to", upload["with"]["path"], "--offline", ".npm"]
    assert f"pyodide@{python.VERSION} " in (root / "Makefile").read_text()
    assert "--lite $SHEETS" in line
    assert made["env"]["SHEETS"] == "foundations"  # no later sheet, which would hold the first one's solution


def test_the_notebooks_need_python_in_the_site_and_sheets_that_were_released(tmp_path, root, capsys):
    site = ["site", "--to", str(tmp_path / "site"), "--root", str(root)]
    assert main([*site, "--lite", "foundations"]) == 2
    assert "give --offline, too" in " ".join(capsys.readouterr().err.split())
    with pytest.raises(CourseError, match=r"JupyterLite: make lite-parts|no sheet guide was released"):
        lite.add_lite(root, tmp_path, ["guide"], tmp_path)


def test_the_packages_of_the_kernel_are_the_ones_that_are_pinned(tmp_path):
    """Pyodide compares the hash of each; what it does not have comes from the network that its lock is for."""
    (tmp_path / "python").mkdir()
    (tmp_path / "wheels").mkdir()
    about = {"version": "1", "file_name": "x-1.whl", "sha256": "0", "depends": []}
    (tmp_path / "python" / "pyodide-lock.json").write_text(json.dumps({"packages": {"scipy": about}}))
    with pytest.raises(CourseError, match=r"lacks asttokens 2\.4\.1, or has another file"):
        lite._packages(tmp_path / "kernel", tmp_path / "python", tmp_path / "wheels")
    names = {name for name, _, _ in lite.pinned()}
    assert {"micropip", "ipython", "comm", "tqdm"} <= names
    assert {need.replace("_", "-") for needs in lite.NEEDS.values() for need in needs} <= names


def test_a_folder_that_is_no_site_is_left_alone(tmp_path, root, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["site", "--to", str(tmp_path), "--root", str(root)]) == 2
    assert "is there already and is no site" in capsys.readouterr().err
    assert (tmp_path / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize(("put", "said"), [(False, "is missing: npm install"), (True, "is another file")])
def test_offline_takes_only_the_files_that_are_pinned(tmp_path, root, capsys, put, said):
    if put:
        (tmp_path / "npm" / "node_modules" / "pyodide").mkdir(parents=True)
        (tmp_path / "npm" / "node_modules" / "pyodide" / "pyodide.asm.js").write_text("steal()")
    to = ["--to", str(tmp_path / "site"), "--offline", str(tmp_path / "npm"), "--root", str(root)]
    assert main(["site", *to]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


ALONE = '''
import json, sys
from pathlib import Path
sys.path[:0] = [sys.argv[1]]
from autograder import in_page
call = lambda name, *values: json.loads(in_page.call(name, json.dumps(values)))
task = call("task", "worked_calculation", 3)
assert call("check", "worked_calculation", 3, {"z1": "[1, 2]"})["lines"], task
point = json.loads(Path(sys.argv[2]).read_text())
found = call("read_gradient", {"hidden": "tanh", "output": "sigmoid", "loss": "bce"}, [point])
assert any(one["mistakes"] for one in found["parameters"]), found
code = """
def gradients(X, Y, W1, b1):
    dZ = W1 @ X + b1 - Y
    return dZ @ X.T / X.shape[1], dZ.sum(axis=1, keepdims=True)
"""
found = call("read_code", {"hidden": "none", "output": "linear", "loss": "mse"}, code, "")
assert any("place" in one for one in found["parameters"]), found
'''
"""Every door of the page, with nothing but what the page has."""


@pytest.mark.slow
def test_what_is_packed_is_all_that_the_pages_need(site, root, tmp_path):
    for name in ("course.zip", "sympy.zip"):
        with zipfile.ZipFile(site / "python" / name) as packed:
            packed.extractall(tmp_path / "packed")
    for name in ("numpy", "numpy.libs"):
        (tmp_path / "packed" / name).symlink_to(distribution("numpy").locate_file(name))
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", ALONE, tmp_path / "packed", site / "example.json"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
