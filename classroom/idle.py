"""How long the processes of a submission did nothing: neither computed, nor waited for a processor or a disk.

On a full machine a process that wants to compute stands as still as one that sleeps. Linux tells them apart: it counts for
each thread how long it ran, and how long it was ready to run while others did. Other systems tell only whether a process
wants to run, and how long it has computed; there a time in which it did neither is idle.
"""

import contextlib
from pathlib import Path
from typing import NamedTuple

import psutil

WANTS_TO_RUN = (psutil.STATUS_RUNNING, psutil.STATUS_DISK_SLEEP)


class Thread(NamedTuple):
    """What a thread does, and the seconds that it ran and that it waited for a processor."""

    wants_to_run: bool
    ran: float
    waited: float


UNKNOWN = Thread(False, 0.0, 0.0)


def _waiting_is_counted():
    with contextlib.suppress(OSError):
        return Path("/proc/self/schedstat").read_text(encoding="ascii").split() != ["0", "0", "0"]
    return False


WAITING_IS_COUNTED = _waiting_is_counted()


class Idleness:
    """Adds up the seconds in which processes did nothing, from one look at them to the next."""

    def __init__(self):
        self.seconds = 0.0
        self.begin()

    def begin(self):
        """Look at other work from now on: the next look only takes its numbers."""
        self._threads, self._computed = None, 0.0

    def look(self, processes, computed, watched):
        """Look at all processes.

        Parameters
        ----------
        processes : `psutil.Process`es. computed : seconds that these, and those of them that ended, have computed.
        watched : of the seconds since the look before, those in which the watcher itself stood ready for them.
        """
        before, computed_before = self._threads, self._computed
        self._threads, self._computed = now, _ = dict(_threads(processes)), computed
        # A thread that ended took along how long it had waited.
        if before is None or before.keys() - now.keys() or any(thread.wants_to_run for thread in now.values()):
            return
        grown = computed - computed_before
        if WAITING_IS_COUNTED:
            pairs = [(before.get(key, UNKNOWN), thread) for key, thread in now.items()]
            ran = sum(new.ran - old.ran for old, new in pairs)
            waited = sum(new.waited - old.waited for old, new in pairs)
            self.seconds += max(watched - max(ran, grown) - waited, 0.0)
        elif grown <= 0:
            self.seconds += watched


def _threads(processes):
    """Pairs of a name and a `Thread`: the threads of processes, or the processes where no more is known."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
            if not WAITING_IS_COUNTED:
                yield process.pid, Thread(process.status() in WANTS_TO_RUN, 0.0, 0.0)
                continue
            for thread in Path(f"/proc/{process.pid}/task").iterdir():
                # The state first: a thread that wakes up between the two has been asleep until now.
                state = (thread / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
                ran, waited, _ = (thread / "schedstat").read_text(encoding="ascii").split()
                yield thread, Thread(state in "RD", int(ran) / 1e9, int(waited) / 1e9)
