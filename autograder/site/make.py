"""The site's pages, its Python, and the proof that nothing of the key is among them."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import nbformat
import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from autograder.build import leaks
from autograder.build.leaks import Secret
from autograder.course import CourseError
from autograder.diagnosis.spec import DEEPEST, HIDDEN, LOSSES, OUTPUT
from autograder.site import python
from autograder.site.guide import sections

MARKER = ".course-site"

PAGES = {
    "index.html": "The course",
    "guide.html": "The guide",
    "practice.html": "Practice",
    "gradient.html": "Read your gradient",
}
"""Every page, in the order of the menu."""

SCRIPTS = {
    "guide.html": ("common.js", "guide.js"),
    "practice.html": ("common.js", "python.js", "practice.js"),
    "gradient.html": ("common.js", "python.js", "gradient.js"),
}

STRICT = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'"
"""What every page may load: our own files and nothing else. Pages without Python may run our scripts alone."""

QUIET = f"{STRICT}; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"

WITH_PYTHON = f"{STRICT}; script-src 'self' blob: 'wasm-unsafe-eval'; worker-src blob:; connect-src SERVERS"
"""Pyodide is run from blobs, after its hash was compared; no other server's script can run."""


def make_site(root: Path, to: Path, offline: Path | None = None) -> dict[str, int]:
    """Write the site of the course below ``root``; returns its files with their sizes.

    With ``offline``, a folder where npm has put Pyodide and numpy, everything is in the site; else Python comes from
    Pyodide's network. Raises CourseError when a part is missing, when the folder is there and is no site, and when
    something of the key would be in it.
    """
    guide = root / "assignments" / "guide"
    if not (guide / "practice.py").is_file():
        raise CourseError(f"{guide} holds no practice.py: run `autograder build`.")
    if to.exists() and not (to / MARKER).exists():
        raise CourseError(f"{to} is there already and is no site: give another --to.")
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    (to / MARKER).touch()
    package = Path(str(files("autograder")))
    servers = python.lay_out(to, package, guide, offline)
    for source in sorted((package / "site" / "page").iterdir()):
        shutil.copyfile(source, to / source.name)
    shutil.copyfile(package / "views" / "templates" / "page.css", to / "page.css")
    (to / "example.json").write_text(json.dumps(example()) + "\n", encoding="utf-8")
    templates = Environment(
        loader=PackageLoader("autograder.site"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    told = sections(guide / "backpropagation.ipynb")
    for page in PAGES:
        scripts = SCRIPTS.get(page, ())
        policy = WITH_PYTHON.replace("SERVERS", servers) if "python.js" in scripts else QUIET
        text = templates.get_template(f"{page}.j2").render(
            policy=policy, scripts=scripts, pages=PAGES, here=page,
            hidden=HIDDEN, outputs=OUTPUT, losses=LOSSES, most=DEEPEST - 1, sections=told,
        )  # fmt: skip
        (to / page).write_text(text, encoding="utf-8")
    found = list(leaks_of(root, to))
    if found:
        raise CourseError("; ".join(found))
    return {path.relative_to(to).as_posix(): path.stat().st_size for path in sorted(to.rglob("*")) if path.is_file()}


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
        for word in MARKS:
            if word in text:
                yield f"{name} holds `{word}`"
        for secret in leaks.given_away(hidden, text):
            yield f"{name} holds the {secret.kind} line `{secret.line}`"


KEY = tuple(f"python/{python.COURSE}/autograder/{part}" for part in ("exercises", "audit", "personal", "truth/descent"))
"""Parts of this package that know an exercise."""

MARKS = ("### BEGIN SOLUTION", "### BEGIN HIDDEN TESTS", "=== BEGIN MARK SCHEME ===", 'mark_question("')
"""What stands in the instructors' notebooks alone."""


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
    """Every text of ours in a site with its name: files, and what is packed in ``course.zip``.

    The rest of ``python/`` is not ours: files with pinned hashes, and packages as they are published.
    """
    for path in sorted(site.rglob("*")):
        name = path.relative_to(site).as_posix()
        if name == f"python/{python.COURSE}":
            with zipfile.ZipFile(path) as packed:
                for one in packed.namelist():
                    yield f"{name}/{one}", packed.read(one).decode("utf-8")
        elif path.is_file() and path.parent.name != "python":
            yield name, path.read_text(encoding="utf-8")
