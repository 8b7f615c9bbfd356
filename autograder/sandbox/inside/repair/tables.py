"""The table of quantities, all of one shape at once: which of them is it that an expression gives?"""

from __future__ import annotations

from typing import Any

import numpy as np

from .runs import PRECISION, ROUNDING, same


class Table:
    """The values of every quantity at every point, by their shapes."""

    def __init__(self, table: list[list[np.ndarray]]) -> None:
        """Keep them."""
        self.table = table
        self.by_shape: dict[Any, list[int]] = {}
        for number, values in enumerate(table):
            self.by_shape.setdefault(tuple(one.shape for one in values), []).append(number)
        self._stacks: dict[Any, list[tuple[np.ndarray, np.ndarray]]] = {}

    def of_shape(self, values: tuple[Any, ...]) -> list[int]:
        """The numbers of those that have this shape at every point."""
        return self.by_shape.get(tuple(one.shape for one in values), [])

    def equal(self, values: tuple[Any, ...]) -> list[int]:
        """The numbers of those that are the same as these values at every point, as :func:`same` says."""
        numbers = self.of_shape(values)
        if len(numbers) < 2:
            return [one for one in numbers if self._is(values, one)]
        fits = np.ones(len(numbers), bool)
        with np.errstate(all="ignore"):
            for value, (stack, bounds) in zip(values, self._stacked(values, numbers)):
                fits &= ~(np.abs(np.ravel(value) - stack) > bounds).any(axis=1)
                if not fits.any():
                    return []
        return [numbers[n] for n in np.flatnonzero(fits) if self._is(values, numbers[n])]

    def _is(self, values: tuple[Any, ...], number: int) -> bool:
        return all(same(a, b, PRECISION) for a, b in zip(values, self.table[number]))

    def _stacked(self, values: tuple[Any, ...], numbers: list[int]) -> list[tuple[np.ndarray, np.ndarray]]:
        """At every point: those of one shape as rows, and by how much entries may differ; what is infinite fits all."""
        shapes = tuple(one.shape for one in values)
        if shapes not in self._stacks:
            found = []
            for point in range(len(shapes)):
                stack = np.array([np.ravel(self.table[number][point]) for number in numbers], float)
                sizes = np.abs(stack)
                largest = sizes.max(axis=1, initial=0.0, keepdims=True)
                bounds = 1.01 * PRECISION * np.maximum(sizes, ROUNDING * np.where(largest == 0, 1.0, largest))
                finite = np.isfinite(stack).all(axis=1)
                stack[~finite], bounds[~finite] = 0.0, np.inf
                found.append((stack, bounds))
            self._stacks[shapes] = found
        return self._stacks[shapes]
