"""What is said of answers: a verdict for each parameter, and why it is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from autograder.diagnosis.evidence import Evidence

RIGHT = "right"
WRONG = "wrong"
CONVENTION = "right-up-to-convention"


@dataclass(frozen=True)
class Finding:
    """What is known about one parameter.

    ``mistakes`` are the ids of the mistakes made here. ``follows_from`` are ids of mistakes named at an earlier
    parameter that reach this one; then, or when the student's own forward values are used, ``given_own`` is true.
    A wrong parameter with neither, and not ``given_own``, is unexplained: ``facts`` say what is measured.
    ``convention`` holds the ids that make it right under another convention, ``kinks`` the other choices at a kink that
    make it right.
    """

    verdict: str
    mistakes: tuple[str, ...] = ()
    given_own: bool = False
    follows_from: tuple[str, ...] = ()
    convention: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    factor: str | None = None
    evidence: Evidence | None = None
    hint: str = ""
    kinks: tuple[str, ...] = ()

    @property
    def explained(self) -> bool:
        """Whether it is known why the numbers are what they are."""
        return self.verdict != WRONG or bool(self.mistakes) or self.given_own


@dataclass(frozen=True)
class Report:
    """The findings by parameter (W2, b2, W1, b1), in backward order. Parameters without an answer are left out."""

    parameters: Mapping[str, Finding]

    @property
    def mistakes(self) -> tuple[str, ...]:
        """The ids of all mistakes named, each once, in backward order."""
        return tuple(dict.fromkeys(mistake for finding in self.parameters.values() for mistake in finding.mistakes))
