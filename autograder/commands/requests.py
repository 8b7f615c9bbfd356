"""``autograder requests``: what students ask to be looked at again, and the answers that go onto their pages."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from autograder.bridge.gradebook_reader import default_gradebook
from autograder.bridge.person_points import points_and_answer
from autograder.console import complain, say
from autograder.course import CourseError, find_root
from autograder.records import requests as kept
from autograder.records.read import autograded
from autograder.views.requests import Request, table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``autograder requests``."""
    parser.add_argument("--root", type=Path, help="the course's folder; found from here by default")
    steps = parser.add_subparsers(dest="step", metavar="STEP", required=True)
    add = steps.add_parser("add", help="keep a request from a student's mail")
    add.add_argument("mail", nargs="?", default="-", help="a file with the text of the mail; - is standard input")
    add.add_argument("--student", required=True, metavar="ID", help="who wrote it")
    show = steps.add_parser("list", help="show what is open")
    show.add_argument("--all", action="store_true", help="what is closed, too")
    show.add_argument("--json", action="store_true", help="everything that is kept, one request a line")
    for name, what in (("reply", "answer a request: it stands on the page after `autograder feedback`"),
                       ("close", "close a request, with an answer or without")):  # fmt: skip
        step = steps.add_parser(name, help=what)
        step.add_argument("number", type=int, help="its number in the list")
        step.add_argument("text", nargs="?" if name == "close" else None, default="", help="the answer")


def run(args: argparse.Namespace) -> int:
    """Do one step. Returns 0, or 2 on bad use."""
    try:
        root = find_root(args.root)
        if args.step == "list":
            _list(kept.read_requests(root), args)
        else:
            done = _add(root, args) if args.step == "add" else _answer(root, args)
            kept.keep(root, done)
            say(f"request {done.number} of {done.student}: {done.state}")
    except (CourseError, OSError, UnicodeDecodeError) as problem:
        complain("requests", problem)
        return 2
    return 0


def _list(found: list[Request], args: argparse.Namespace) -> None:
    shown = [one for one in found if args.all or args.json or not one.closed]
    if args.json:
        for one in shown:
            print(json.dumps(asdict(one)))
        return
    Console().print(table(shown))
    if shown:
        print(f"{sum(one.state == 'open' for one in shown)} wait for an answer.")


def _add(root: Path, args: argparse.Namespace) -> Request:
    mail = sys.stdin.read() if args.mail == "-" else Path(args.mail).read_text(encoding="utf-8")
    code, before = kept.code_in(mail), kept.read_requests(root)
    marks, question, earlier = kept.named(kept.key_of(root), code, autograded(root))
    if marks.student != args.student:
        raise kept.BadCode(f"{code} is not from a page of {args.student}: ask for the code on their own.")
    same = [one for one in before if one.code == code and not one.closed]
    if same:
        raise CourseError(f"request {same[0].number} has this code, and is {same[0].state}.")
    found, answer = points_and_answer(default_gradebook(root), root, marks, question)
    title = next((one.title for one in kept.parts_of(marks) if one.id == question), question)
    number = max((one.number for one in before), default=0) + 1
    return Request(
        number, code, marks.student, marks.sheet, marks.exercise, question, title, kept.words_of(mail), answer,
        found.machine, found.given, found.most, _now(), earlier,
    )  # fmt: skip


def _answer(root: Path, args: argparse.Namespace) -> Request:
    one = kept.find_request(root, args.number)
    if one.closed:
        raise CourseError(f"request {one.number} was closed on {one.closed[:10]}; a new one needs a new code or mail.")
    if args.text.strip():
        one = replace(one, reply=args.text.strip(), replied=_now())
    if args.step == "close":
        marks = next((m for m in autograded(root) if (m.student, m.exercise) == (one.student, one.exercise)), None)
        after = one.machine if one.given is None else one.given
        if marks is not None:
            found, _ = points_and_answer(default_gradebook(root), root, marks, one.question)
            after = found.machine if found.given is None else found.given
        one = replace(one, closed=_now(), after=after)
    return one


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M UTC}"
