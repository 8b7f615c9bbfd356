"""Make ``reference/foundations/data/ising_metropolis.npz``: spin lattices from a Metropolis simulation.

    python tools/make_ising.py [FILE]

The two-dimensional Ising model on an L x L lattice with periodic borders, no field, coupling 1, temperatures in units
of the coupling. Energy E = - sum over neighbouring pairs of s_i s_j. A spin is flipped with probability
min(1, exp(-dE / T)), dE = 2 s (sum of its four neighbours); all spins of one colour of the chessboard at a time, since
they do not see each other. Every sample is the end of its own chain, which starts from random spins: the samples are
independent, and about half of the cold ones point down.

``tests/exercises/test_ising_phases.py`` makes the data again and compares them bit for bit, and compares their mean
energy and magnetisation with the exact sums over all 65,536 states.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

FILE = Path(__file__).parents[1] / "reference" / "foundations" / "data" / "ising_metropolis.npz"
L = 4
TEMPERATURES = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0)
SAMPLES = 150
SWEEPS = 1000
SEED = 2269


def simulate(temperature: float, samples: int, sweeps: int, rng: np.random.Generator) -> np.ndarray:
    """Independent lattices at one temperature, one per column: (L * L, samples), entries -1 and +1."""
    spins = rng.choice(np.array([-1, 1], dtype=np.int8), (samples, L, L))
    colour = np.indices((L, L)).sum(axis=0) % 2
    for _ in range(sweeps):
        for mine in (0, 1):
            neighbours = sum(np.roll(spins, shift, axis) for shift in (1, -1) for axis in (1, 2))
            accepted = rng.random(spins.shape) < np.exp(-2.0 * spins * neighbours / temperature)
            spins = np.where(accepted & (colour == mine), -spins, spins)
    return spins.reshape(samples, -1).T


def make() -> dict[str, np.ndarray]:
    """``spins`` (16, 900) and the ``temperature`` (900,) of each column."""
    rng = np.random.default_rng(SEED)
    spins = np.hstack([simulate(temperature, SAMPLES, SWEEPS, rng) for temperature in TEMPERATURES])
    return {"spins": spins, "temperature": np.repeat(TEMPERATURES, SAMPLES)}


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FILE
    target.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(target, **make())
    print(f"wrote {target} ({target.stat().st_size} bytes)")
