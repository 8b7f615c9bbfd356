"""nbgrader's exchange: the folder that instructors and students of one hub share."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.course import CourseError

if TYPE_CHECKING:
    from traitlets.config import Config


def outbound(config: Config, sheet: str) -> Path | None:
    """Where students fetch a sheet; None when the course has no exchange."""
    if "root" not in config.Exchange:
        return None
    return Path(config.Exchange.root, str(config.CourseDirectory.course_id), "outbound", sheet)


def release(config: Config, sheet: str, *beside: Path) -> None:
    """Put a sheet where students fetch it, in place of the one there, with folders in it. Raises CourseError."""
    from nbgrader.auth import Authenticator
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.exchange import ExchangeError, ExchangeFactory

    place = outbound(config, sheet)
    assert place is not None
    course = CourseDirectory(config=config, assignment_id=sheet)
    step = ExchangeFactory(config=config).ReleaseAssignment(
        coursedir=course, authenticator=Authenticator(config=config), config=config, force=True,
        log=logging.Logger("autograder.release", logging.CRITICAL + 1),
    )  # fmt: skip
    try:
        step.start()
        for folder in beside:
            shutil.copytree(folder, place / folder.name)
            for path in (place / folder.name, *(place / folder.name).rglob("*")):
                path.chmod(0o755 if path.is_dir() else 0o644)
    except (ExchangeError, OSError) as problem:
        raise CourseError(f"{sheet} could not be put into the exchange: {problem}") from None
