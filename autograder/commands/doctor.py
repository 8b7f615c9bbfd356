"""``autograder doctor``: what is installed, what isolation this machine reaches, and how to mend what is missing."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder import __version__
from autograder.course import CourseError, find_root
from autograder.sandbox import Sandbox, SandboxUnavailable

SHOWN = ("numpy", "sympy", "scikit-learn", "matplotlib", "ipython", "nbgrader", "jupyterlab", "jupytext")
"""Packages whose versions are worth knowing in a report of a problem; of the others only absence is told."""

SIGNS = {"ok": ("✓", "green"), "note": ("–", "yellow"), "fault": ("✗", "bold red")}

USERNS = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: ``ok``, a ``note`` or a ``fault`` that keeps grading from working."""

    what: str
    found: str
    status: str = "ok"
    remedy: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``autograder doctor``."""
    parser.add_argument("--root", type=Path, help="the course's folder; found from here by default")


def run(args: argparse.Namespace) -> int:
    """Print what was found. Returns 0 when grading works here and 1 when something keeps it from working."""
    found = [*_python(), *_namesakes(), *_programs(), *_isolation(), *_course(args.root)]
    console = Console()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_header=False)
    for finding in found:
        sign, style = SIGNS[finding.status]
        said = Text(finding.found)
        if finding.remedy:
            said.append(f"\n{finding.remedy}", style)
        table.add_row(Text(sign, style), finding.what, said)
    console.print(table)
    faults = sum(finding.status == "fault" for finding in found)
    if faults:
        console.print(f"{faults} of these keep grading from working.", style="bold red")
    return 1 if faults else 0


def _python() -> Iterator[Finding]:
    yield Finding("autograder", __version__)
    yield Finding("Python", f"{sys.version.split()[0]} ({sys.executable})")
    try:
        texts = [text for text in metadata.requires("backprop-autograder") or () if _is_for_grading(text)]
        needed = [re.split(r"[^A-Za-z0-9._-]", text)[0] for text in texts]
    except metadata.PackageNotFoundError:
        needed = list(SHOWN)
        yield Finding("installation", "the package runs from its folder and is not installed", "note")
    missing, versions = [], []
    for name in needed:
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
        else:
            versions += [f"{name} {version}"] * (name in SHOWN)
    yield Finding("packages", ", ".join(versions) or "none")
    if missing:
        yield Finding("missing", ", ".join(missing), "fault", "Type: make setup, or: pip install -r requirements.lock")


def _is_for_grading(requirement: str) -> bool:
    extra = re.search(r"extra == ['\"]([^'\"]+)", requirement)
    return extra is None or (extra[1] in ("course", "grade") and not requirement.startswith("backprop-autograder"))


def _namesakes() -> Iterator[Finding]:
    """PyPI has an unrelated package that installs the same import name and command; what came last wins."""
    for name in sorted({*_who_installs("autograder")} - {"backprop-autograder"}):
        yield Finding(
            "name clash",
            f"the unrelated package {name} installs the same folder and the same command",
            "fault",
            f"Type: pip uninstall {name}, and then install this one anew: make setup",
        )


def _who_installs(folder: str) -> Iterator[str]:
    """The distributions that say so in their lists of files; to ask importlib.metadata takes longer than all else."""
    for site in {Path(path) for path in sys.path if path.endswith("-packages")}:
        for record in site.glob("*.dist-info/RECORD"):
            if f"\n{folder}/__init__.py,".encode() in b"\n" + record.read_bytes():
                yield metadata.Distribution.at(record.parent).metadata["Name"]


def _programs() -> Iterator[Finding]:
    if shutil.which("alembic"):
        yield Finding("nbgrader", "finds its helpers on PATH")
    else:
        yield Finding(
            "nbgrader",
            "does not find alembic on PATH, so it cannot make a gradebook; `autograder grade` works without",
            "note",
            f"Type: . {Path(sys.executable).parent}/activate",
        )
    program = shutil.which("bwrap")
    if program is None:
        yield Finding("bubblewrap", "not installed", "note", "Type: sudo apt-get install bubblewrap")
    else:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10).stdout.strip()
        yield Finding("bubblewrap", f"{said} ({program})")
    if USERNS.is_file() and USERNS.read_text().strip() == "1":
        yield Finding(
            "user namespaces",
            "restricted by AppArmor",
            "note",
            "If full isolation is refused below, type: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        )


def _tried(level: str) -> Finding:
    try:
        with Sandbox(level=level):
            return Finding(f"isolation: {level}", "holds: the canary could not read, write, connect, fork or signal")
    except SandboxUnavailable as problem:
        return Finding(f"isolation: {level}", str(problem), "note")


def _isolation() -> Iterator[Finding]:
    """Each level is tried with the canary, which attempts what no submission may do."""
    levels = ("full", "reduced")
    with ThreadPoolExecutor(len(levels)) as pool:
        found = list(pool.map(_tried, levels))
    yield from found
    reached = next((level for level, finding in zip(levels, found) if finding.status == "ok"), "")
    if reached:
        yield Finding("grading", f"runs students' code at level {reached}")
    else:
        yield Finding(
            "grading",
            "is refused, since students' code would run unprotected",
            "fault",
            "Mend one of the levels above. `autograder grade --isolation none` is only for notebooks that you trust.",
        )


def _course(start: Path | None) -> Iterator[Finding]:
    try:
        root = find_root(start)
    except CourseError as problem:
        yield Finding("course", str(problem), "fault")
        return
    notebooks = len(list((root / "source").glob("*/*.ipynb")))
    if notebooks:
        yield Finding("course", f"{root}, {notebooks} notebooks")
    else:
        yield Finding("course", f"{root} has no notebook in source/", "fault", "Type: autograder build")
