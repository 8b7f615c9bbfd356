"""How benchmarks write their figures into a page."""

from __future__ import annotations

from pathlib import Path


def ms(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.{1 if seconds < 0.01 else 0}f} ms"


def into(page: Path, sections: dict[str, str]) -> None:
    """Replace what stands between the marks of each section."""
    text = page.read_text()
    for name, content in sections.items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        before, rest = text.split(begin)
        text = f"{before}{begin}\n{content}\n{end}{rest.split(end)[1]}"
    page.write_text(text)
