"""What one submission may use, and how a process locks itself in before it runs a stranger's code.

On Linux the process gets, by `unshare`, namespaces of its own: a file system that it can only read, but for one folder in
memory; no network; no sight of other processes, and with it ends whatever it started. The teacher's folders are covered.
Limits on memory, processes and files hold on every Unix. `missing()` says what this machine does not offer.
"""

import ctypes
import functools
import os
import shutil
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

try:
    import resource
except ImportError:  # Windows
    resource = None

NAMESPACES = ("--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child", "--mount-proc")
MS_NOSUID, MS_NODEV, MS_BIND = 2, 4, 4096
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, LAST_CAPABILITY = 24, 38, 40
MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY = 442, -100, 0x8000, 1
CAPABILITY_VERSION = 0x20080522


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Attributes
    ----------
    seconds : computing time of one cell, or of one answer in its check; as long may it wait for nothing. Time in which the
        machine is busy with others does not count.
    total : seconds that the whole submission may compute or wait for nothing, without the start of its process.
    wall : seconds by the clock after which the judge gives it up, so that a class comes to an end, whatever a submission does to
        seem busy. Where the machine is to blame, the next run judges it again.
    memory : MB of address space for each process. disk : MB of files. processes : how many at once. size : MB of the submitted
        file. restarts : how often the notebook is begun again without a cell that broke it.
    """

    seconds: float = 10
    total: float = 120
    wall: float = 3600
    memory: int = 2000
    disk: int = 200
    processes: int = 64
    size: int = 100
    restarts: int = 8


@functools.cache
def namespaces():
    """The beginning of a command that gives it namespaces of its own, and ends it with the judge; empty where this machine
    does not allow that."""
    unshare, setpriv = shutil.which("unshare"), shutil.which("setpriv")
    user = () if os.name == "posix" and os.getuid() == 0 else ("--user", "--map-root-user")
    if unshare and setpriv:
        command = (setpriv, "--pdeathsig", "KILL", unshare, *user, *NAMESPACES)
        if subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0:
            return command
    return ()


def missing():
    """What does not hold on this machine, in words; empty where everything does."""
    lines = []
    if not namespaces():
        lines.append("This system gives a submission no file system, network and process table of its own: it can read what you "
                     "can read, write where you can write, and leave processes behind.")
    if resource is None:
        lines.append("This system does not limit memory, files and processes.")
    return lines


def lock_in(folder, hidden, limits, separate):
    """Limit this process for good. `separate`: it has namespaces of its own. `folder`: where it may write."""
    if separate:
        _make_read_only()
        for place in hidden:
            _cover(place)
        _mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, f"size={limits.disk}m,mode=0777")
    os.chdir(folder)
    if resource:
        megabyte = 2**20
        _limit("AS", limits.memory * megabyte)
        _limit("FSIZE", limits.disk * megabyte)
        _limit("CORE", 0)
        _limit("CPU", int(limits.total) + 10)  # ends it also where the judge was killed, and nobody watches
        if separate:  # it counts every process of the same user
            _limit("NPROC", limits.processes)
    if separate:
        _drop_privileges()


def _limit(name, value):
    kind = getattr(resource, f"RLIMIT_{name}")
    _, most = resource.getrlimit(kind)
    value = value if most == resource.RLIM_INFINITY else min(value, most)
    resource.setrlimit(kind, (value, value))


def _make_read_only():
    attributes = struct.pack("QQQQ", MOUNT_ATTR_RDONLY, 0, 0, 0)
    _require(_libc().syscall(MOUNT_SETATTR, AT_FDCWD, b"/", AT_RECURSIVE, attributes, len(attributes)), "/")


def _cover(place):
    if os.path.isdir(place):
        _mount("tmpfs", place, "tmpfs", MS_NOSUID | MS_NODEV, "size=4k,mode=0555")
    elif os.path.isfile(place):
        _mount("/dev/null", place, None, MS_BIND, None)


def _mount(what, where, kind, flags, options):
    encoded = [None if text is None else os.fsencode(text) for text in (what, where, kind, options)]
    _require(_libc().mount(*encoded[:3], flags, encoded[3]), where)


def _drop_privileges():
    libc = _libc()
    if os.getuid() == 0 and _really_root() and all(map(_open_to_all, (sys.prefix, sys.base_prefix, Path(__file__).parent))):
        # A number that nobody has, so that the limit on processes counts this submission only.
        number = 2**20 + _outer_pid() % 2**20
        os.setgroups([])
        os.setresgid(number, number, number)
        os.setresuid(number, number, number)
    else:
        for capability in range(LAST_CAPABILITY + 1):
            libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
        header, none = struct.pack("Ii", CAPABILITY_VERSION, 0), bytes(24)
        _require(libc.capset(header, none), "capabilities")
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _really_root():
    return Path("/proc/self/uid_map").read_text().split() == ["0", "0", "4294967295"]


def _outer_pid():
    return int(os.environ.get("CLASSROOM_NUMBER", "0"))


def _open_to_all(path):
    path = Path(path).resolve()
    return all(part.stat().st_mode & 0o005 == 0o005 for part in (path, *path.parents))


def _require(outcome, what):
    if outcome != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(what))


@functools.cache
def _libc():
    return ctypes.CDLL(None, use_errno=True)
