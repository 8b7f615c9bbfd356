"""``autograder kit``: the folder and the archive that students get."""

from __future__ import annotations

import argparse
import shutil
import sys
import zipfile
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

from autograder.console import complain, say
from autograder.course import CourseError, address_of_sheets, find_root
from autograder.exercise import SHEETS
from autograder.exercises import all_exercises

MARKER = ".student-kit"
REQUIREMENTS = ("jupyterlab", "ipython", "ipywidgets", "matplotlib", "numpy", "scikit-learn", "sympy", "tqdm")
"""What the notebooks and the modules beside them import; nothing of ours."""

IN_SITE = "/lite/files"
"""Where a site has the sheets."""

LEAVE_OUT = shutil.ignore_patterns(".*", "__pycache__", "*.pyc")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``autograder kit``."""
    parser.add_argument("sheets", nargs="*", metavar="SHEET", help="the sheets to pack; all of them by default")
    parser.add_argument("--to", type=Path, default=Path("student-kit"), help="the folder (replaced), and TO.zip")
    parser.add_argument("--root", type=Path, help="the course's folder; found from here by default")


def run(args: argparse.Namespace) -> int:
    """Make the kit. Returns 0 when it was made, 2 on bad use."""
    try:
        root = find_root(args.root)
        archive = make_kit(root, args.to, args.sheets)
    except CourseError as problem:
        complain("kit", problem)
        return 2
    say(f"student kit: {args.to} and {archive}")
    for sheet, solved in solutions_in(args.to, root / "assignments"):
        say(
            f"note: {sheet}/ holds {solved.stem}.py, the solution of that exercise of {solved.parent.name}/."
            " Give it out when that sheet has been handed in: `autograder kit SHEET` packs single sheets."
        )
    return 0


def solutions_in(kit: Path, released: Path) -> list[tuple[str, Path]]:
    """The sheets of a kit that hold the solution of another sheet's exercise as a module, each with its notebook."""
    found = []
    for module in sorted(kit.glob("*/*.py")):
        notebooks = [path for path in released.glob(f"*/{module.stem}.ipynb") if path.parent.name in SHEETS]
        found += [(module.parent.name, path) for path in notebooks if path.parent.name != module.parent.name]
    return found


def _pinned(name: str) -> str:
    """The version that is here, which is the grader's: another one may lack a name or give other numbers."""
    try:
        return f"{name}=={version(name)}\n"
    except PackageNotFoundError:
        raise CourseError(f"{name} is not installed here, so its version is not known: pip install {name}.") from None


def _in_the_browser(published: str) -> str:
    """Where the notebooks run with nothing installed, when the sheets are published in a site that has them."""
    site, found, _ = published.rpartition(IN_SITE)
    return f"Or [open them in the browser]({site}/notebooks.html), with nothing installed.\n\n" if found else ""


def make_kit(root: Path, to: Path, sheets: Sequence[str] = ()) -> Path:
    """Copy released sheets with a README and the requirements, and pack them; returns the archive.

    Without names these are all sheets. What is no sheet, such as the guide, always goes along. Raises CourseError when
    nothing was released, when a sheet is not there, or when the folder is there and is no kit.
    """
    released = root / "assignments"
    if not any(released.glob("*/*.ipynb")):
        raise CourseError(f"{released} holds no notebook: run `autograder build`.")
    unknown = [sheet for sheet in sheets if not any((released / sheet).glob("*.ipynb"))]
    if unknown:
        there = ", ".join(sorted({path.parent.name for path in released.glob("*/*.ipynb")}))
        raise CourseError(f"no sheet {', '.join(unknown)} was released; there are {there}.")
    if to.exists() and not (to / MARKER).exists():
        raise CourseError(f"{to} is there already and is no student kit: give another --to.")
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    (to / MARKER).touch()
    for sheet in sorted(released.iterdir()):
        wanted = not sheets or sheet.name in sheets or sheet.name not in SHEETS
        if wanted and sheet.is_dir() and any(sheet.glob("*.ipynb")):
            shutil.copytree(sheet, to / sheet.name, ignore=LEAVE_OUT)
    (to / "requirements.txt").write_text("".join(map(_pinned, REQUIREMENTS)), encoding="utf-8")
    text = (files("autograder.commands") / "student_readme.md").read_text(encoding="utf-8")
    titles = {"guide": "The whole story with pictures, and practice with fresh numbers; nothing to hand in"} | SHEETS
    sheets = "\n".join(f"| `{name}/` | {title} |" for name, title in titles.items() if (to / name).is_dir())
    order = "\n".join(
        f"{number}. `{one.sheet}/{one.name}`: {one.title}"
        for number, one in enumerate(all_exercises(), start=1)
        if (to / one.sheet / f"{one.name}.ipynb").is_file()
    )
    words = {
        "SHEETS": sheets, "ORDER": order, "VERSION": "{}.{}".format(*sys.version_info),
        "BROWSER": _in_the_browser(address_of_sheets(root)),
    }  # fmt: skip
    for word, said in words.items():
        text = text.replace(word, said)
    (to / "README.md").write_text(text, encoding="utf-8")
    archive = to.with_name(f"{to.name}.zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(to.rglob("*")):
            if path.is_file() and path.name != MARKER:
                packed.write(path, Path(to.name) / path.relative_to(to))
    return archive
