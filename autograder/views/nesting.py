"""HTML that is nested so deep that cleaning it would take hours: told before it is cleaned."""

from __future__ import annotations

import re
from collections import Counter

MAX_DEPTH = 500
"""Most elements inside each other; pages and tables of data have some twenty."""

TOO_DEEP = "(an output with too many HTML elements inside each other was left out of this page)"


def names(text: str) -> set[str]:
    """The names of elements or attributes in a text, with spaces between them."""
    return set(text.split())


#: Elements that end by themselves, and so are rarely closed.
_END_THEMSELVES = names(
    "area base br col dd dt embed hr img input li link meta option p param source tbody td tfoot th thead tr track wbr"
)
#: Elements whose end is believed. An end of another one may not end anything, as in a drawing.
_ENDED = names(
    "a abbr b blockquote caption code colgroup del details div dl em figcaption figure h1 h2 h3 h4 h5 h6 i ins kbd "
    "mark ol pre s samp script small span strong style sub summary sup table tt u ul var"
)
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]{0,40})")


def is_too_deep(html: str) -> bool:
    """Whether more than MAX_DEPTH elements may be inside each other. Takes time in proportion to the text.

    The time of the cleaners grows with the square of the depth: 100 kB of `<div>` take them more than 15 seconds.
    """
    inside: Counter[str] = Counter()
    deep = 0
    for end, name in _TAG.findall(html):
        name = name.lower()
        if name in _END_THEMSELVES:
            continue
        if not end:
            inside[name] += 1
            deep += 1
        elif name in _ENDED and inside[name]:
            inside[name] -= 1
            deep -= 1
        if deep > MAX_DEPTH:
            return True
    return False
