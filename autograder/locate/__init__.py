"""The finger on the line: where in a student's own code a wrong value begins, with proof.

After the marks are final the code is run again, isolated and instrumented, in a process of its own and at challenges
that are used for nothing else (``sandbox/inside/repair/``). What comes back is a place and the number of a quantity.
It changes words, never marks.
"""

from autograder.locate.attach import Code, Locator
from autograder.locate.function import ALL, Function, answers, arguments_of, places
from autograder.locate.locate import NotRun

__all__ = ["ALL", "Code", "Function", "Locator", "NotRun", "answers", "arguments_of", "places"]
