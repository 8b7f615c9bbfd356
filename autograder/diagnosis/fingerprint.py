"""A short name for a set of wrong numbers, so that equal unexplained answers are seen to be equal."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

GRID = 1e-5
PROJECTIONS = 2


def fingerprint(answers: Sequence[Mapping[str, np.ndarray]]) -> str:
    """Return 16 hex digits for the answers at the recorded challenges, one mapping of arrays per challenge.

    Equal numbers give equal fingerprints whatever the dtype, the memory order or the order of the names. Each array is
    projected on two fixed random directions and rounded to 1e-5 of its length, so noise of relative size 1e-9 changes
    a fingerprint about once in ten thousand times, single precision about once in fifty.
    Raises ValueError when an array does not hold real numbers.
    """
    digest = hashlib.sha256()
    parts, names = [], []
    for index, given in enumerate(answers):
        for name in sorted(given):
            value = np.asarray(given[name])
            if value.dtype.kind not in "fiub":
                raise ValueError(f"{name} has dtype {value.dtype}; real numbers were expected")
            flat = value.astype(float).ravel(order="C")
            bad = np.flatnonzero(~np.isfinite(flat))
            names.append(f"{index} {name} {value.shape} {[(int(i), str(flat[i])) for i in bad]}")
            parts.append(np.where(np.isfinite(flat), flat, 0.0))
    digest.update("\n".join(names).encode())
    everything = np.concatenate(parts) if parts else np.zeros(0)
    largest = float(np.abs(everything).max(initial=0.0))
    if largest > 0:
        everything = everything / largest  # or the squares of large numbers overflow
        length = float(np.sqrt((everything**2).sum()))
        # The directions depend on the number of entries alone. Random ones, so that no round number of a real answer
        # can lie on the border between two cells of the grid.
        directions = np.random.default_rng(everything.size).normal(size=(PROJECTIONS, everything.size))
        for cosine in directions @ (everything / length):
            digest.update(f"{round(float(cosine) / GRID)} ".encode())
        digest.update(f"{round(float(np.log(largest) + np.log(length)) / GRID + 0.382)}".encode())
    return digest.hexdigest()[:16]
