"""A student's notebook, run isolated: cells in, outputs and answers out, as plain data.

This package knows no exercise and no truth, and imports nothing of ours outside itself, so that nothing which knows an
answer can be inside. `inside/` is what runs isolated; everything else is the trusted side.
"""

from .canary import CanaryReport, canary
from .model import Answer, Ask, Cell, CellResult, Job, Limits, Outcome, SandboxUnavailable, Value
from .sandbox import Sandbox
from .shared import shared_sandbox, start_early

__all__ = [
    "Answer",
    "Ask",
    "CanaryReport",
    "Cell",
    "CellResult",
    "Job",
    "Limits",
    "Outcome",
    "Sandbox",
    "SandboxUnavailable",
    "Value",
    "canary",
    "shared_sandbox",
    "start_early",
]
