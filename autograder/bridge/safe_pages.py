"""Pages that nbgrader makes from students' notebooks, made safe to open.

What a student's code displays is a claim of the student, in HTML, SVG or JavaScript if it likes. The person who opens
the page is signed in to the grader, so nothing of that may run, load from elsewhere, or look like a part of the grader.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

import nh3
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import escape
from nbconvert.exporters.exporter import ResourcesDict
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.views.nesting import TOO_DEEP, is_too_deep, names

TAGS = names(
    "a abbr b blockquote br caption code col colgroup dd del div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i img "
    "ins kbd li mark ol p pre s samp small span strong sub sup table tbody td tfoot th thead tr u ul var"
)
ATTRIBUTES = names("title colspan rowspan scope align alt width height role aria-label style")
#: Nothing that moves a thing over another part of the page.
STYLES = names(
    "background background-color border border-bottom-color border-collapse border-color border-left border-left-color "
    "border-right-color border-top-color caption-side color display font font-family font-size font-style font-variant "
    "font-variant-numeric font-weight height letter-spacing line-height margin max-width opacity padding padding-left "
    "text-align text-decoration text-indent vertical-align white-space width"
)
PICTURE = re.compile(r"data:image/(png|jpeg|gif|svg\+xml);base64,[A-Za-z0-9+/=\s]*\Z")
PICTURES = ("image/png", "image/jpeg", "image/gif")
AS_THEY_ARE = ("text/plain", "text/latex")
LEFT_OUT = "(an output of the kind {} was left out of this page)"

_BEYOND = re.compile(r"(?i)url|image|expression|\\|-\s*[.\d]")  # loads something, hides it, or leaves its place
_ACTS = re.compile(r"\\(href|url|html\w*|require|class|cssId|style|data|unicode|mmlToken|bbox)(?![A-Za-z])")
"""What MathJax does not only draw: links, styles, extensions."""


def _harmless(tag: str, name: str, value: str) -> str | None:
    if name == "src":
        return value if PICTURE.match(value) else None  # a picture from elsewhere tells its owner who looks, and when
    if name == "href":
        return value if value.startswith(("http://", "https://", "#")) else None
    return None if name == "style" and _BEYOND.search(value) else value


_CLEANER = nh3.Cleaner(
    tags=TAGS,
    clean_content_tags={"script", "style", "iframe", "object", "template", "noscript"},  # nobody wants to read it
    attributes={"*": ATTRIBUTES, "a": {"href"}, "img": {"src"}},
    attribute_filter=_harmless,
    url_schemes={"http", "https", "data"},
    filter_style_properties=STYLES,
)


def safe_html(text: str) -> str:
    """The text with tables, emphasis and own pictures kept, and all that runs, loads or covers something removed."""
    if is_too_deep(text):
        return TOO_DEEP
    return safe_formulas(_CLEANER.clean(text))


def safe_formulas(text: str) -> str:
    """The text without commands of formulas that make links, set styles or load something.

    >>> safe_formulas(r"$\\href{javascript:x}{y}$")
    '$\\\\text{href}{javascript:x}{y}$'
    """
    return _ACTS.sub(r"\\text{\1}", text)


class Renderer(IPythonRenderer):
    """Markdown as nbconvert renders it, except that a picture whose attachment is not there is told."""

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """The picture, or a word about it."""
        name = url.removeprefix("attachment:")
        if name != url and not self.attachments.get(name):
            return f"<em>(the picture {escape(name)} is missing)</em>"
        return super().image(text, url, title)


@pass_context
def markdown2html(context: Context, source: str) -> str:
    """In the place of nbconvert's filter: what a student wrote or displayed is rendered, and the HTML is cleaned."""
    cell = context.get("cell", {})
    attachments = cell.get("attachments", {})
    html = MarkdownWithMath(renderer=Renderer(escape=False, attachments=attachments)).render(source)
    if cell.get("cell_type") == "markdown" and _is_locked(cell):  # nbgrader has put the course's own text back
        return html
    return safe_html(html)


def _is_locked(cell: Mapping[str, Any]) -> bool:
    label = cell.get("metadata", {}).get("nbgrader", {})
    return bool(label.get("locked")) if isinstance(label, Mapping) else False


def safe_data(data: Mapping[str, Any]) -> dict[str, str]:
    """A display's data with nothing that a page would run."""
    safe: dict[str, str] = {}
    for kind, value in data.items():
        text = "".join(value) if isinstance(value, list) else value
        if not isinstance(text, str):
            continue
        if kind in AS_THEY_ARE or (kind in PICTURES and _is_base64(text)):
            safe[kind] = safe_formulas(text) if kind == "text/latex" else text
        elif kind == "text/html":
            safe[kind] = safe_html(text)
        elif kind == "text/markdown":
            safe[kind] = text  # cleaned when it is HTML
        elif kind == "image/svg+xml" and "text/html" not in data:
            # inside <img> a drawing can neither run scripts nor load anything
            coded = base64.b64encode(text.encode("utf-8", "replace")).decode()
            safe["text/html"] = f'<img alt="drawing" src="data:image/svg+xml;base64,{coded}">'
    if not safe:
        safe["text/plain"] = LEFT_OUT.format(", ".join(sorted(map(str, data)))[:200])
    return safe


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


class SafePages(NbGraderPreprocessor):
    """Sanitises what students wrote or displayed, just before a page is made of it. The notebook on disk stays."""

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """Return the notebook as a page may show it; doing so twice is doing so once."""
        nb.metadata = NotebookNode(language_info=NotebookNode(name="python", pygments_lexer="ipython3"))
        for cell in nb.cells:
            self._cell(cell)
        return nb, resources

    def _cell(self, cell: NotebookNode) -> None:
        label = cell.metadata.get("nbgrader", {})
        locked = _is_locked(cell)
        cell.metadata = NotebookNode(nbgrader=label) if label else NotebookNode()
        if cell.cell_type == "code":
            for output in cell.outputs:
                if "data" in output:
                    output.data = NotebookNode(safe_data(output.data))
                    output.metadata = NotebookNode()
        elif not locked:  # nbgrader has put the course's own text back
            pictures = {
                name: {kind: text for kind, text in bundle.items() if kind in PICTURES and _is_base64(str(text))}
                for name, bundle in cell.get("attachments", {}).items()
            }
            cell.attachments = NotebookNode({name: bundle for name, bundle in pictures.items() if bundle})
