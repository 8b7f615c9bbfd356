"""Memory that every notebook's process shares at first: its pages large, and those written to copied all at once.

A forked process shares its memory with the zygote until it writes. Then each page is copied when it is first written
to, which costs a fault of some microseconds; a notebook with one figure has thousands, for Python writes a reference
count wherever it looks. A rehearsal tells which pages these are, and the kernel copies them in one go (Linux 5.14).
A fork also copies an entry for each page that there is, one for 512 pages where they are one large page (Linux 6.1).
Nothing depends on either but time.
"""

from __future__ import annotations

import ctypes
import os
import resource
import struct
from collections.abc import Callable, Iterable

MADV_POPULATE_WRITE, MADV_COLLAPSE = 23, 25
LARGE_PAGE = 2 << 20
PRESENT, ONLY_HERE = 1 << 63, 1 << 56  # of an entry in /proc/self/pagemap
GAP_PAGES = 2  # pages copied needlessly rather than asking the kernel once more

Ranges = tuple[tuple[int, int], ...]
"""First address and length in bytes."""

_libc = ctypes.CDLL(None, use_errno=True)
_libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


def written_by(rehearsal: Callable[[], object]) -> Ranges:
    """The pages of this process that a fork of it has of its own after the rehearsal; none where that is not told."""
    places = _private()
    reading, writing = os.pipe()
    if os.fork() == 0:
        try:
            os.close(reading)
            rehearsal()
            found = _only_here(places)
            with open(writing, "wb") as stream:
                stream.write(struct.pack(f"={2 * len(found)}Q", *(number for pair in found for number in pair)))
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as stream:
        data = stream.read()
    return tuple(struct.iter_unpack("=QQ", data))


def copy_now(ranges: Ranges) -> None:
    """Get pages of one's own at these places. A kernel that cannot do it copies them later, one by one."""
    for address, size in ranges:
        if _libc.madvise(address, size, MADV_POPULATE_WRITE) < 0:
            return


def make_large() -> None:
    """Put together what lies in whole large pages. A process that writes to one gets small copies, as of others."""
    for first, last in _private():
        for address in range(-(-first // LARGE_PAGE) * LARGE_PAGE, last - LARGE_PAGE + 1, LARGE_PAGE):
            _libc.madvise(address, LARGE_PAGE, MADV_COLLAPSE)


def _private() -> list[tuple[int, int]]:
    """Where this process has private, writable memory."""
    places = []
    with open("/proc/self/maps") as lines:
        for line in lines:
            where, access = line.split()[:2]
            if access == "rw-p":
                first, last = where.split("-")
                places.append((int(first, 16), int(last, 16)))
    return places


def _only_here(places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Address and length of all pages there that no other process has."""
    size = resource.getpagesize()
    found: list[tuple[int, int]] = []
    with open("/proc/self/pagemap", "rb") as table:
        for first, last in places:
            table.seek(first // size * 8)
            entries = table.read((last - first) // size * 8)
            for number, (entry,) in enumerate(struct.iter_unpack("=Q", entries)):
                if entry & PRESENT and entry & ONLY_HERE:
                    address = first + number * size
                    if found and found[-1][0] >= first and address <= sum(found[-1]) + GAP_PAGES * size:
                        found[-1] = (found[-1][0], address + size - found[-1][0])
                    else:
                        found.append((address, size))
    return found
