"""The site's pages, its Python, and the proof that nothing of the key is among them."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import unescape
from importlib.resources import files
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from autograder.build import leaks, markers
from autograder.build.leaks import Secret
from autograder.course import CourseError
from autograder.diagnosis.spec import DEEPEST, HIDDEN, LOSSES, OUTPUT
from autograder.site import documents, lite, python
from autograder.site.documents import Document, Entry
from autograder.site.guide import Section, sections
from autograder.views.prose import code_styles

MARKER = ".course-site"

DOCUMENTS = f"{documents.FOLDER}/index.html"

PAGES = {
    "index.html": "The course",
    "guide.html": "The guide",
    "practice.html": "Practice",
    "gradient.html": "Read your gradient",
    DOCUMENTS: "Documents",
}
"""Every page, in the order of the menu."""

SCRIPTS = {
    "guide.html": ("common.js", "guide.js"),
    "practice.html": ("common.js", "python.js", "practice.js"),
    "gradient.html": ("common.js", "python.js", "gradient.js"),
    DOCUMENTS: ("common.js", "search.js"),
}

STRICT = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'"
"""What every page may load: our own files and nothing else. Pages without Python may run our scripts alone."""

QUIET = f"{STRICT}; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"

WITH_PYTHON = f"{STRICT}; script-src 'self' blob: 'wasm-unsafe-eval'; worker-src blob:; connect-src SERVERS"
"""Pyodide is run from blobs, after its hash was compared; no other server's script can run."""


