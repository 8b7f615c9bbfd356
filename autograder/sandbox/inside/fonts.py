"""Matplotlib's list of fonts, which takes longer to make than all else of it to import: kept beside the bytecode.

The trusted side keeps it, as made in an isolated process before any notebook was there; what runs here cannot write.
"""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib

KEPT = Path(__file__).with_name("__pycache__") / "fonts.json"
FOLDER = Path(matplotlib.get_cachedir())
OF = [matplotlib.__version__, matplotlib.__file__]


def lay_out() -> bool:
    """Put the list of an earlier start where matplotlib looks for it; False when there is none of this matplotlib."""
    try:
        kept = json.loads(KEPT.read_bytes())
        if kept["of"] != OF:
            return False
        (FOLDER / Path(kept["name"]).name).write_text(kept["list"], encoding="utf-8")
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return True


def made() -> bytes:
    """What is to be kept, once matplotlib has made its list."""
    for path in FOLDER.glob("fontlist-*.json"):
        return json.dumps({"of": OF, "name": path.name, "list": path.read_text(encoding="utf-8")}).encode()
    return b""
