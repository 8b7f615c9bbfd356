"""The documents as pages: Markdown stays the source, and the search has an index that is made here."""

from __future__ import annotations

import html
import json
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mistune
from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

FOLDER = "docs"
"""Where the pages lie in the site, one for each file, whatever its folder was."""

GROUPS = {
    "To begin": ("README.md",),
    "For instructors": ("docs/instructors.md", "docs/exports.md", "docs/class.md", "docs/exercises.md"),
    "For authors": ("docs/authors.md", "docs/own_course.md", "docs/layers.md", "CONTRIBUTING.md"),
    "How it works": ("docs/graders.md", "docs/explain.md", "docs/site.md", "docs/speed.md", "docs/peers.md"),
    "What is promised": ("THREATS.md", "SECURITY.md", "CHANGELOG.md"),
}
"""Every document, in the order of the list."""

HERE = re.compile(r"(?![a-z]+:|//|#)")
"""How an address begins that leads to a file of the repository."""


@dataclass(frozen=True)
class Entry:
    """A heading with what stands below it, as the search knows it."""

    id: str
    title: str
    text: str


@dataclass(frozen=True)
class Document:
    """A page: the name of its file, its title, what stands above its first section, all of it, and its sections."""

    page: str
    title: str
    about: str
    body: Markup
    entries: tuple[Entry, ...]
    pictures: tuple[str, ...]

    @property
    def halves(self) -> tuple[Markup, Markup]:
        """The title, and what the page has below its list of sections."""
        title, end, rest = self.body.partition("</h1>")
        return Markup(title + end), Markup(rest)

    @property
    def sections(self) -> list[tuple[str, str]]:
        """The headings that the page lists, with their addresses."""
        return re.findall(r'<h2 id="([^"]*)">(.*?)</h2>', self.body, re.DOTALL)


def documents(root: Path) -> dict[str, list[Document]]:
    """Every document below ``root`` by group; none in a course without documents."""
    found = {group: [path for path in names if (root / path).is_file()] for group, names in GROUPS.items()}
    listed = [path for names in found.values() for path in names]
    pages = {path: f"{Path(path).stem}.html" for path in listed}
    return {group: [document(root, path, pages) for path in names] for group, names in found.items() if names}


def document(root: Path, path: str, pages: Mapping[str, str]) -> Document:
    """One document; ``pages`` has the page of every file that is one, by its path in the repository."""
    renderer = _Renderer(root, posixpath.dirname(path), pages)
    render = mistune.create_markdown(renderer=renderer, plugins=["table", "strikethrough"])
    body = Markup(str(render((root / path).read_text(encoding="utf-8"))))
    entries = tuple(_entries(str(body)))
    about = re.search(r"<p>(?!<img)(.*?)</p>", body.partition("<h2")[0], re.DOTALL)
    first = re.match(r".*?\.(?= |$)", plain(about[1])) if about else None
    return Document(pages[path], entries[0].title, first[0] if first else "", body, entries, tuple(renderer.pictures))


def index(pages: Iterable[tuple[str, str, Iterable[Entry]]]) -> str:
    """What the search reads: for each section of each page its address, the page's title, its own and its text."""
    found = [
        [f"{address}#{entry.id}", title, entry.title, entry.text]
        for address, title, entries in pages
        for entry in entries
    ]
    return json.dumps(found, ensure_ascii=False) + "\n"


def _entries(body: str) -> Iterator[Entry]:
    """The text below each heading, without tables' lines and tags."""
    parts = re.split(r'<h[1-6] id="([^"]*)">(.*?)</h[1-6]>', body, flags=re.DOTALL)
    for name, title, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        yield Entry(name, plain(title), plain(text))


def plain(text: str) -> str:
    """The words of HTML; what breaks no word, such as code in a sentence, leaves no space."""
    words = re.sub(r"</?(?:code|em|strong|a|span|del)\b[^>]*>", "", text)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", words)).split())


class _Renderer(mistune.HTMLRenderer):
    """HTML for our own documents: headings have addresses, links lead to pages, code has colours."""

    def __init__(self, root: Path, folder: str, pages: Mapping[str, str]) -> None:
        super().__init__(escape=True)
        self.root, self.folder, self.pages = root, folder, pages
        self.used: dict[str, int] = {}
        self.pictures: list[str] = []

    def heading(self, text: str, level: int, **_: Any) -> str:
        name = _slug(text)
        again = self.used[name] = self.used.get(name, -1) + 1
        return f'<h{level} id="{name}{f"-{again}" if again else ""}">{text}</h{level}>\n'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        if not HERE.match(url):
            return f'<a href="{escape(url)}">{text}</a>'
        path, _, place = url.partition("#")
        page = self.pages.get(posixpath.normpath(posixpath.join(self.folder, path)))
        return f'<a href="{page}{f"#{place}" if place else ""}">{text}</a>' if page else text

    def image(self, text: str, url: str, title: str | None = None) -> str:
        path = posixpath.normpath(posixpath.join(self.folder, url))
        self.pictures.append(path)
        return f'<img src="pictures/{posixpath.basename(path)}" alt="{escape(text)}" loading="lazy">'

    def block_code(self, code: str, info: str | None = None) -> str:
        if info == "mermaid":
            return _flow(code)
        shown = highlight(code, get_lexer_by_name(info or "text", stripnl=False), HtmlFormatter(nowrap=True))
        return f'<pre class="code" tabindex="0">{shown}</pre>\n'

    def block_html(self, html: str) -> str:
        return ""  # the marks of figures that a benchmark writes

    def table_cell(self, text: str, align: str | None = None, head: bool = False) -> str:
        tag, kind = "th" if head else "td", ' class="n"' if align == "right" else ""
        return f"<{tag}{kind}>{text}</{tag}>\n"

    def table(self, text: str) -> str:
        return f'<div class="scroll" tabindex="0"><table>\n{text}</table></div>\n'


def _slug(title: str) -> str:
    """The address of a heading, as GitHub makes it."""
    words = html.unescape(re.sub(r"<[^>]*>", "", title)).strip().lower()
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


def _flow(chart: str) -> str:
    """A flow chart in words, one line for each arrow: what draws it elsewhere is a script of megabytes."""
    names = dict(re.findall(r'(\w+)\["([^"]*)"\]', chart))
    arrows = re.findall(r'(\w+)(?:\["[^"]*"\])? -->(?:\|([^|]*)\|)? (\w+)', chart)
    lines = [
        f"<li>{escape(names[start])} → {escape(names[end])}{f' ({escape(said)})' if said else ''}</li>"
        for start, said, end in arrows
    ]
    return f"<ul>{''.join(lines)}</ul>\n"
