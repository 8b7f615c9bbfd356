"""How one mistake is written down."""

from collections.abc import Mapping

Texts = Mapping[str, tuple[str, str] | tuple[str, str, str]]
"""By id: a title, one hint and, where it would be right in another convention, that convention."""
