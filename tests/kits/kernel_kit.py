"""Notebooks in a real kernel."""

from pathlib import Path

from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError
from nbformat import NotebookNode

LOST_SECONDS = 90
"""After so long a request is lost: ipykernel 7 now and then leaves one unread (ipython/ipykernel#1554)."""


def executed(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """Run a notebook in a folder, once more where a request was lost."""
    resources = {"metadata": {"path": str(folder)}}
    try:
        return NotebookClient(notebook, timeout=LOST_SECONDS, resources=resources).execute()
    except CellTimeoutError:
        return NotebookClient(notebook, timeout=600, resources=resources).execute()
