"""Counterfactual repair: which expression of the code, had it had another value, would have given the asked values.

The cells are compiled with a hook around every expression (``instrument.py``). A run *records* what each of them gave
at each visit; another run *replaces* one of these by a value of a table that comes with the question. What makes more
of the asked values exact at every point, and none wrong, is a proof. The work is bounded by a number of runs.

Nothing here knows an exercise: the table and the exact values are data of the question. They are drawn for this
purpose, and used for nothing else.
"""

from __future__ import annotations

from .search import done

__all__ = ["done"]
