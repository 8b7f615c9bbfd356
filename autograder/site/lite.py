"""The sheets in JupyterLite: their notebooks run in the browser, with the modules beside them, and stay there.

JupyterLab comes from the package jupyterlite-core, what its kernel needs from wheels whose hashes are in kernel.txt,
Pyodide and numpy from the site's ``python/``. Compiled packages (matplotlib, scikit-learn) come from Pyodide's network;
the hashes that Pyodide compares are those of its own lock, whose hash is pinned.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from autograder.course import CourseError
from autograder.exercise import SHEETS
from autograder.exercises import all_exercises
from autograder.site import python

FOLDER = "lite"
PAGE = "notebooks.html"
"""The page that leads to the notebooks."""

KERNEL = "@jupyterlite/pyodide-kernel-extension"
FETCH = "make lite-parts"

COMPILED = ("matplotlib", "scikit-learn")
"""What a notebook may need without naming it in a cell: loaded when the kernel starts."""

PURE = {"install_dir": "site", "package_type": "package", "unvendored_tests": False}
"""What Pyodide's lock says of a package without compiled code."""

NEEDS = {
    "comm": ["traitlets"],
    "ipython-pygments-lexers": ["pygments"],
    "ipython": [
        "asttokens", "decorator", "executing", "ipython-pygments-lexers", "jedi", "matplotlib-inline", "prompt_toolkit",
        "pure-eval", "pygments", "six", "stack-data", "traitlets", "wcwidth",
    ],
}  # fmt: skip
"""What packages need that are not those of Pyodide's lock."""

LEAVE_OUT = shutil.ignore_patterns(".*", "__pycache__")

THEIRS = tuple(f"{FOLDER}/{name}/" for name in ("build", "extensions", "kernel"))
"""Folders of others' files, as their packages have them."""


def add_lite(root: Path, to: Path, sheets: Sequence[str], wheels: Path) -> None:
    """Write ``lite/`` into a site that has Python inside, with these sheets as they were released.

    Raises CourseError when a part or a sheet is missing.
    """
    if not (find_spec("jupyterlite_core") and find_spec("jupyterlite_pyodide_kernel")):
        raise CourseError(f"the notebooks in the browser need JupyterLite: {FETCH}")
    unknown = [
        sheet for sheet in sheets if sheet not in SHEETS or not any((root / "assignments" / sheet).glob("*.ipynb"))
    ]
    if unknown:
        raise CourseError(f"no sheet {', '.join(unknown)} was released; there are {', '.join(SHEETS)}.")
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        for sheet in sheets:
            shutil.copytree(
                root / "assignments" / sheet,
                here / "contents" / sheet,
                ignore=shutil.ignore_patterns(".*", "__pycache__"),
            )
        (here / "jupyter_lite_config.json").write_text(json.dumps(_build(here, to)), encoding="utf-8")
        (here / "jupyter-lite.json").write_text(json.dumps(settings()), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "jupyterlite_core", "build"], cwd=here, capture_output=True, text=True, check=False
        )  # fmt: skip
    if done.returncode:
        raise CourseError(f"JupyterLite could not be built: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
    _packages(to / FOLDER / "kernel", to / "python", wheels)


def notebooks(sheets: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """The notebooks of each sheet by its title, in the order of the course: address and title."""
    return {
        SHEETS[sheet]: [
            (f"{FOLDER}/lab/index.html?path={sheet}/{one.name}.ipynb", one.title)
            for one in all_exercises()
            if one.sheet == sheet
        ]
        for sheet in sheets
        if sheet in SHEETS
    }


def settings() -> dict[str, Any]:
    """What JupyterLite is told: where Python is, and the name under which the browser keeps what was written."""
    kernel = {
        "pyodideUrl": "./../python/pyodide.js",
        "disablePyPIFallback": True,
        "loadPyodideOptions": {"lockFileURL": "./kernel/pyodide-lock.json", "packages": list(COMPILED)},
    }
    return {
        "jupyter-lite-schema-version": 0,
        "jupyter-config-data": {
            "appName": "Backpropagation",
            "contentsStorageName": "backpropagation",
            "settingsStorageName": "backpropagation-settings",
            "workspacesStorageName": "backpropagation-workspaces",
            "litePluginSettings": {f"{KERNEL}:kernel": kernel},
        },
    }


def _build(here: Path, to: Path) -> dict[str, Any]:
    """What is built: JupyterLab with the one extension, whatever else is installed here."""
    kernel = Path(sys.prefix) / "share" / "jupyter" / "labextensions" / KERNEL
    return {
        "LiteBuildConfig": {
            "contents": [str(here / "contents")],
            "output_dir": str((to / FOLDER).resolve()),
            "apps": ["lab"],
            "ignore_sys_prefix": ["federated_extensions"],
            "federated_extensions": [str(kernel)],
            "no_sourcemaps": True,
        }
    }


# --- Packages for the kernel ------------------------------------------------------------------------------------------


def _packages(to: Path, core: Path, wheels: Path) -> None:
    """The kernel's packages, and Pyodide's lock, which names them, and the network for all else."""
    to.mkdir()
    lock = json.loads((core / "pyodide-lock.json").read_text(encoding="utf-8"))
    known = {_key(name): about for name, about in lock["packages"].items()}
    for about in known.values():
        about["file_name"] = python.PACKAGES_FROM + about["file_name"]
    for name, version, digest in pinned():
        wheel = next(wheels.glob(f"{name.replace('-', '_')}-{version}-*.whl"), None)
        if wheel is None or hashlib.sha256(wheel.read_bytes()).hexdigest() != digest:
            raise CourseError(f"{wheels} lacks {name} {version}, or has another file than the one pinned: {FETCH}")
        shutil.copyfile(wheel, to / wheel.name)
        if name not in known:
            lock["packages"][name] = known[name] = {"name": name, "imports": [name.replace("-", "_")], **PURE}
        known[name] |= {"version": version, **_file(to / wheel.name)}
        known[name]["depends"] = NEEDS.get(name, known[name].get("depends"))
    wheel = _numpy(core / python.NUMPY_OFFLINE[0], to)
    known["numpy"] |= {"version": wheel.name.split("-")[1], **_file(wheel)}
    (to / "pyodide-lock.json").write_text(json.dumps(lock) + "\n", encoding="utf-8")


def pinned() -> list[tuple[str, str, str]]:
    """The kernel's packages with version and hash."""
    text = (files("autograder.site") / "kernel.txt").read_text(encoding="utf-8")
    return re.findall(r"^([\w-]+)==(\S+) --hash=sha256:(\w+)$", text, re.MULTILINE)


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _file(wheel: Path) -> dict[str, str]:
    """Where a wheel lies, seen from Python's folder, and its hash, which Pyodide compares."""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return {"file_name": f"../{FOLDER}/{wheel.parent.name}/{wheel.name}", "sha256": digest}


def _numpy(archive: Path, to: Path) -> Path:
    """The numpy that npm brings, as a wheel."""
    inside = "lib/python3.12/site-packages/"
    wheel = to / f"numpy-{archive.name.split('-')[1]}-cp312-cp312-pyodide_2024_0_wasm32.whl"
    with tarfile.open(archive) as packed, zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as made:
        for member in packed:
            if member.isfile() and member.name.startswith(inside) and not member.name.endswith("/RECORD"):
                file = packed.extractfile(member)
                assert file is not None
                python.put(made, member.name.removeprefix(inside), file.read())
    return wheel
