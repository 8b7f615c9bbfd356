"""Frames on the job's socket: four bytes of length, sixteen of nonce, then one msgpack map."""

from __future__ import annotations

import os
import struct

NONCE_BYTES = 16
HEAD_BYTES = 4 + NONCE_BYTES

WITH_FIGURES, WITHOUT_FIGURES = b"f", b"j"
"""What the zygote is asked for: a process for a job that draws, or not; the rare modules that it uses follow."""

RARE = (
    "sklearn.datasets", "sklearn.linear_model", "sklearn.metrics", "sklearn.model_selection", "sklearn.neural_network",
    "sklearn.pipeline", "sklearn.preprocessing", "sklearn.svm", "ipywidgets", "sympy", "scipy.optimize",
    "scipy.special", "scipy.stats",
)  # fmt: skip
"""What the zygote imports when the first job names it. With all of it every fork copies three times as much."""


def write_frame(descriptor: int, nonce: bytes, body: bytes) -> None:
    """Write one frame to a blocking descriptor. Raises OSError when the other side has gone."""
    data = memoryview(struct.pack(">I", len(body)) + nonce + body)
    while data:
        data = data[os.write(descriptor, data) :]


def read_frame(descriptor: int) -> tuple[bytes, bytes]:
    """Read one frame, as (nonce, body), from a trusted writer. Raises EOFError when it has gone."""
    head = _read(descriptor, HEAD_BYTES)
    return head[4:], _read(descriptor, struct.unpack(">I", head[:4])[0])


def _read(descriptor: int, size: int) -> bytes:
    parts = []
    while size:
        part = os.read(descriptor, min(size, 1 << 20))
        if not part:
            raise EOFError("the other side closed the socket")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
