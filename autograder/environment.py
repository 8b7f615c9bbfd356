"""The programs that were installed beside this package, found without activating the environment."""

from __future__ import annotations

import os
import sysconfig


def put_programs_on_path() -> None:
    """Let this process and those it starts find our environment's programs first.

    nbgrader calls ``alembic`` by name when it makes a gradebook. With ``.venv/bin/autograder`` typed in full, or from
    cron, nothing else says where that is. A PATH that names the folder already stays as it is.
    """
    programs = sysconfig.get_path("scripts")
    entries = [entry for entry in os.environ.get("PATH", os.defpath).split(os.pathsep) if entry]
    if programs not in entries:
        os.environ["PATH"] = os.pathsep.join([programs, *entries])
