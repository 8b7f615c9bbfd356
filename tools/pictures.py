"""Makes the pictures of the README from the demo class: ``make pictures``. Needs Chromium.

The student's notebook comes from a real JupyterLab, the feedback page and the class report from real marks.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path

import browser
import lab
import nbformat
from PIL import Image

from autograder.build.submission import solutions
from autograder.cli import main
from autograder.demo.students import hand_ins
from autograder.exercises import load

ROOT = Path(__file__).resolve().parents[1]
TO = ROOT / "docs" / "pictures"
WIDTH = 1000
SEED = "7"


def make(to: Path) -> list[Path]:
    """Make every picture in a folder and return their paths."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        _hand_in(folder)
        made = [_notebook(folder, to / "notebook.png"), *_pages(folder, to)]
    for path in made:
        _shrink(path)
    return made


def _hand_in(folder: Path) -> None:
    for one in hand_ins(ROOT):
        path = folder / "submitted" / one.student / one.exercise.sheet / f"{one.exercise.name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(one.notebook, path)


def _notebook(folder: Path, to: Path) -> Path:
    """The self-check in JupyterLab after a mistake: what a student sees first."""
    shutil.copytree(ROOT / "assignments" / "training", folder / "training")
    handed_in = next(one for one in hand_ins(ROOT) if one.student == "carla" and one.exercise.name == "tanh_swap")
    cells = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell.source for cell in handed_in.notebook.cells}
    mine = {name: cells[name] for name in solutions(ROOT, load("tanh_swap"))}
    with browser.chromium(WIDTH, 720) as driver, browser.jupyter_lab(folder) as address:
        lab.open_notebook(driver, address("lab/tree/training/tanh_swap.ipynb"))
        lab.fill_in(driver, mine)
        lab.run_all(driver)
        lab.shown(driver, "selfcheck_network", "WRONG")
        driver.execute_script("return window.jupyterapp.commands.execute('application:toggle-left-area')")
        lab.look_at(driver, "selfcheck_network")
        browser.picture(driver, to)
    return to


def _pages(folder: Path, to: Path) -> list[Path]:
    submitted, marks = folder / "submitted", folder / "marks.jsonl"
    with marks.open("w") as file, redirect_stdout(file):
        done = main(["grade", str(submitted), "--json", "--seed", SEED, "--root", str(ROOT)])
    page = submitted / "carla" / "training" / "tanh_swap.ipynb"
    done |= main(["feedback", str(page), "--to", str(folder / "pages"), "--seed", SEED, "--root", str(ROOT)])
    done |= main(["report", str(marks), "--to", str(folder / "report.html"), "--root", str(ROOT)])
    if done:
        raise SystemExit("the demo class could not be graded, see above")
    with browser.chromium(WIDTH, 800) as driver:
        driver.get((folder / "pages" / "carla" / "training" / "tanh_swap.html").as_uri())
        browser.picture(driver, to / "feedback.png", height=browser.top_of(driver, "details"))
        driver.get((folder / "report.html").as_uri())
        browser.picture(driver, to / "report.png", height=browser.top_of(driver, "#mistakes ~ h3 + p + *"))
    return [to / "feedback.png", to / "report.png"]


def _shrink(path: Path) -> None:
    """Few colours are enough for a page of text; the file gets three times smaller."""
    with Image.open(path) as image:
        small = image.convert("RGB").quantize(128, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


if __name__ == "__main__":
    if browser.programs() is None:
        sys.exit(browser.MISSING)
    for made in make(TO):
        print(made.relative_to(ROOT))
