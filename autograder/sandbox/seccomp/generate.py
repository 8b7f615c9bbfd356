"""Write the seccomp allow-lists as BPF blobs, for every machine we know, with libseccomp's own Python binding.

Run as `/usr/bin/python3 generate.py` with the distribution's `python3-seccomp`; at run time only the blobs are needed.
Everything not listed is refused with EPERM. `full` is for the level with namespaces; `reduced` lets nothing through
that changes files outside the reach of Landlock (modes, owners, times, truncation by path).
"""

from __future__ import annotations

import errno
import platform
from pathlib import Path

import seccomp
from seccomp import ALLOW, EQ, ERRNO, MASKED_EQ, Arch, Arg, SyscallFilter

MACHINES = {"x86_64": Arch.X86_64, "aarch64": Arch.AARCH64}

FILES = """
    read readv pread64 preadv write writev pwrite64 pwritev close close_range open openat creat lseek dup dup2 dup3
    stat fstat lstat newfstatat statx statfs fstatfs access faccessat faccessat2 getdents getdents64 getcwd chdir fchdir
    readlink readlinkat fsync fdatasync ftruncate fallocate fadvise64 sendfile copy_file_range umask
    mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 symlink symlinkat pipe pipe2
"""
ATTRIBUTES = "chmod fchmod fchmodat fchmodat2 utime utimes utimensat futimesat truncate link linkat"
MEMORY = "mmap munmap mprotect mremap brk madvise mincore msync membarrier"
TIME = "gettimeofday time clock_gettime clock_getres clock_nanosleep nanosleep getitimer setitimer alarm times"
SIGNALS = """
    rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigsuspend sigaltstack pause
    restart_syscall signalfd4
"""
WAITING = """
    select pselect6 poll ppoll epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd eventfd2
    timerfd_create timerfd_settime timerfd_gettime recvfrom shutdown getsockopt setsockopt getsockname getpeername
"""
THREADS = """
    futex set_robust_list get_robust_list set_tid_address rseq gettid sched_yield sched_getaffinity sched_setaffinity
    sched_getparam sched_getscheduler sched_get_priority_max sched_get_priority_min getcpu exit exit_group arch_prctl
"""
IDENTITY = """
    getpid getppid getuid geteuid getgid getegid getgroups getresuid getresgid getpgrp getpgid getsid
    getrusage getrlimit sysinfo uname getrandom capget
"""

CLONE_THREAD = 0x00010000
AF_UNIX = 1
TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX = 0x5401, 0x5413, 0x541B, 0x5421, 0x5451, 0x5450
PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_CAPBSET_READ = 15, 16, 3, 23
F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC, F_GETPIPE_SZ = 0, 1, 2, 3, 4, 1030, 1032
F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW = 5, 6, 7, 36, 37, 38
UNKNOWN_SO_FALL_BACK = ("clone3", "openat2", "futex_waitv", "map_shadow_stack")


def build(machine: str, *, reduced: bool) -> SyscallFilter:
    """Return the filter for one machine and level."""
    allow_list = SyscallFilter(ERRNO(errno.EPERM))
    if machine != platform.machine():
        allow_list.add_arch(MACHINES[machine])
        allow_list.remove_arch(Arch())

    def add(action: int, name: str, *conditions: Arg) -> None:
        number = seccomp.resolve_syscall(MACHINES[machine], name)
        if number >= 0:  # negative: this machine (or this libseccomp) has no such call
            allow_list.add_rule(action, name, *conditions)

    for name in " ".join((FILES, MEMORY, TIME, SIGNALS, WAITING, THREADS, IDENTITY)).split():
        add(ALLOW, name)
    for name in ATTRIBUTES.split():
        if not reduced:
            add(ALLOW, name)
    add(ALLOW, "clone", Arg(0, MASKED_EQ, CLONE_THREAD, CLONE_THREAD))
    add(ALLOW, "socketpair", Arg(0, EQ, AF_UNIX))  # asyncio wakes itself through one; it leads nowhere else
    add(ALLOW, "sendto", Arg(4, EQ, 0))  # no address: only the other end of such a pair
    for command in (F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC, F_GETPIPE_SZ):
        add(ALLOW, "fcntl", Arg(1, EQ, command))
    # Locks on a library's files are seen by every other notebook. One process alone needs none: it is told that it has
    # them, so that databases and the like work, and nothing is locked.
    for command in (F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW):
        add(ERRNO(0), "fcntl", Arg(1, EQ, command))
    add(ERRNO(0), "flock")
    add(ALLOW, "prlimit64", Arg(0, EQ, 0))
    for request in (TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX):
        add(ALLOW, "ioctl", Arg(1, EQ, request))
    for option in (PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_CAPBSET_READ):
        add(ALLOW, "prctl", Arg(0, EQ, option))
    for name in UNKNOWN_SO_FALL_BACK:  # the C library tries these first and has another way when they do not exist
        add(ERRNO(errno.ENOSYS), name)
    return allow_list


def main() -> None:
    """Write every blob beside this file."""
    for machine in MACHINES:
        for level in ("full", "reduced"):
            path = Path(__file__).with_name(f"{level}-{machine}.bpf")
            with path.open("wb") as stream:
                build(machine, reduced=level == "reduced").export_bpf(stream)
            print(path.name, path.stat().st_size // 8, "instructions")


if __name__ == "__main__":
    main()
