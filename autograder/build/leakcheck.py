"""The last step of ``nbgrader generate_assignment``: nothing that students must not see goes out."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.build import leaks


class LeakCheck(NbGraderPreprocessor):
    """Compares the notebook that is about to be released with the source notebook that it was made from."""

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """Return both unchanged. Raises RuntimeError, which makes nbgrader remove the assignment, on any leak."""
        metadata = resources["metadata"]
        source = nbformat.read(Path(metadata["path"]) / f"{metadata['name']}.ipynb", as_version=4)
        found = list(leaks.notebook_leaks(leaks.secrets(source.cells), nb))
        if found:
            raise RuntimeError(f"{metadata['name']}: " + "; ".join(found))
        return nb, resources
