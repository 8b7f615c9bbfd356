"""Python in the page: Pyodide, pinned by hashes, and the archives that the page unpacks into it.

Every file that the page fetches for Python is in ``python/files.json`` with its hash, ours as well as the network's.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import zipfile
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from autograder.course import CourseError

VERSION = "0.27.8"
HOST = "https://cdn.jsdelivr.net"
"""The one other server that a page asks, and only a page that was made without ``--offline``."""

CORE_FROM = f"{HOST}/npm/pyodide@{VERSION}/"
PACKAGES_FROM = f"{HOST}/pyodide/v{VERSION}/full/"

CORE = {
    "pyodide.asm.js": "sha384-4viPCz2Juqq5Xu3W1eocuXlwMawC7G0yvPGi9OYT8mYmslXXRT3ErkqWSnLg0W4+",
    "pyodide.js": "sha384-2k1KZNwTxSiRBsSIfsgk9Gw54d5N3WC+Kd9Rw0GrUWtfJb6cJMylHjWpECnK77FP",
    "pyodide.asm.wasm": "sha384-Wk9o1+H1bZUTjcsSeYX9B6NvUr897micN43hiIOlcosbdIpj2FT3HlfTUWRhXF8Z",
    "python_stdlib.zip": "sha384-PD4uxZDlHIqnrRgBZ0rnmpfFgEwqYuhddonbVssLCYKiljBkBjF28dmI7lSbZNFz",
    "pyodide-lock.json": "sha384-q1LqV/UQSNCYyy4XkN2EY3w5rWPUm+Z+YvMx5U9qblo25xZWJm87e31kUXCdV4im",
}
"""The files of the npm package ``pyodide``."""

NUMPY = ("numpy-2.0.2-cp312-cp312-pyodide_2024_0_wasm32.whl", "sha256-67YSQdliuYshWX185DtnZoptW6s6zsT76VhlcyDXzQg=")
"""The wheel that Pyodide's lock names."""

NUMPY_OFFLINE = (
    "numpy-2.0.1-py312h4e66579_0.tar.gz",
    "sha384-xQtaVbndPtFcFeWRlsIIE2OP+XC2kdcUg0uv9VYwuGzKXMTJfSt+LdrWrP4+7BtP",
)
"""What the npm package ``@emscripten-forge/numpy`` holds, built for the same version of Emscripten."""

NPM = f"npm install --prefix FOLDER pyodide@{VERSION} @emscripten-forge/numpy@2.0.1-py312h4e66579-0"

OURS = (
    "__init__.py", "in_page.py", "tolerance.py", "mistakes", "diagnosis", "commands/__init__.py", "commands/explain.py",
    "commands/explain_code.py", "commands/explain_points.py", "exercise.py", "layers", "marking", "locate",
    "truth/__init__.py", "truth/functions.py", "truth/network.py", "truth/precision.py", "truth/programs.py",
    "sandbox/model.py", "sandbox/here.py", "sandbox/inside", "views/__init__.py", "views/gradients.py",
)  # fmt: skip
"""What of this package the pages run: the engine, and exact networks for the line. No exercise."""

NO_WALLS = "sandbox/here.py"
"""What stands in the place of the package ``sandbox``, whose walls need Linux."""

TOOLKIT = ("practice.py", "selfcheck.py")
"""Modules of the guide's folder that students get."""

COURSE = "course.zip"

PURE = ("sympy", "mpmath", "msgpack")
"""Packages without compiled code: those that are installed here go along."""

LEFT_OUT = {"tests", "benchmarks", "testing", "__pycache__"}


def lay_out(to: Path, package: Path, toolkit: Path, offline: Path | None, compiled: bool = False) -> str:
    """Write ``python/`` below ``to``; returns the servers that a page may ask for it, as a content policy says them.

    With ``compiled`` the modules of sympy that every task needs are compiled here, by the Python of the page, where
    node can run it. Raises CourseError when ``offline`` lacks a file or has another one than is pinned.
    """
    folder = to / "python"
    folder.mkdir()
    core, numpy = CORE_FROM, {"url": PACKAGES_FROM + NUMPY[0], "format": "wheel", "to": "", "integrity": NUMPY[1]}
    if offline is not None:
        modules = offline / "node_modules"
        for name, integrity in CORE.items():
            _copy(modules / "pyodide" / name, folder / name, integrity)
        _copy(
            modules / "@emscripten-forge" / "numpy" / "pkg" / NUMPY_OFFLINE[0],
            folder / NUMPY_OFFLINE[0],
            NUMPY_OFFLINE[1],
        )
        core = "./"
        numpy = {"url": NUMPY_OFFLINE[0], "format": "gztar", "to": "/", "integrity": NUMPY_OFFLINE[1]}
    course = [(path, path.relative_to(package.parent)) for path in _modules(package)]
    course.append((package / NO_WALLS, Path(package.name, "sandbox", "__init__.py")))
    course += [(toolkit / name, Path(name)) for name in TOOLKIT]
    archives = {"numpy": numpy, "course": _pack(folder / COURSE, course), "sympy": _pack(folder / "sympy.zip", _pure())}
    if compiled and offline is not None and shutil.which("node"):
        archives["sympy"]["integrity"] = _compile(package / "site" / "compile.cjs", folder, folder / "sympy.zip")
    files = {"core": core, "hashes": CORE, "archives": archives}
    (folder / "files.json").write_text(json.dumps(files, indent=1) + "\n", encoding="utf-8")
    return "'self'" if offline is not None else f"'self' {HOST}"


def _modules(package: Path) -> Iterable[Path]:
    for name in OURS:
        path = package / name
        yield from [path] if path.is_file() else sorted(path.rglob("*.py"))


def _pure() -> Iterable[tuple[Path, Path]]:
    """The modules and the licences of the pure packages as they are installed here."""
    for name in PURE:
        for file in sorted(distribution(name).files or ()):
            kept = file.suffix == ".py" or file.name.startswith("LICENSE")
            if kept and ".." not in file.parts and not LEFT_OUT & set(file.parts):
                yield Path(str(file.locate())), Path(file)


def _pack(archive: Path, files: Iterable[tuple[Path, Path]]) -> dict[str, Any]:
    """A zip that is the same whenever it is made of the same files."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path, name in files:
            put(packed, name.as_posix(), path.read_bytes())
    return {"url": archive.name, "format": "zip", "to": "/course", "integrity": _hash(archive, "sha384")}


def _compile(program: Path, folder: Path, archive: Path) -> str:
    """Put compiled modules in the place of those that sympy loads; returns the archive's hash. Raises CourseError."""
    done = subprocess.run(
        ["node", str(program), str(folder.resolve()), str(archive), str(archive)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise CourseError(f"sympy could not be compiled by node: {done.stderr.strip()[-300:]}")
    return _hash(archive, "sha384")


def put(packed: zipfile.ZipFile, name: str, data: bytes) -> None:
    """Add a file without its time."""
    about = zipfile.ZipInfo(name)
    about.compress_type = zipfile.ZIP_DEFLATED
    packed.writestr(about, data)


def _copy(path: Path, to: Path, integrity: str) -> None:
    if not path.is_file():
        raise CourseError(f"{path} is missing: {NPM}")
    if _hash(path, integrity.partition("-")[0]) != integrity:
        raise CourseError(f"{path} is another file than the one that is pinned: {NPM}")
    to.write_bytes(path.read_bytes())


def _hash(path: Path, kind: str) -> str:
    return f"{kind}-{base64.b64encode(hashlib.new(kind, path.read_bytes()).digest()).decode()}"
