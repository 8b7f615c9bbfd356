"""What commands say in a terminal: texts as they stand, whatever names and paths are in them."""

from __future__ import annotations

import unicodedata

from rich.console import Console


def printable(text: str) -> str:
    r"""The text as a terminal may get it: what would steer the terminal, or cannot be written in UTF-8, as an escape.

    >>> printable("\x1b[2Jm\udcfcller")
    '\\x1b[2Jm\\udcfcller'
    """
    return "".join(
        char if char.isprintable() or char in "\n\t" or unicodedata.category(char) == "Zs" else ascii(char)[1:-1]
        for char in text
    )


def say(text: object, style: str = "", *, to: Console | None = None) -> None:
    """Print a text. Nothing in it is markup or steers the terminal, and no line is broken."""
    (to or Console()).print(printable(str(text)), style=style, highlight=False, soft_wrap=True, markup=False)


def complain(command: str, problem: object) -> None:
    """Say on standard error why a command could not do all that it should."""
    say(f"autograder {command}: {problem}", "red", to=Console(stderr=True))
