"""``python tools/uv.py ARGUMENTS...``: uv with pip's settings of where packages come from.

pip reads ``pip.conf`` and ``PIP_*``, uv reads neither. What uv was told itself stays. Needs nothing but pip and uv.
"""

import ast
import os
import subprocess
import sys
from collections.abc import Mapping

# name of pip's setting -> variable of uv, and what stands between several values there
WORDS = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "no-index": ("UV_NO_INDEX", " "),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "proxy": ("ALL_PROXY", " "),
    "no-cache-dir": ("UV_NO_CACHE", " "),
}
PLACES = ("global", "install", ":env:")
"""Where pip finds settings, the strongest last."""


def words(listed: str, told: Mapping[str, str]) -> dict[str, str]:
    """What uv is to be told, by what ``pip config list`` lists, beside what it is ``told`` already."""
    pairs = [line.partition("=")[::2] for line in listed.splitlines() if "=" in line]
    settings: dict[str, str] = {}
    for place in PLACES:
        for key, value in pairs:
            if key.rpartition(".")[0] == place:
                settings[key.rpartition(".")[2]] = ast.literal_eval(value)
    found = {name: between.join(settings[key].split()) for key, (name, between) in WORDS.items() if settings.get(key)}
    found["UV_INDEX_STRATEGY"] = "unsafe-best-match"  # as pip: all indexes are one; the hashes of the lock make it safe
    return {name: value for name, value in found.items() if name not in told}


def main() -> None:
    """Become uv."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True)
    uv = os.path.join(os.path.dirname(sys.executable), "uv")
    os.execve(uv, [uv, *sys.argv[1:]], {**os.environ, **words(listed.stdout, os.environ)})


if __name__ == "__main__":
    main()
