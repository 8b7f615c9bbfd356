"""How long a marker waits for the machine: ``python benchmarks/marking.py [--answers 58] [--sample 12] [--trial]``.

A class's answers to one part, headless Chromium, and a script in the place of the person: it reads nothing, gives a
point and goes on. First in the marking page until no answer waits, then in formgrader, in a copy of the same course,
for a sample of the answers. Printed are, by the browser's own clock:

- the load of the page, from the request to the first answer that can be marked;
- from the key (Enter, or formgrader's Control and full stop) to the moment when the next answer can be marked;
- the sum for all answers; formgrader's is that of the sample times the share.

Formgrader is asked on its best side: by keyboard, and with an empty MathJax, which it otherwise loads from the
internet, so that no formula is typeset and nothing waits for it. That it scrolls for half a second is not counted.

``--trial`` takes the sheet ``foundations`` from hand-in to returned feedback with the course's commands. The class
hands in the known right and wrong solutions, each a little edited, with texts made of lines of the mark schemes and of
sentences beside the point: a tenth blank, a fifth equal to others, a fifth nearly equal, the others different. The
script gives every answer the boxes that its text was made of, and a group at once where all its members have the same
ones. Then the same answers by a sample in formgrader, in a copy from before the marking.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "kits")]

import browser  # noqa: E402
import class_kit  # noqa: E402
import desk_kit  # noqa: E402
import nbformat  # noqa: E402
from nbgrader.api import Gradebook  # noqa: E402
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.remote.webdriver import WebDriver  # noqa: E402

from autograder.audit import load_variants  # noqa: E402
from autograder.bridge.schemes import scheme_of  # noqa: E402
from autograder.build.submission import fill, solutions  # noqa: E402
from autograder.exercise import Exercise  # noqa: E402
from autograder.exercises import NAMES, all_exercises  # noqa: E402

READY = "return document.body.dataset.ready === 'yes'"
WATCH = """
window.took = [];
addEventListener('keydown', event => {
  if (event.key !== 'Enter') return;
  const start = performance.now();
  requestAnimationFrame(() => setTimeout(() => window.took.push(performance.now() - start)));
}, true);
"""

FORMGRADER = """
window.MathJax = {Hub: {Config() {}, Queue() {}, Startup: {signal: {Interest(tell) { tell('End'); }}}}};
const now = () => performance.timeOrigin + performance.now();
addEventListener('keydown', event => {
  if (event.ctrlKey && event.key === '.') sessionStorage.pressed = now();
}, true);
(function look() {
  const page = window.formgrader;
  const ready = page?.loaded && page.grades.loaded && page.comments.loaded && document.activeElement.matches('.score');
  if (ready) setTimeout(() => { window.readyAt = now(); }); else requestAnimationFrame(look);
})();
"""
INDEX = "return $('.tabbable').index($(document.getElementById(arguments[0])))"
LOADED = "return window.readyAt ? window.readyAt - performance.timeOrigin : null"
NEXT = "return window.readyAt && performance.timeOrigin !== arguments[0] ? readyAt - sessionStorage.pressed : null"
ELSEWHERE = ["*cdnjs.cloudflare.com*", "*googleapis.com*"]


@dataclass(frozen=True)
class Waits:
    """Milliseconds: of loads of the page, and from the key to the next answer."""

    loads: list[float]
    took: list[float]

    @property
    def together(self) -> float:
        """Seconds for these answers."""
        return sum(self.took) / 1000


def ours(driver: WebDriver, course: Path, address: str, answers: int) -> tuple[Waits, float]:
    """Mark every answer with the first box; with the seconds until the gradebook has all."""
    opened(driver, address)  # the first one opens the gradebook and reads the notebooks
    loads = []
    for _ in range(5):
        opened(driver, address)
        loads.append(driver.execute_script("return performance.getEntriesByName('ready')[0].startTime"))
    driver.execute_script(WATCH)
    start = time.perf_counter()
    for _ in range(answers):
        ActionChains(driver).send_keys("1", Keys.ENTER).perform()
    browser.wait(driver, lambda _: None not in desk_kit.scores(course).values(), "marks are missing")
    return Waits(loads, driver.execute_script("return window.took")), time.perf_counter() - start


def opened(driver: WebDriver, address: str) -> None:
    driver.get(address)
    browser.wait(driver, lambda one: one.execute_script(READY), "the page was not ready")


@contextmanager
def formgrader(driver: WebDriver, course: Path) -> Iterator[str]:
    """JupyterLab with formgrader in a course; gives the address of formgrader."""
    driver.execute_cdp_cmd("Network.enable", {})
    driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ELSEWHERE})
    added = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": FORMGRADER})
    try:
        with browser.jupyter_lab(course) as address:
            driver.get(address("formgrader/gradebook"))
            yield address("formgrader").partition("?")[0]
    finally:
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


def theirs(driver: WebDriver, course: Path, base: str, place: tuple[str, str, str], sample: int) -> Waits:
    """Give a point to the first answers to a part (sheet, exercise, part)."""
    sheet, exercise, part = place
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        first = sorted(one.id for one in book.notebook_submissions(exercise, sheet))[0]
    driver.get(f"{base}/submissions/{first}/?index=0")
    browser.wait(driver, lambda one: one.execute_script("return window.formgrader?.loaded"), "formgrader")
    page = f"{base}/submissions/{first}/?index={driver.execute_script(INDEX, part)}"
    loads, took = [], []
    for _ in range(5):
        driver.get(page)
        loads.append(browser.wait(driver, lambda one: one.execute_script(LOADED), "the page was not ready"))
    for _ in range(sample):
        assert driver.execute_script("return document.activeElement.id") == part
        before = driver.execute_script("return performance.timeOrigin")
        keys = ActionChains(driver).send_keys("1").key_down(Keys.CONTROL).send_keys(".").key_up(Keys.CONTROL)
        keys.perform()
        took.append(browser.wait(driver, lambda one: one.execute_script(NEXT, before), "no next answer"))  # noqa: B023
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        given = [
            grade.manual_score
            for one in book.notebook_submissions(exercise, sheet)
            for grade in one.grades
            if grade.name == part and grade.manual_score is not None
        ]
    assert given == [1.0] * sample, "not all points that were typed are in the gradebook"
    return Waits(loads, took)


def compare(folder: Path, answers: int, sample: int, pictures: Path | None) -> None:
    """One part in the marking page and in formgrader."""
    sample = min(sample, answers - 1)  # after the last answer formgrader shows no next one
    course = desk_kit.marked_course(folder / "course", ROOT, desk_kit.answers(answers))
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        for number in (1, 2):
            book.add_student(f"nothing{number}")
    copy = Path(shutil.copytree(course, folder / "copy"))
    with browser.chromium(1280, 900) as driver:
        with desk_kit.served(course) as address:
            mine, written = ours(driver, course, address, answers)
            if pictures:
                browser.picture(driver, pictures / "marked.png")
        with formgrader(driver, copy) as base:
            other = theirs(driver, copy, base, (desk_kit.SHEET, desk_kit.NAME, desk_kit.PART), sample)
            if pictures:
                browser.picture(driver, pictures / "formgrader.png", height=4000)
    whole = other.together * answers / sample
    print(
        f"class of {answers + 2}, {answers} answers to {desk_kit.NAME}, {desk_kit.PART}; formgrader: {sample} of them"
    )
    print(f"{'':30}{'marking page':>14}{'formgrader':>14}{'ratio':>9}")
    for words, one, two in (
        ("page load, median of 5", statistics.median(mine.loads), statistics.median(other.loads)),
        ("key to next answer, median", statistics.median(mine.took), statistics.median(other.took)),
        ("key to next answer, most", max(mine.took), max(other.took)),
        ("all answers, sum", mine.together * 1000, whole * 1000),
    ):
        print(f"{words:30}{one:11.0f} ms{two:11.0f} ms{two / one:7.0f} ×")
    print(f"first key to the last mark in the gradebook, with the driver's own time: {written:.1f} s")


# The trial ------------------------------------------------------------------------------------------------------------

ASIDE = (
    "I first thought otherwise, and then looked at the numbers above.",
    "This can be seen in the figure on the right.",
    "I used the learning rate that the text proposes.",
    "With another seed the picture was much the same.",
    "We discussed it in the tutorial, and I agree with what was said there.",
    "My notebook needed about a minute for it.",
    "It follows from the chain rule as $\\frac{\\partial L}{\\partial z} = a - y$.",
    "The matrices have the shapes that the lecture says, I have printed them.",
    "I am not sure about the last point and would like to see it done.",
    "For larger networks I expect more of the same.",
    "The code below the text shows what I mean by it.",
    "Without the bias nothing much would change here.",
)
NEARLY = (("I ", "i "), (".", " ."), ("the ", "teh "), (", ", ","), ("is ", "ist "))


def texts(words: list[str], count: int, rng: random.Random) -> list[tuple[str, frozenset[int]]]:
    """Answers with the boxes that each earns, in the order of the students: blank, equal, nearly equal, different."""

    def one() -> tuple[str, frozenset[int]]:
        boxes = frozenset(at for at in range(len(words)) if rng.random() < 0.6)
        said = [f"{words[at][:1].upper()}{words[at][1:].rstrip('.')}." for at in boxes]
        said += rng.sample(ASIDE, rng.randint(2, 4))
        rng.shuffle(said)
        return " ".join(said), boxes

    kinds = ["blank"] * (count // 10) + ["equal"] * (count // 5) + ["near"] * (count // 5)
    kinds += ["own"] * (count - len(kinds))
    rng.shuffle(kinds)
    common, found = [one() for _ in range(3)], []
    for kind in kinds:
        text, boxes = ("", frozenset[int]()) if kind == "blank" else one() if kind == "own" else rng.choice(common)
        if kind == "near":
            text = text.replace(*rng.choice(NEARLY), 1)
        found.append((text, boxes))
    return found


@dataclass(frozen=True)
class Class:
    """What was handed in; by exercise and part the boxes that a text deserves, and the points of a student."""

    archive: Path
    people: Path
    boxes: dict[tuple[str, str], dict[str, frozenset[int]]]
    points: dict[tuple[str, str], dict[str, float]]


def hand_in(folder: Path, exercises: list[Exercise], students: int, seed: int) -> Class:
    """An archive as Moodle gives it, and the table of the class; two students hand in nothing."""
    rng = random.Random(seed)
    names = [f"s{number:02}" for number in range(students)]
    people = folder / "students.csv"
    people.write_text(
        "id,first_name,last_name,email\n" + "".join(f"{one},Given{one},Family{one},{one}@x.org\n" for one in names)
    )
    given = names[: max(2, students - 2)]
    boxes: dict[tuple[str, str], dict[str, frozenset[int]]] = {}
    points: dict[tuple[str, str], dict[str, float]] = {}
    with zipfile.ZipFile(folder / "moodle.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for exercise in exercises:
            released = nbformat.read(ROOT / "assignments" / exercise.sheet / f"{exercise.name}.ipynb", as_version=4)
            solved, variants = solutions(ROOT, exercise), load_variants(ROOT, exercise)
            work = [rng.choice(variants.right if rng.random() < 0.5 else variants.wrong) for _ in given]
            said = {}
            for part in exercise.written:
                scheme = scheme_of(ROOT, exercise.name, part.id).boxes
                said[part.id] = texts([box.words for box in scheme], len(given), rng)
                place = exercise.name, part.id
                boxes[place] = {text.strip(): ticked for text, ticked in said[part.id]}
                points[place] = {
                    student: sum(scheme[at].points for at in ticked)
                    for student, (_, ticked) in zip(given, said[part.id], strict=True)
                }
            for number, student in enumerate(given):
                notebook = fill(released, work[number].apply(solved))
                for cell in notebook.cells:
                    part = cell.get("id", "").removesuffix("_answer")
                    if cell.get("id", "").endswith("_answer") and part in said and said[part][number][0]:
                        cell.source = said[part][number][0]
                # not at the end: cells below the last part are part of its answer
                notebook.cells.insert(0, nbformat.v4.new_code_cell(f"edition = '{student}'", id="edited"))
                name = f"Given{student} Family{student}_{1000 + number}_assignsubmission_file"
                archive.writestr(f"{name}/{exercise.name}.ipynb", nbformat.writes(notebook))
    return Class(folder / "moodle.zip", people, boxes, points)


def command(course: Path, *arguments: object) -> float:
    """Run a command of the course; how many seconds it took."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "autograder", *map(str, arguments)],
        cwd=course, capture_output=True, text=True, env=os.environ | {"MPLBACKEND": "Agg"},
    )  # fmt: skip
    took = time.perf_counter() - start
    if done.returncode not in (0, 1):  # 1: something needs a person
        raise SystemExit(f"{arguments}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    print(f"{' '.join(map(str, arguments))}: {took:.1f} s, status {done.returncode}", file=sys.stderr)
    return took


PART = """
const [exercise, part, done] = arguments;
const query = new URLSearchParams({exercise, part, alike: document.getElementById('alike').value});
fetch(`${location.pathname}/part?${query}`).then(found => found.json()).then(found => done(found.answers));
"""
CHOOSE = """
document.querySelectorAll('article').forEach(one => { one.dataset.old = 'yes'; });
const parts = document.getElementById('parts');
window.chosen = performance.now(); window.shown = null;
parts.value = arguments[0];
parts.dispatchEvent(new Event('change'));
(function look() {
  const there = document.querySelector('article.here:not([data-old])');
  if (there) { window.shown = performance.now() - window.chosen; document.activeElement === there || there.focus(); }
  else requestAnimationFrame(look);
})();
"""
HERE = "return [...document.querySelectorAll('article')].findIndex(one => one.classList.contains('here'))"
IDLE = "return !document.getElementById('left').textContent.includes('saving')"


@dataclass
class Hand:
    """What marking by hand has taken."""

    answers: int = 0
    entered: int = 0
    keys: int = 0
    waited: float = 0.0
    """Milliseconds."""


def mark(driver: WebDriver, address: str, handed: Class) -> Hand:
    """Mark every part by keyboard, groups at once where their members deserve the same boxes."""
    hand = Hand()
    opened(driver, address)
    hand.waited += driver.execute_script("return performance.getEntriesByName('ready')[0].startTime")
    driver.execute_script(WATCH)
    for (exercise, part), boxes in handed.boxes.items():
        driver.execute_script(CHOOSE, f"{exercise}/{part}")
        hand.waited += browser.wait(driver, lambda one: one.execute_script("return window.shown"), "no such part")
        answers = driver.execute_async_script(PART, exercise, part)
        deserved = [boxes[one["text"].strip()] for one in answers]
        assert all(one["waiting"] for one in answers)
        open_ones = set(range(len(answers)))
        while open_ones:
            here = driver.execute_script(HERE)
            members = [at for at, one in enumerate(answers) if one["group"] == answers[here]["group"]]
            alike = len(members) > 1 and len({deserved[at] for at in members}) == 1
            keys = ["g"] * alike + [str(at + 1) for at in sorted(deserved[here])] + [Keys.ENTER]
            ActionChains(driver).send_keys(*keys).perform()
            hand.keys += len(keys)
            hand.entered += 1
            assert here in open_ones, "an answer was shown twice"
            open_ones -= set(members) if alike else {here}
        hand.answers += len(answers)
        start = time.perf_counter()
        browser.wait(driver, lambda one: one.execute_script(IDLE), "not saved")
        hand.waited += (time.perf_counter() - start) * 1000
    hand.waited += sum(driver.execute_script("return window.took"))
    return hand


def check(course: Path, sheet: str, handed: Class) -> None:
    """The gradebook has what every text deserves, and nothing waits."""
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        for (exercise, part), points in handed.points.items():
            found = {
                one.student.id: None if grade.needs_manual_grade else grade.manual_score
                for one in book.notebook_submissions(exercise, sheet)
                for grade in one.grades
                if grade.name == part
            }
            assert found == points, f"{exercise}, {part}: {found} and not {points}"


def trial(folder: Path, chosen: list[str] | None, students: int, sample: int, seed: int) -> None:
    """A sheet from hand-in to returned feedback, step by step."""
    sheet = desk_kit.SHEET
    exercises = [one for one in all_exercises() if one.sheet == sheet and one.name in (chosen or NAMES)]
    handed = hand_in(folder, exercises, students, seed)
    course = class_kit.make_course(folder / "course", ROOT, tuple(one.name for one in exercises))
    steps = [
        ("collect", command(course, "collect", handed.archive, "--people", handed.people)),
        ("grade", command(course, "grade", "submitted", "--gradebook")),
    ]
    copy = Path(shutil.copytree(course, folder / "copy"))
    with browser.chromium(1280, 900) as driver:
        with desk_kit.served(course) as address:
            start = time.perf_counter()
            hand = mark(driver, address, handed)
            driven = time.perf_counter() - start
        check(course, sheet, handed)
        steps.append(("mark", hand.waited / 1000))
        clicked = {}
        with formgrader(driver, copy) as base:
            for (exercise, part), points in handed.points.items():
                taken = min(sample, len(points) - 1)
                waits = theirs(driver, copy, base, (sheet, exercise, part), taken)
                clicked[exercise, part] = waits.together / taken, len(points)
    book = f"sqlite:///{course}/gradebook.db"
    steps += [
        ("feedback", command(course, "feedback")),
        ("export", command(course, "export", "--gradebook", book, "--people", handed.people, "--moodle", "marks.csv")),
        ("return", command(course, "return", sheet, "--moodle", "feedback.zip")),
    ]
    with zipfile.ZipFile(course / "feedback.zip") as archive:
        pages = len(archive.namelist())
    print(f"{sheet}: class of {students}, {len(exercises)} notebooks, {hand.answers} answers in words, seed {seed}")
    for name, seconds in steps:
        print(f"{name:10}{seconds:8.1f} s{seconds / 60:8.2f} min")
    print(f"marking page: {hand.keys} keys, Enter {hand.entered} times, 1 page load, {len(handed.boxes)} parts chosen")
    print(f"              {driven:.1f} s with the driver's own time")
    formgraders = sum(each * count for each, count in clicked.values())
    print(f"formgrader:   {2 * hand.answers} keys, {hand.answers} page loads, {formgraders:.0f} s", end=" ")
    print(f"(of {sample} answers to each part, times the share: "
          f"{', '.join(f'{each * 1000:.0f} ms' for each, _ in clicked.values())} each)")  # fmt: skip
    print(f"pages returned: {pages}; lines in marks.csv: {len((course / 'marks.csv').read_text().splitlines())}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=58)
    parser.add_argument("--sample", type=int, default=12, help="answers that are marked in formgrader")
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--trial", action="store_true")
    parser.add_argument("--exercises", nargs="+", help="of the trial; all of the sheet by default")
    parser.add_argument("--class", dest="students", type=int, default=60)
    parser.add_argument("--seed", type=int, default=19, help="of the trial")
    args = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        if args.trial:
            trial(Path(name), args.exercises, args.students, args.sample, args.seed)
        else:
            compare(Path(name), args.answers, args.sample, args.pictures)
    print(f"load {load:.1f} at the beginning, {os.getloadavg()[0]:.1f} at the end; {os.cpu_count()} processors")


if __name__ == "__main__":
    main()