def make_site(
    root: Path, to: Path, offline: Path | None = None, sheets: Sequence[str] = (), *, compiled: bool = False
) -> dict[str, int]:
    """Write the site of the course below ``root``; returns its files with their sizes.

    With ``offline``, a folder where npm has put Pyodide and numpy, everything is in the site; else Python comes from
    Pyodide's network. With ``compiled`` the first task of practice is sooner there. The notebooks of ``sheets`` run
    there too, in JupyterLite. Raises CourseError when a part is missing, when the folder is there and is no site, and
    when something of the key would be in it.
    """
    guide = root / "assignments" / "guide"
    if not (guide / "practice.py").is_file():
        raise CourseError(f"{guide} holds no practice.py: run `autograder build`.")
    if to.exists() and not (to / MARKER).exists():
        raise CourseError(f"{to} is there already and is no site: give another --to.")
    if sheets and offline is None:
        raise CourseError("the notebooks in the browser take Python from the site: give --offline, too.")
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    (to / MARKER).touch()
    package = Path(str(files("autograder")))
    servers = python.lay_out(to, package, guide, offline, compiled)
    for source in sorted((package / "site" / "page").iterdir()):
        shutil.copyfile(source, to / source.name)
    shutil.copyfile(package / "views" / "templates" / "page.css", to / "page.css")
    (to / "example.json").write_text(json.dumps(example()) + "\n", encoding="utf-8")
    templates = Environment(
        loader=PackageLoader("autograder.site"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    told = sections(guide / "backpropagation.ipynb")
    papers = documents.documents(root)
    pages = {page: name for page, name in PAGES.items() if papers or page != DOCUMENTS}
    if sheets:
        pages |= {lite.PAGE: "The notebooks"}

    def write(page: str, template: str, here: str, **more: Any) -> None:
        scripts = SCRIPTS.get(here, ())
        policy = WITH_PYTHON.replace("SERVERS", servers) if "python.js" in scripts else QUIET
        up = "../" * page.count("/")
        text = templates.get_template(template).render(
            policy=policy, scripts=scripts, pages=pages, here=here, page=page, up=up, **more
        )
        (to / page).write_text(text, encoding="utf-8")

    for page in pages:
        if page != DOCUMENTS:
            write(
                page, f"{page}.j2", page, hidden=HIDDEN, outputs=OUTPUT, losses=LOSSES, most=DEEPEST - 1, sections=told,
                notebooks=lite.notebooks(sheets),
            )  # fmt: skip
    if papers:
        _documents(root, to, papers, told, write)
    if sheets and offline is not None:
        lite.add_lite(root, to, sheets, offline / "wheels")
    found = list(leaks_of(root, to))
    if found:
        raise CourseError("; ".join(found))
    return {path.relative_to(to).as_posix(): path.stat().st_size for path in sorted(to.rglob("*")) if path.is_file()}


def _documents(
    root: Path, to: Path, papers: Mapping[str, list[Document]], told: list[Section], write: Callable[..., None]
) -> None:
    """The documents with their pictures, the list of them, and the index of the search, in which the guide is too."""
    folder = to / documents.FOLDER
    (folder / "pictures").mkdir(parents=True)
    write(DOCUMENTS, "documents.html.j2", DOCUMENTS, documents=papers)
    every = [one for listed in papers.values() for one in listed]
    for one in every:
        write(f"{documents.FOLDER}/{one.page}", "document.html.j2", DOCUMENTS, document=one)
        for picture in one.pictures:
            shutil.copyfile(root / picture, folder / "pictures" / Path(picture).name)
    guide = [
        Entry(
            one.id, documents.plain(one.title), documents.plain(" ".join(text for name, text in one.parts if not name))
        )
        for one in told
    ]
    listed = [("../guide.html", PAGES["guide.html"], guide), *((one.page, one.title, one.entries) for one in every)]
    (folder / "search.json").write_text(documents.index(listed), encoding="utf-8")
    (to / "code.css").write_text(str(code_styles()), encoding="utf-8")


def example() -> dict[str, list[list[float]]]:
    """One point of a network with tanh, whose gradients use the derivative of the sigmoid in the hidden layer."""
    rng = np.random.default_rng(21)
    X, Y = rng.normal(size=(2, 4)).round(2), np.array([[0.0, 1.0, 1.0, 0.0]])
    W1, b1 = rng.normal(size=(3, 2)).round(2), rng.normal(size=(3, 1)).round(2)
    W2, b2 = rng.normal(size=(1, 3)).round(2), rng.normal(size=(1, 1)).round(2)
    hidden = np.tanh(W1 @ X + b1)
    error = (1 / (1 + np.exp(-(W2 @ hidden + b2))) - Y) / X.shape[1]
    signal = W2.T @ error * hidden * (1 - hidden)
    gradients = {"dW1": signal @ X.T, "db1": signal.sum(axis=1, keepdims=True),
                 "dW2": error @ hidden.T, "db2": error.sum(axis=1, keepdims=True)}  # fmt: skip
    point = {"X": X, "Y": Y, "W1": W1, "b1": b1, "W2": W2, "b2": b2, **gradients}
    return {name: value.tolist() for name, value in point.items()}


# --- Nothing of the key -----------------------------------------------------------------------------------------------


def leaks_of(root: Path, site: Path) -> Iterator[str]:
    """What a site gives away: a line of a solved cell that no student has, a hidden test, a marker, an exercise."""
    hidden = list(secrets(root))
    for name, text in texts(site):
        if name.startswith(KEY):
            yield f"{name} is of the key"
        found = (markers.marker(line) for line in text.split("\n"))
        for word in sorted({one.spelling for one in found if one}) + [CALL] * (CALL in text):
            yield f"{name} holds `{word}`"
        for secret in leaks.given_away(hidden, text):
            yield f"{name} holds the {secret.kind} line `{secret.line}`"


KEY = tuple(f"python/{python.COURSE}/autograder/{part}" for part in ("exercises", "audit", "personal", "truth/descent"))
"""Parts of this package that know an exercise."""

CALL = 'mark_question("'
"""What stands in the instructors' notebooks alone, beside lines that are markers."""


def secrets(root: Path) -> Iterator[Secret]:
    """The telling lines of every solved notebook that stand in nothing that students get."""
    released = root / "assignments"
    public = [path.read_text(encoding="utf-8") for path in sorted(released.rglob("*.py"))]
    for path in sorted(released.rglob("*.ipynb")):
        public += [cell.source for cell in nbformat.read(path, as_version=4).cells]
    cells = [
        cell for path in sorted((root / "source").rglob("*.ipynb")) for cell in nbformat.read(path, as_version=4).cells
    ]
    yield from leaks.secrets(cells, public)


def texts(site: Path) -> Iterator[tuple[str, str]]:
    """Every text of ours in a site with its name: files as they are and as they are read, and what is packed.

    The rest of ``python/`` is not ours: files with pinned hashes, and packages as they are published. Nor are
    JupyterLab and the packages for its kernel.
    """
    for path in sorted(site.rglob("*")):
        name = path.relative_to(site).as_posix()
        if name == f"python/{python.COURSE}":
            with zipfile.ZipFile(path) as packed:
                for one in packed.namelist():
                    yield f"{name}/{one}", packed.read(one).decode("utf-8")
        elif path.is_file() and path.parent.name != "python" and not name.startswith(lite.THEIRS):
            yield name, as_read(path.read_text(encoding="utf-8", errors="replace"), path.suffix)


def as_read(text: str, suffix: str) -> str:
    """A text with what a reader sees of it below: a page without tags, every text in JSON."""
    if suffix == ".html":
        return f"{text}\n{unescape(re.sub(r'<[^>]*>', '', text))}"
    return "\n".join((text, *leaks.strings(json.loads(text)))) if suffix in (".json", ".ipynb") else text
