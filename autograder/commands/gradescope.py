"""``autograder gradescope``: the zip that is uploaded to Gradescope, and what runs in its container."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import autograder
from autograder.course import CONFIG, CourseError, find_root, place_only
from autograder.exercise import SHEETS, Exercise
from autograder.exercises import NAMES, load
from autograder.grading.finding import NothingToGrade, find
from autograder.grading.grade import fresh_seed
from autograder.grading.many import grade
from autograder.grading.submissions import Submission
from autograder.marking import Marks
from autograder.personal import read_own_numbers
from autograder.sandbox import SandboxUnavailable, shared_sandbox
from autograder.views.gradescope import results
from autograder.views.places import hint_only

EPOCH = (2020, 1, 1, 0, 0, 0)
"""Date of every file in the zip, so that the same course gives the same bytes."""

LOCK = "requirements.lock"

SETUP = """#!/usr/bin/env bash
# Gradescope runs this once, when it builds the container. Choose the newest Ubuntu as base image.
set -euo pipefail
cd "${AUTOGRADER_SOURCE:-/autograder/source}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
python=""
for version in 3.14 3.13 3.12 3.11; do
    if apt-get install -y -q "python$version" "python$version-venv"; then python="python$version"; break; fi
done
[ -n "$python" ] || { echo "Python 3.11 or newer is needed: choose a newer base image." >&2; exit 1; }
apt-get install -y -q bubblewrap || echo "No bubblewrap: isolation will be reduced." >&2
"$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r course/requirements.lock
(cd course && ../.venv/bin/python -m autograder doctor) || true
"""

RUN = """#!/usr/bin/env bash
# Gradescope runs this for every submission. It ends with an error, and no results, only when nothing could be run.
set -euo pipefail
base="${AUTOGRADER_BASE:-/autograder}"
cd "$base/source/course"
exec ../.venv/bin/python -m autograder gradescope --exercises EXERCISES \\
    --grade "$base/submission" --metadata "$base/submission_metadata.json" --output "$base/results/results.json"
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``autograder gradescope``."""
    parser.add_argument(
        "--exercises",
        nargs="+",
        default=[],
        metavar="NAME",
        help="exercises or sheets of the assignment; all by default",
    )
    parser.add_argument("--output", type=Path, default=Path("autograder.zip"), metavar="FILE", help="what is written")
    parser.add_argument("--root", type=Path, help="the course's folder; found from here by default")
    container = parser.add_argument_group("in the container, where run_autograder gives them")
    container.add_argument("--grade", type=Path, metavar="FOLDER", help="a submission; --output is its results")
    container.add_argument("--metadata", type=Path, metavar="FILE", help="Gradescope's submission_metadata.json")


def run(args: argparse.Namespace) -> int:
    """Build the zip or grade. Returns 0, 1 when nothing could be run, 2 on bad use."""
    try:
        root = find_root(args.root, graded=[] if args.grade is None else [args.grade])
        wanted = _wanted(args.exercises)
        if args.grade is None:
            build(root, wanted, args.output)
            print(f"{args.output}: upload it under Configure Autograder. It holds the key; give it to nobody else.")
        else:
            grade_submission(args.grade, wanted, args.output, root=root, student=_student(args.metadata))
    except CourseError as problem:
        print(f"autograder gradescope: {problem}", file=sys.stderr)
        return 2
    except SandboxUnavailable as problem:
        args.output.unlink(missing_ok=True)
        print(f"autograder gradescope: {problem}", file=sys.stderr)
        return 1
    return 0


def build(root: Path, wanted: Sequence[Exercise], path: Path) -> None:
    """Write the zip: the scripts, this package, the lock file and the sheets' source. Raises CourseError."""
    own = read_own_numbers(root)
    theirs = [exercise.name for exercise in wanted if own is not None and exercise.name in own.exercises]
    if theirs:
        raise CourseError(
            f"students have their own numbers in {' and '.join(theirs)}, which Gradescope cannot know: name the other "
            "exercises with --exercises, and grade these with nbgrader or `autograder grade`."
        )
    if not (root / LOCK).is_file():
        raise CourseError(f"{LOCK} is missing in {root}: run this in the course's repository.")
    package = Path(autograder.__file__).parent
    files = {
        "setup.sh": SETUP.encode(),
        "run_autograder": RUN.replace("EXERCISES", " ".join(exercise.name for exercise in wanted)).encode(),
        f"course/{CONFIG}": (root / CONFIG).read_bytes(),
        f"course/{LOCK}": (root / LOCK).read_bytes(),
    }
    for folder, place in [(package, "autograder")] + [
        (root / "source" / sheet, f"source/{sheet}") for sheet in dict.fromkeys(one.sheet for one in wanted)
    ]:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts and ".ipynb_checkpoints" not in file.parts:
                files[f"course/{place}/{file.relative_to(folder).as_posix()}"] = file.read_bytes()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (0o755 if "/" not in name else 0o644) << 16
            archive.writestr(info, data)


def grade_submission(folder: Path, wanted: Sequence[Exercise], path: Path, *, root: Path, student: str) -> None:
    """Grade every notebook of a submission and write the results after every question.

    Raises SandboxUnavailable when nothing can be run, and CourseError when the course is not complete.
    """
    started = time.monotonic()
    done: dict[str, Marks] = {}
    hint = place_only(root)

    def write(*, finished: bool) -> None:
        marks = [hint_only(one) if hint else one for one in done.values()]
        _replace(path, json.dumps(results(marks, wanted, done=finished, seconds=time.monotonic() - started), indent=1))

    try:
        submissions = find([folder], student=student)
    except NothingToGrade:
        submissions = []
    order = {exercise.name: number for number, exercise in enumerate(wanted)}
    submissions.sort(key=lambda one: (order.get(one.exercise, len(order)), bool(one.problem)))
    sandbox = shared_sandbox("auto")
    write(finished=False)
    for submission in submissions:

        def keep(marks: Marks) -> None:
            done[marks.exercise] = marks
            write(finished=False)

        named = _named(submission, student)
        if named.exercise in done:
            continue  # there are several, which has been said
        keep(grade(named, sandbox, root=root, seed=fresh_seed(), on_marks=keep))
    write(finished=True)


def _named(submission: Submission, student: str) -> Submission:
    return replace(submission, student=student)


def _wanted(names: Sequence[str]) -> list[Exercise]:
    """The exercises by name or sheet, in the order of the course. Raises CourseError."""
    names = names or NAMES
    unknown = [name for name in names if name not in NAMES and name not in SHEETS]
    if unknown:
        raise CourseError(f"there is no exercise {unknown[0]!r}: choose from {', '.join((*NAMES, *SHEETS))}.")
    found = [load(name) for name in NAMES if name in names or load(name).sheet in names]
    if not found:
        raise CourseError(f"the sheet {names[0]} has no exercise yet.")
    return found


def _student(metadata: Path | None) -> str:
    """Who submitted: the e-mail addresses that Gradescope knows, or nobody."""
    if metadata is None or not metadata.is_file():
        return ""
    users = json.loads(metadata.read_text(encoding="utf-8")).get("users", [])
    return ", ".join(user["email"] for user in users if user.get("email"))


def _replace(path: Path, text: str) -> None:
    """Whole or not at all: the container may be stopped at any moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)
