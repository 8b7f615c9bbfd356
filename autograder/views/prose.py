"""Text, code and outputs of a notebook as HTML that is safe to open: no script, no network, maths as MathML.

What a student wrote or printed comes through here before it reaches a page. Three walls stand behind each other: HTML
is cleaned to a list of harmless tags, MathML is rebuilt from a list of its own, and every page forbids scripts and
network by its content policy.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any
from xml.etree import ElementTree

import mistune
import nh3
from latex2mathml.converter import convert
from markupsafe import Markup, escape
from nbconvert.filters import strip_ansi
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from autograder.views.nesting import TOO_DEEP, is_too_deep, names

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""Content policy of every page: its own styles and embedded pictures, nothing else."""

MAX_TEXT = 20_000
MAX_ALT = 1000
"""Most characters of one printed output that are shown."""


REMEMBERED = 1024
"""So many texts and cells are rendered once: those of the course stand on every page."""

LONG_FORMULA = 36
"""Characters of LaTeX beyond which a formula in a line of text gets a scroll bar of its own."""

SCROLLED = '<span class="scroll formula" tabindex="0" role="group" aria-label="Formula">{}</span>'

TAGS = names(
    "a abbr b blockquote br caption code col colgroup dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i img kbd li "
    "ol p pre s samp small span strong sub summary sup table tbody td tfoot th thead tr tt u ul var"
)
ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "ol": {"start"},
}
IMAGES = ("image/png", "image/jpeg", "image/gif", "image/svg+xml")
"""Kinds of pictures that are shown, the best first. As the source of an image even SVG runs no script."""

MATH_TAGS = names(
    "math mrow mi mn mo ms mtext mspace msup msub msubsup mfrac msqrt mroot mover munder munderover mtable mtr mtd "
    "mstyle mpadded mphantom menclose mmultiscripts mprescripts none"
)
MATH_ATTRIBUTES = names(
    "display displaystyle mathvariant stretchy fence form separator lspace rspace accent accentunder columnalign "
    "rowspacing columnspacing scriptlevel minsize maxsize linethickness width height depth voffset notation"
)
MATH = "http://www.w3.org/1998/Math/MathML"
_OPEN, _CLOSE = "\ue000", "\ue001"


@lru_cache(maxsize=REMEMBERED)
def markdown(text: str) -> Markup:
    """Markdown with LaTeX maths as safe HTML."""
    formulas: list[str] = []

    def keep(formula: str, display: bool) -> str:
        drawn = math(formula, display=display)
        if display or len(formula) > LONG_FORMULA:  # may be wider than a phone
            drawn = Markup(
                '<span class="scroll formula" tabindex="0" role="group" aria-label="Formula">{}</span>'
            ).format(drawn)
        formulas.append(drawn)
        return f"{_OPEN}{len(formulas) - 1}{_CLOSE}"

    renderer = mistune.HTMLRenderer(escape=False)
    render = mistune.create_markdown(renderer=renderer, plugins=["table", "math", "strikethrough"])
    renderer.register("inline_math", lambda _, formula: keep(formula, False))
    renderer.register("block_math", lambda _, formula: f"<p>{keep(formula, True)}</p>")
    cleaned = str(clean(str(render(text.replace(_OPEN, "").replace(_CLOSE, "")))))
    cleaned = cleaned.replace("<table>", '<div class="scroll" tabindex="0"><table>')
    cleaned = cleaned.replace("</table>", "</table></div>")
    return Markup(re.sub(f"{_OPEN}(\\d+){_CLOSE}", lambda found: formulas[int(found[1])], cleaned))


def math(formula: str, *, display: bool = False) -> Markup:
    r"""LaTeX as MathML, which browsers draw without help; what cannot be converted is shown as it was written.

    >>> "<msup>" in math("a^2")
    True
    """
    try:
        tree = ElementTree.fromstring(convert(formula, display="block" if display else "inline"))
    except Exception:  # the converter raises whatever a formula makes it raise; people can still read LaTeX
        return Markup("<code>{}</code>").format(formula)
    _keep_harmless(tree)
    ElementTree.register_namespace("", MATH)
    return Markup(ElementTree.tostring(tree, encoding="unicode"))


def _keep_harmless(element: ElementTree.Element) -> None:
    element.tag = f"{{{MATH}}}{_local(element.tag)}"
    for name in list(element.attrib):
        if name not in MATH_ATTRIBUTES:
            del element.attrib[name]
    for child in list(element):
        if _local(child.tag) in MATH_TAGS:
            _keep_harmless(child)
        else:
            element.remove(child)


