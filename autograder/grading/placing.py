"""What arrived under another name, put where nbgrader looks for it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from autograder.console import printable
from autograder.grading.notebook import BadNotebook
from autograder.grading.submissions import Submission, content, files_beside

log = logging.getLogger(__name__)

ASIDE = ".set_aside"
"""Folder beside a student's sheets for what was in a submission and is not graded as it is."""


def put_in_place(found: Sequence[Submission], place: Callable[[str, str, str], Path]) -> list[Submission]:
    """The submissions, with those that arrived under another name written where nbgrader looks for them.

    Only what lies in that very folder, and where nothing stands in the way. What was handed in is kept beside it.
    """
    put = [_put(one, place) for one in found]
    packed: dict[Path, bool] = {}
    for one, now in zip(found, put, strict=True):
        if one.member:
            packed[one.path] = packed.get(one.path, True) and not now.member
    for path in [path for path, emptied in packed.items() if emptied]:
        path.unlink()  # it is kept where `_put` has copied it
    return put


def _put(one: Submission, place: Callable[[str, str, str], Path]) -> Submission:
    if one.problem or not one.student or one.is_named_so:
        return one
    there = place(one.student, one.sheet, one.exercise)
    if one.path.absolute().parent != there.parent or there.exists():
        return one
    try:
        data, beside = content(one), files_beside(one) if one.member else {}
        for name, inner in beside.items():
            if not (there.parent / name).exists():
                (there.parent / name).parent.mkdir(parents=True, exist_ok=True)
                (there.parent / name).write_bytes(inner)
        there.write_bytes(data)
        os.utime(there, (one.path.stat().st_mtime,) * 2)
        kept = there.parents[1] / ASIDE / there.parent.name / one.path.name
        kept.parent.mkdir(parents=True, exist_ok=True)
        if not one.member:
            os.replace(one.path, kept)
        else:
            kept.write_bytes(one.path.read_bytes())
    except (OSError, BadNotebook) as problem:
        return replace(one, problem=f"{one.shown} could not be put at {there}: {printable(str(problem))}")
    log.warning("%s was read as %s; what was handed in is kept in %s.", one.shown, there.name, kept.parent)
    return replace(one, path=there, member="")
