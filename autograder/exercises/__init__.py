"""The course in order: one module per exercise, named in one flat list."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from autograder.exercise import Exercise

NAMES = (
    # foundations
    "linear_models",
    "relu_derivative",
    "simple_network",
    "ising_phases",
    # by_hand
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
)
"""Every exercise, in the order in which to work through the course."""


def neighbours(exercise: Exercise) -> tuple[str, str]:
    """What comes before and after an exercise, as ``sheet/name``: first the guide, after the last one nothing."""
    path = ["guide/backpropagation", *(f"{one.sheet}/{one.name}" for one in all_exercises()), ""]
    name = f"{exercise.sheet}/{exercise.name}"
    return (path[path.index(name) - 1], path[path.index(name) + 1]) if name in path else ("", "")


@cache
def load(name: str) -> Exercise:
    """The exercise with this name. Raises KeyError with the known names when there is none."""
    if name not in NAMES:
        raise KeyError(f"there is no exercise {name!r}; the course has {', '.join(NAMES)}")
    exercise: Exercise = import_module(f"autograder.exercises.{name}").EXERCISE
    return exercise


def all_exercises() -> tuple[Exercise, ...]:
    """Every exercise of the course, in order."""
    return tuple(load(name) for name in NAMES)