def _local(tag: Any) -> str:
    return str(tag).rsplit("}", 1)[-1]


def clean(html: str) -> Markup:
    """HTML without anything that runs, loads, submits or covers the page; headings go below those of the page.

    >>> str(clean("<h1 onclick=steal()>x</h1><script>steal()</script>"))
    '<h3>x</h3>'
    """
    if is_too_deep(html):
        return Markup("<p>{}</p>").format(TOO_DEEP)
    cleaned = nh3.clean(html, tags=TAGS, attributes=ATTRIBUTES, attribute_filter=_harmless)
    cleaned = re.sub(r"<img(?![^>]* alt=)", '<img alt=""', cleaned)  # else a screen reader reads the picture's data
    return Markup(re.sub(r"<(/?)h([1-6])>", lambda tag: f"<{tag[1]}h{min(int(tag[2]) + 2, 6)}>", cleaned))


def _harmless(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "src":
        return value if re.match(r"data:image/(png|jpeg|gif|webp);base64,", value) else None
    if attribute == "href":
        return value if re.match(r"(https?://|mailto:|#)", value) else None
    return value


@lru_cache(maxsize=REMEMBERED)
def code(source: str) -> Markup:
    """Python source with its words coloured."""
    return Markup(highlight(source, PythonLexer(stripnl=False), HtmlFormatter(nowrap=True)))


@cache
def code_styles() -> Markup:
    """The colours of :func:`code`, for light and for dark pages."""
    light = re.sub(r"(?<=color: )#(\w+)", _darker, HtmlFormatter(style="default").get_style_defs(".code"))
    dark = HtmlFormatter(style="github-dark").get_style_defs(".code")
    both = f"{light}\n@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}"
    return Markup("\n".join(line for line in both.splitlines() if "background" not in line and "linenos" not in line))


def _darker(colour: re.Match[str]) -> str:
    """A colour of pygments, which are made for white, to be read on grey."""
    digits = colour[1] if len(colour[1]) == 6 else "".join(digit * 2 for digit in colour[1])
    return "#" + "".join(f"{round(int(digits[i : i + 2], 16) * 0.88):02x}" for i in (0, 2, 4))


def said(text: str) -> Markup:
    """A sentence of the grader: escaped, with `words` between backticks as code.

    >>> str(said("`dW1` < 0"))
    '<code>dW1</code> &lt; 0'
    """
    return Markup(re.sub(r"`([^`\n]+)`", r"<code>\1</code>", str(escape(text))))


def output(shown: Mapping[str, Any], alt: str) -> Markup:
    """One output of a cell. A picture without a text for those who do not see it gets ``alt``."""
    kind = shown["output_type"]
    if kind == "stream":
        return _printed(shown["text"])
    if kind == "error":
        return _printed("\n".join(shown["traceback"]) or f"{shown['ename']}: {shown['evalue']}")
    data = shown["data"]
    for image in IMAGES:
        if image in data:
            about = shown.get("metadata", {}).get(image)
            own = about.get("alt") if isinstance(about, Mapping) else None
            return _picture(image, data[image], own[:MAX_ALT] if isinstance(own, str) and own.strip() else alt)
    if "text/html" in data:
        return Markup('<div class="scroll" tabindex="0" role="region" aria-label="Output">{}</div>').format(
            clean(_text(data["text/html"]))
        )
    if "text/markdown" in data:
        return markdown(_text(data["text/markdown"]))
    return _printed(_text(data.get("text/plain", "")))


def _printed(text: str | list[str]) -> Markup:
    plain = strip_ansi(_text(text)).rstrip()
    if len(plain) > MAX_TEXT:
        plain = f"{plain[:MAX_TEXT]}\n… {len(plain) - MAX_TEXT} more characters"
    return Markup('<pre class="printed" tabindex="0">{}</pre>').format(plain) if plain else Markup()


def _picture(kind: str, data: str | list[str], alt: str) -> Markup:
    content = _text(data)
    encoded = base64.b64encode(content.encode()).decode() if kind == "image/svg+xml" else re.sub(r"\s", "", content)
    return Markup('<img src="data:{};base64,{}" alt="{}">').format(kind, encoded, alt)


def _text(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "".join(value)
