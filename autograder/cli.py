"""The command ``autograder``: one subcommand per job, each in a module of its own that is imported when it is used."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

from autograder import __version__
from autograder.environment import put_programs_on_path

COMMANDS = {
    "collect": "put what a platform gave where it is graded, and ask what is not certain",
    "grade": "grade notebooks, a student's folder or the whole submitted folder",
    "serve": "keep a grader warm, so that `grade` answers at once",
    "pytest": "grade notebooks as tests: every question is one",
    "remark": "mark a graded class again from kept answers",
    "mark": "mark what people mark: one part and all answers to it, by keyboard",
    "feedback": "one page per notebook that says what to look at",
    "requests": "regrade requests: keep what students ask for, reply, close",
    "viva": "questions for an oral check, from each student's own code, with exact answers",
    "roster": "who has handed in, what is missing, marked, waiting, returned",
    "report": "one page about a class: questions, mistakes, clusters",
    "hint": "write one hint for everyone who shares a wrong answer",
    "numbers": "give every student their own numbers in the calculations by hand",
    "release": "give a sheet out, or a mended one so that nobody loses work",
    "kit": "make the folder that students get",
    "site": "make the course as a folder of pages for the browser",
    "build": "generate source/ and assignments/ from reference/, or check them",
    "new": "make the skeleton of a new exercise",
    "explain": "say what is wrong with gradients from any code",
    "audit": "mutation-test every question: the graders are graded",
    "export": "write marks for Canvas, Moodle, JUnit, GitHub, Classroom 50 or as CSV",
    "return": "write feedback pages for Moodle, Canvas, Gradescope, folders or mail",
    "forget": "take away all that is one student's",
    "gradescope": "build the autograder that is uploaded to Gradescope",
    "doctor": "say what is installed, what isolation is reached, and how to mend the rest",
    "demo": "grade a demo class from start to feedback",
}
"""Every subcommand; its module in ``autograder/commands/`` has ``add_arguments(parser)`` and ``run(args) -> int``."""

NEEDLESS = ("isoduration", "rfc3986_validator", "rfc3987_syntax")
"""What jsonschema, which nbformat needs, imports when it is there, for durations and addresses. The last one builds a
grammar at import, which would be half of our start; no schema of a notebook has such a value."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: 0 done, 1 something needs a person, 2 bad use."""
    try:
        return _run(arguments)
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.partition(".")[0] == "autograder":
            raise
        print(
            f"autograder needs {missing.name}, which is not installed here. "
            "Type: pip install 'backprop-autograder[grade]'",
            file=sys.stderr,
        )
        return 2


def _run(arguments: Sequence[str] | None) -> int:
    put_programs_on_path()
    for name in NEEDLESS:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    completing = "_ARGCOMPLETE" in os.environ  # the shell asks, with the line so far in COMP_LINE
    given = os.environ.get("COMP_LINE", "").split()[1:] if completing else sys.argv[1:]
    given = list(given if arguments is None else arguments)
    if given[:1] == ["variants"]:  # its name before; a variant is another solution of an audit
        given[0] = "numbers"
    parser = argparse.ArgumentParser(
        prog="autograder", description="Auto-graded exercises on backpropagation.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"autograder {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    wanted = next((word for word in given if not word.startswith("-")), None)
    for name, description in COMMANDS.items():
        sub = subparsers.add_parser(name, help=description, description=f"{description[0].upper()}{description[1:]}.")
        if name == wanted:  # only the command in use is imported: nbgrader and sympy take their time
            _module(name).add_arguments(sub)
    if completing:
        import_module("argcomplete").autocomplete(parser)  # ends the program
    args = parser.parse_args(given)
    status: int = _module(args.command).run(args)
    return status


def _module(command: str) -> ModuleType:
    return import_module(f"autograder.commands.{command}")


if __name__ == "__main__":
    sys.exit(main())
