"""The course as a folder of static pages: guide, practice, reading one's gradient. Nothing of the key is in it."""

from autograder.site.make import make_site

__all__ = ["make_site"]
