"""``autograder release``: a sheet to students, and a mended one to those who have begun already."""

from __future__ import annotations

import argparse
from pathlib import Path

from autograder.build import correction
from autograder.console import complain, say
from autograder.course import CourseError, find_root
from autograder.exercise import SHEETS
from autograder.exercises import load
from autograder.personal import read_own_numbers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``autograder release``."""
    parser.add_argument("sheet", metavar="SHEET", help=f"a sheet of the course: one of {', '.join(SHEETS)}")
    parser.add_argument("--correct", action="store_true", help="it was released and is mended: nobody loses work")
    parser.add_argument("--say", default="", metavar="TEXT", help="for --correct: what students are told of it")
    parser.add_argument(
        "--earlier",
        type=Path,
        metavar="FOLDER|ZIP",
        help="for --correct: the sheet as it was handed out; by default what lies in the exchange or in student-kit/",
    )
    parser.add_argument("--root", type=Path, help="the course's folder; found from here by default")


def run(args: argparse.Namespace) -> int:
    """Release. Returns 0, or 2 on bad use."""
    from autograder.bridge import exchange
    from autograder.bridge.api import CourseApi
    from autograder.bridge.settings import course_config, database_of

    try:
        root = find_root(args.root).resolve()
        if args.sheet not in SHEETS:
            raise CourseError(f"there is no sheet {args.sheet!r}; the sheets are {', '.join(SHEETS)}.")
        config = course_config(root)
        place = exchange.outbound(config, args.sheet)
        if place is not None and place.exists() and not args.correct:
            raise CourseError(
                f"{args.sheet} is released already: `autograder release {args.sheet} --correct` mends it."
            )
        earlier = _earlier(args, root, place) if args.correct else {}
        if wrong := CourseApi(root, database_of(config)).generate_assignment(args.sheet):
            raise CourseError(wrong[0])
        lines = [f"{args.sheet}: released; students type: nbgrader fetch_assignment {args.sheet}"]
        if args.correct:
            lines = _correct(args, root, earlier, place)
        elif place is None:
            lines = [f"{args.sheet} is ready; the course has no exchange, so pack it: autograder kit {args.sheet}"]
        if place is not None:
            number = correction.last_correction(root, args.sheet)
            folders = [root / correction.FOLDER / args.sheet / f"correction_{number}"] if number else []
            exchange.release(config, args.sheet, *folders)
    except (CourseError, OSError) as problem:
        complain("release", problem)
        return 2
    for line in lines:
        say(line)
    return 0


def _earlier(args: argparse.Namespace, root: Path, place: Path | None) -> dict[str, bytes]:
    """The sheet as students have it."""
    if args.earlier is not None and not args.earlier.exists():
        raise CourseError(f"{args.earlier} does not exist.")
    for given in (args.earlier,) if args.earlier is not None else (place, root / "student-kit" / args.sheet):
        if given is not None and given.exists():
            return correction.earlier_files(given, args.sheet)
    raise CourseError(
        "it is not known what was handed out before: give the kit, or the sheet's folder, with --earlier."
    )


def _alone(root: Path, sheet: str) -> set[str]:
    """The notebooks of a sheet that are other ones for every student."""
    own = read_own_numbers(root)
    return {f"{name}.ipynb" for name in own.exercises if load(name).sheet == sheet} if own is not None else set()


def _correct(args: argparse.Namespace, root: Path, earlier: dict[str, bytes], place: Path | None) -> list[str]:
    """Write the correction, and say what has changed and what students type."""
    sheet, number = args.sheet, correction.last_correction(root, args.sheet)
    now = correction.files_of(root / "assignments" / sheet)
    changed = correction.changes(earlier, now)
    before = correction.corrected_files(root, sheet, number) if number else {}
    files = {name: data for name, data in now.items() if name in changed or name in before}
    alone = _alone(root, sheet)
    files = {name: data for name, data in files.items() if name not in alone}
    if files == before and not alone & changed.keys():
        since = f"correction {number}" if number else "it was released"
        return [f"nothing of {sheet} has changed since {since}."]
    folder = correction.write(root, sheet, files, args.say)
    lines = [f"{name}: {', '.join(cells) if cells else 'changed'}" for name, cells in changed.items()]
    lines += [
        f"{name} is left out, since students have numbers of their own: give everyone theirs (autograder numbers "
        f"release makes them anew) as {folder.name}/{name}.new."
        for name in sorted(alone & changed.keys())
    ]
    if place is not None:
        lines.append(f"On the hub students type: nbgrader fetch_assignment {sheet} --replace")
    archive = folder.with_suffix(".zip").relative_to(root)
    who = "Others" if place is not None else "Students"
    lines += [
        f"{who} unpack {archive} in the folder that holds {sheet}/. Nothing of theirs is replaced.",
        f"Then, in {sheet}/: python {folder.name}/carry_over.py",
        f"What was handed in before is graded with the mended questions: nbgrader autograde {sheet} --force",
    ]
    return lines
