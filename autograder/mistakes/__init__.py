"""The catalogue: for each mistake its id, a title, one hint and the step where it is made.

Ids are stable words: they are recorded with the marks and counted in class reports, so one mistake has one id wherever
it is made. A title is the middle of a sentence; a hint speaks to the student, points to the step and does not give the
line away. Whoever names a mistake takes it from here: an id that is not in the catalogue is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from autograder.mistakes import attention, backward, checks, data, depth, forward, gradients, layers, training
from autograder.mistakes.texts import Texts


class UnknownMistake(KeyError):
    """No mistake of the catalogue has this id."""

    def __str__(self) -> str:
        """The sentence, without the quotes of a KeyError."""
        return f"{self.args[0]!r} is not in the catalogue of mistakes: write its title and hint in autograder/mistakes"


@dataclass(frozen=True)
class Mistake:
    """One mistake. ``where`` is the step; ``convention`` says in which convention it would be right, if in any."""

    id: str
    title: str
    hint: str
    where: str
    convention: str = ""


_GROUPS = {
    "forward pass": forward.FORWARD,
    "softmax": forward.SOFTMAX,
    "loss": forward.LOSS,
    "by hand": forward.BY_HAND,
    "graph": backward.GRAPH,
    "output error": backward.OUTPUT_ERROR,
    "hidden error": backward.HIDDEN_ERROR,
    "gradient": gradients.GRADIENT,
    "bias gradient": gradients.BIAS,
    "scale": gradients.SCALE,
    "penalty": gradients.PENALTY,
    "update": gradients.UPDATE,
    "normalisation": depth.NORM,
    "dropout": layers.DROPOUT,
    "residual connection": depth.RESIDUAL,
    "network": layers.NETWORK,
    "attention": attention.ATTENTION,
    "model of letters": attention.LETTERS,
    "convolution": layers.CONVOLUTION,
    "recurrence": layers.RECURRENCE,
    "optimiser": layers.OPTIMISER,
    "slope by differences": checks.DIFFERENCE,
    "checker of gradients": checks.CHECKER,
    "clipping": training.CLIPPING,
    "schedule": training.SCHEDULE,
    "training": training.TRAINING,
    "report": training.REPORT,
    "random weights": training.RANDOM_WEIGHTS,
    "data": data.DATA,
    "scaling": data.SCALING,
    "statistics": data.STATISTICS,
    "design": data.DESIGN,
    "property": data.PROPERTY,
}

_ALL: dict[str, Mistake] = {}

MISTAKES: Mapping[str, Mistake] = MappingProxyType(_ALL)
"""Every mistake by its id."""


def add(groups: Mapping[str, Texts]) -> None:
    """Enter the mistakes of a course, by the step where they are made. Raises ValueError for an id with other words."""
    for where, texts in groups.items():
        for id, (title, hint, *convention) in texts.items():
            mistake = Mistake(id, title, hint, where, *convention)
            if _ALL.setdefault(id, mistake) != mistake:
                raise ValueError(f"the mistake {id!r} is in the catalogue with other words: choose another id")


add(_GROUPS)


NOT_DONE = frozenset({"parameter-never-updated", "penalty-missing", "not-clipped"})
"""Mistakes that are a step which was not done: where it is missing twice, twice something is missing."""

SYMPTOMS = frozenset(
    {
        "another-derivative", "another-order", "another-output-error", "argument-ignored",
        "checker-always-objects", "checker-never-objects", "constant-added",
        "derivative-of-another-activation", "differences-of-the-loss", "not-as-designed", "not-from-training",
        "numbers-of-another", "other-shape", "parameter-scaled", "rates-not-positive", "return-missing",
        "shapes-do-not-fit", "training-diverged", "wrong-shape",
    }
)  # fmt: skip
"""What is seen, not the slip behind it: in two questions these may be two slips."""


def known(*ids: str) -> tuple[Mistake, ...]:
    """The mistakes with these ids. Raises UnknownMistake."""
    for id in ids:
        if id not in MISTAKES:
            raise UnknownMistake(id)
    return tuple(MISTAKES[id] for id in ids)
