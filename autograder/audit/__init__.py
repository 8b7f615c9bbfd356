"""Graders that are graded: every question is asked of solutions that are known to be right or wrong."""

from autograder.audit.variants import Variant, Variants, load_variants, right, untouched, wrong

__all__ = ["Variant", "Variants", "load_variants", "right", "untouched", "wrong"]
