"""The exercises of the course in order: one module per exercise, named in one flat list."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import overload

from autograder import course, mistakes
from autograder.exercise import Exercise
from autograder.mistakes.texts import Texts

OURS = (
    # foundations
    "linear_models",
    "relu_derivative",
    "simple_network",
    "ising_phases",
    # by_hand
    "computational_graph",
    "worked_calculation",
    "vanishing_gradients",
    "exploding_gradients",
    "two_hidden_layers",
    # training
    "hidden_size",
    "tanh_swap",
    "l2_regularization",
    "sgd",
    # design
    "sin_regression",
    "custom_activation",
    "multi_output",
    "reaction_rates",
    # beyond
    "softmax_jacobian",
    "optimisers",
    "autodiff_engine",
    "gradient_check",
    "normalisation",
    "residual_network",
    "attention",
)
"""Every exercise of this package, in the order in which to work through its course."""


class _InUse(Sequence[str]):
    """The names of the course that the process works on, whichever that is at the moment."""

    @property
    def _names(self) -> tuple[str, ...]:
        own = course.in_use()
        return OURS if own is None else own.exercises

    @overload
    def __getitem__(self, at: int) -> str: ...

    @overload
    def __getitem__(self, at: slice) -> tuple[str, ...]: ...

    def __getitem__(self, at: int | slice) -> str | tuple[str, ...]:
        return self._names[at]

    def __len__(self) -> int:
        return len(self._names)

    def __eq__(self, other: object) -> bool:
        return self._names == other

    __hash__ = None  # type: ignore[assignment]


NAMES = _InUse()
"""Every exercise, in the order of the course."""


def neighbours(exercise: Exercise) -> tuple[str, str]:
    """What comes before and after an exercise, as ``sheet/name``; before the first of this package comes the guide."""
    guide = "guide/backpropagation" if course.in_use() is None else ""
    path = [guide, *(f"{one.sheet}/{one.name}" for one in all_exercises()), ""]
    name = f"{exercise.sheet}/{exercise.name}"
    return (path[path.index(name) - 1], path[path.index(name) + 1]) if name in path else ("", "")


def load(name: str) -> Exercise:
    """The exercise with this name. Raises KeyError with the known names when there is none."""
    if name not in NAMES:
        raise KeyError(f"there is no exercise {name!r}; the course has {', '.join(NAMES)}")
    own = course.in_use()
    return _loaded(f"{__name__}.{name}") if own is None else _loaded(f"{_package(own).__name__}.{name}")


@cache
def _loaded(module: str) -> Exercise:
    exercise: Exercise = import_module(module).EXERCISE
    return exercise


def _package(own: course.Definition) -> ModuleType:
    """The package of a course of one's own, from its folder and no other, with its mistakes in the catalogue.

    Raises CourseError.
    """
    path = own.folder / "__init__.py"
    if own.package in sys.modules:
        found = sys.modules[own.package]
        if getattr(found, "__file__", None) != str(path):
            raise course.CourseError(
                f"{own.package} is also the name of another module: rename the folder {own.folder}."
            )
    else:
        spec = spec_from_file_location(own.package, path, submodule_search_locations=[str(own.folder)])
        if spec is None or spec.loader is None or not path.is_file():
            raise course.CourseError(f"{path} is missing: it makes the folder a package.")
        found = module_from_spec(spec)
        sys.modules[own.package] = found
        spec.loader.exec_module(found)
    texts: Mapping[str, Texts] = getattr(found, "MISTAKES", {})
    mistakes.add(texts)
    return found


def all_exercises() -> tuple[Exercise, ...]:
    """Every exercise of the course, in order."""
    return tuple(load(name) for name in NAMES)
