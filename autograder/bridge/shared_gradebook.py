"""nbgrader's steps for one sheet, with one gradebook in one transaction: each would open its own and commit."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader import api as nbgrader_api
from nbgrader.converters import autograde as converter_module
from nbgrader.preprocessors import (
    CheckCellMetadata,
    latesubmissions,
    overwritecells,
    overwritekernelspec,
    saveautogrades,
)

from autograder.bridge import handed_in

USERS_OF_GRADEBOOK = (
    converter_module, handed_in, latesubmissions, overwritecells, overwritekernelspec, saveautogrades,
)  # fmt: skip
"""The modules whose steps would each open the gradebook, nbgrader's and ours."""


@dataclass(frozen=True)
class _Shared:
    """nbgrader's gradebook, opened once. What nbgrader commits is kept for one commit at the end of a sheet."""

    gradebook: nbgrader_api.Gradebook

    def __call__(self, *_: object, **__: object) -> nbgrader_api.Gradebook:
        return self.gradebook


class OpenGradebook(nbgrader_api.Gradebook):
    """A gradebook that stays open, and whose ``commit`` only sends the statements."""

    def __init__(self, db_url: str, course_id: str) -> None:
        """Open it."""
        super().__init__(db_url, course_id)
        self.really_commit = self.db.commit
        self.db.commit = self._send

    def _send(self) -> None:
        self.db.flush()
        self.db.expire_all()  # as a commit does: what was read before may have changed

    def close(self) -> None:
        """Stay open; see ``really_close``."""

    def really_close(self) -> None:
        """Close the connection."""
        super().close()


class CheckEachOnce(CheckCellMetadata):
    """nbgrader's check of a notebook's metadata, which takes long, once for every set of metadata that was right."""

    def __init__(self, **settings: object) -> None:
        """Begin with nothing known to be right."""
        super().__init__(**settings)
        self._right: set[str] = set()

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """Return the notebook as it is. Raises nbgrader's errors for metadata that is not right."""
        found = json.dumps([[cell.cell_type, cell.metadata.get("nbgrader")] for cell in nb.cells], sort_keys=True)
        if found not in self._right:
            super().preprocess(nb, resources)
            if len(self._right) > 1000:
                self._right.clear()
            self._right.add(found)
        return nb, resources


@contextlib.contextmanager
def one_gradebook(gradebook: nbgrader_api.Gradebook) -> Iterator[None]:
    """Let nbgrader's steps use an open gradebook where each would open its own."""
    for module in USERS_OF_GRADEBOOK:
        setattr(module, "Gradebook", _Shared(gradebook))  # noqa: B010  (nbgrader's modules have no types)
    try:
        yield
    finally:
        for module in USERS_OF_GRADEBOOK:
            setattr(module, "Gradebook", nbgrader_api.Gradebook)  # noqa: B010
