"""The walls around one submission, put up by the process itself before any student code runs.

Order matters: namespaces, mounts, limits, capabilities, and the seccomp filter last, for it refuses most of the above.
Linux only, through the C library by ctypes (Python has `os.unshare` only from 3.12).
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import platform
import resource
import struct
from collections.abc import Iterator
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)
_libc.prctl.argtypes = (ctypes.c_int, *[ctypes.c_ulong] * 4)
_libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REC, MS_PRIVATE = 1, 2, 4, 8, 1 << 14, 1 << 18
PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_SET_NAME, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = (
    4, 8, 15, 22, 24, 38, 47
)  # fmt: skip
PR_CAP_AMBIENT_CLEAR_ALL, SECCOMP_MODE_FILTER = 4, 2
MAP_NORESERVE = 0x4000
LINUX_CAPABILITY_VERSION_3 = 0x20080522
CAP_DAC_READ_SEARCH = 2

LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446
LANDLOCK_ASK_VERSION, LANDLOCK_PATH_BENEATH = 1, 1
WRITE_FILE, READ_FILE, READ_DIR = 1 << 1, 1 << 2, 1 << 3

STUDENT_ID = 1000
ORDINARY_ID = 65534  # what root becomes: `nobody`, who owns nothing


def _call(name: str, *arguments: object) -> int:
    result: int = getattr(_libc, name)(*arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return result


def become_ordinary(*, keep: int | None = None) -> None:
    """Leave root for good: the kernel does not count root's processes, so a process limit would not hold.

    ``keep`` is a capability to keep, so that ``drop_capabilities`` can leave it.
    """
    if keep is not None:
        _call("prctl", PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(ORDINARY_ID, ORDINARY_ID, ORDINARY_ID)
    os.setresuid(ORDINARY_ID, ORDINARY_ID, ORDINARY_ID)
    # A change of uid makes /proc/self root's, and then the children could not write their own id maps.
    _call("prctl", PR_SET_DUMPABLE, 1, 0, 0, 0)


def call_this_process(name: str) -> None:
    """Give this process a name for those who look at the list of processes."""
    text = ctypes.create_string_buffer(name.encode())
    _call("prctl", PR_SET_NAME, ctypes.addressof(text), 0, 0, 0)


def no_new_privileges() -> None:
    """Make setuid programs harmless, and an unprivileged seccomp filter possible."""
    _call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def new_namespaces() -> None:
    """Enter fresh user, mount, pid (for children), ipc, uts and net namespaces, as an ordinary user in them."""
    uid, gid = os.getuid(), os.getgid()
    flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET
    _call("unshare", flags)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{STUDENT_ID} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{STUDENT_ID} {gid} 1")


def private_mounts(tmp_bytes: int) -> None:
    """Give this submission its own scratch folder and hide /proc, which tells about the process and its neighbours."""
    _call("mount", None, b"/", None, MS_REC | MS_PRIVATE, None)
    options = f"size={tmp_bytes},nr_inodes=4096,mode=0700".encode()
    _call("mount", b"tmpfs", b"/scratch", b"tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options)
    hidden = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY
    _call("mount", b"tmpfs", b"/proc", b"tmpfs", hidden, b"size=4096,nr_inodes=2,mode=0555")


def memory_in_use() -> int:
    """Bytes of address space that this process has now."""
    with open("/proc/self/statm", "rb") as numbers:
        return int(numbers.read().split()[0]) * resource.getpagesize()


def memory_high_water() -> int:
    """Bytes of memory that this process has held at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def limit(*, address_space: int, cpu_seconds: float, file_bytes: int, open_files: int, threads: int | None) -> None:
    """Set the hard limits of this process. `threads` is None where others of the user would count."""
    seconds = max(1, round(cpu_seconds + 0.5))
    _lower(resource.RLIMIT_CPU, seconds)
    _lower(resource.RLIMIT_FSIZE, file_bytes)
    _lower(resource.RLIMIT_NOFILE, open_files)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_MEMLOCK, 0)
    _lower(resource.RLIMIT_MSGQUEUE, 0)
    _lower(resource.RLIMIT_STACK, 8 << 20)
    if threads is not None:
        _lower(resource.RLIMIT_NPROC, threads)
    _lower(resource.RLIMIT_AS, address_space)


def _lower(which: int, value: int) -> None:
    hard = resource.getrlimit(which)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(which, (value, value))


@contextlib.contextmanager
def memory_limit(size: int) -> Iterator[bool]:
    """Let the body take at most `size` bytes more address space than is in use now; tell whether that is the limit.

    It is not when the process's own limit, which nothing can raise, leaves less. This one is for honest code: hostile
    code could raise it as far as the process's own.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    surplus = 0 if hard == resource.RLIM_INFINITY else _room(hard) - size
    if surplus > 0:
        resource.setrlimit(resource.RLIMIT_AS, (hard - surplus, hard))
    try:
        yield surplus > 0
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def _room(most: int) -> int:
    """Bytes of address space that may still be taken, to the megabyte, found by trying: /proc is out of sight."""
    low, high = 0, most >> 20
    while low < high:
        middle = (low + high + 1) // 2
        try:
            mmap.mmap(-1, middle << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_NORESERVE).close()
            low = middle
        except (OSError, MemoryError):
            high = middle - 1
    return low << 20


def kernel_at_least(major: int, minor: int) -> bool:
    """Whether the running kernel is that new."""
    numbers = platform.release().split("-")[0].split(".")
    return (int(numbers[0]), int(numbers[1])) >= (major, minor)


def drop_capabilities(*, but: int | None = None) -> None:
    """Give up every capability but one or none; nothing that would be executed later gets any."""
    for capability in range(64):
        if _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0:
            break  # past the last one that this kernel has
    _libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header = struct.pack("Ii", LINUX_CAPABILITY_VERSION_3, 0)
    left = 0 if but is None else 1 << but
    _call("capset", header, struct.pack("6I", left, left, 0, 0, 0, 0))


def landlock_version() -> int:
    """The kernel's Landlock version, 0 without Landlock."""
    return max(0, int(_libc.syscall(LANDLOCK_CREATE_RULESET, None, 0, LANDLOCK_ASK_VERSION)))


def landlock(readable: list[str], listable: list[str]) -> None:
    """Refuse every file but those below `readable`, to read only; folders of `listable` can be listed besides.

    Where the kernel can, also refuse TCP, abstract sockets and signals to others. Raises OSError without Landlock.
    """
    version = landlock_version()
    handled = (1 << (13 + (version >= 2) + (version >= 3) + (version >= 5))) - 1
    if version == 4:  # TRUNCATE came with 3, the next with 5
        handled = (1 << 15) - 1
    attributes = struct.pack("QQQ", handled, 0b11 if version >= 4 else 0, 0b11 if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    rules = _call("syscall", LANDLOCK_CREATE_RULESET, attributes, ctypes.c_size_t(size), 0)
    try:
        for path, access in (*((p, READ_FILE | READ_DIR) for p in readable), *((p, READ_DIR) for p in listable)):
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
            try:
                allowed = access if os.path.isdir(path) else access & ~READ_DIR
                rule = struct.pack("=Qi", allowed | (WRITE_FILE if path == "/dev/null" else 0), descriptor)
                _call("syscall", LANDLOCK_ADD_RULE, rules, LANDLOCK_PATH_BENEATH, rule, 0)
            finally:
                os.close(descriptor)
        _call("syscall", LANDLOCK_RESTRICT_SELF, rules, 0)
    finally:
        os.close(rules)


def seccomp(blob: bytes) -> None:
    """Install a filter for good. Raises OSError where the kernel has no seccomp filters."""

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))

    program = Program(len(blob) // 8, blob)
    _call("prctl", PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(program), 0, 0)
