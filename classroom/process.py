"""The judge's end of the process that runs a submission: what it may use is watched, and it is stopped where it uses more."""

import builtins
import contextlib
import io
import os
import pickle
import select
import signal
import time
import types

import numpy as np
import psutil

from classroom.channel import BrokenError, receive, send, unpack
from classroom.idle import Idleness

TICKS = (0.002, 0.02, 0.05, 0.1)  # seconds from one look to the next
LONGEST_UNSEEN = 0.25  # seconds
SAID = 600  # characters of an error's message that are believed


class StoppedError(Exception):
    """The process used more than it may, or is dead; the words say which."""


class UnansweredError(Exception):
    """An answer that cannot be asked: it ended its process, or was stopped."""


class Process:
    """A process that runs the cells of one submission.

    total : seconds that it may spend from its beginning on, computing or doing nothing. deadline : when it is stopped in any
    case, as `time.monotonic` counts.
    """

    def __init__(self, popen, connection, limits, total, deadline):
        self.popen, self.connection, self.limits, self.total, self.deadline = popen, connection, limits, total, deadline
        self.process, self.idleness = psutil.Process(popen.pid), Idleness()
        self.computed, self.start = 0.0, None
        connection.setblocking(False)

    @property
    def spent(self):
        """Seconds that it computed or did nothing since it was ready."""
        return 0.0 if self.start is None else self.computed + self.idleness.seconds - self.start

    def begin(self):
        """Wait until it is ready to run cells. RuntimeError where it cannot even start: that is no submission's fault."""
        self._watch(patience=60)
        try:
            receive(self)
        except (BrokenError, StoppedError) as problem:
            raise RuntimeError("The process that runs submissions does not start on this machine.") from problem
        self._cpu(self._tree())
        self.start = self.computed + self.idleness.seconds

    def run(self, source):
        """Run a cell. Returns its error in words, or None; StoppedError where the process has to be given up."""
        self._watch()
        message, _ = self._ask({"do": "cell", "source": source})
        if "done" not in message:
            raise StoppedError("the process did not answer as it should")
        return message["done"]

    def answer(self, names, as_tuple):
        return Answer(self, names, as_tuple)

    def close(self, answer):
        """Back from a check to the cells; False where the process did not survive it."""
        self._watch(patience=5)
        try:
            if answer.problem is None:
                send(self, {"do": "end"})
            while not answer.over and "over" not in receive(self)[0]:
                pass
        except (BrokenError, StoppedError, OSError):
            return False
        return True

    def end(self):
        """Kill it and everything that it started. Returns the seconds that it spent."""
        self.connection.close()
        tree = self._tree()
        self._cpu(tree)
        for process in [*tree, self.process]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        with contextlib.suppress(OSError):  # those whose parent is gone are in its session still
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()
        return self.spent

    def stop_answer(self):
        """Kill what runs beside the cells: the copy that shows an answer."""
        runner = self._runner()
        for process in runner.children(recursive=True) if runner else ():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def _runner(self):
        # The first process only waits for the second, so that this one has no other parent.
        with contextlib.suppress(psutil.NoSuchProcess, IndexError):
            return self.process.children()[0]
        return None

    def _ask(self, message, buffers=()):
        try:
            send(self, message, buffers)
            return receive(self)
        except (BrokenError, OSError):
            raise StoppedError("it ended the process that ran it.") from None

    def _watch(self, patience=None):
        # Most cells and answers take less than the look at all processes, so the first look is at the first wait.
        self._patience, self._computed0, self._idle0 = patience or self.limits.seconds, None, self.idleness.seconds
        self._mine, self._looked = time.process_time(), time.monotonic()
        self.idleness.begin()

    def recv(self, count):
        if time.monotonic() - self._looked > LONGEST_UNSEEN:  # it may answer at once, for ever
            self._look(0.0)
        for tick in self._ticks():
            if select.select([self.connection], [], [], tick)[0]:
                return self.connection.recv(count)
            self._look(tick)

    def sendall(self, data):
        view = memoryview(data)
        while view:
            for tick in self._ticks():
                if select.select([], [self.connection], [], tick)[1]:
                    view = view[self.connection.send(view):]
                    break
                self._look(tick)

    def _ticks(self):
        yield from TICKS
        while True:
            yield TICKS[-1]

    def _look(self, watched):
        begun, tree = time.process_time(), self._tree()
        mine = begun - self._mine  # an answer may call functions of the judge's
        computed = self._cpu(tree)
        self.idleness.look(tree, computed, watched)
        if self._computed0 is None:
            self._computed0 = computed
        self._mine += time.process_time() - begun  # but it did not ask for the looks
        self._looked = time.monotonic()
        if computed - self._computed0 + mine > self._patience:
            raise StoppedError(f"it took more than {self._patience:g} seconds of computing time.")
        if self.idleness.seconds - self._idle0 > self._patience:
            raise StoppedError(f"it did nothing for more than {self._patience:g} seconds.")
        if self.spent > self.total:
            raise StoppedError("the notebook used up the time of a whole submission.")
        if self.start is not None and self._looked > self.deadline:
            raise StoppedError("the judge had no more time for this notebook.")
        if len(tree) > self.limits.processes + 2:
            raise StoppedError(f"it started more than {self.limits.processes} processes.")

    def _cpu(self, tree):
        total = 0.0
        for process in tree:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                times = process.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        self.computed = max(self.computed, total)
        return self.computed

    def _tree(self):
        try:
            return [self.process, *self.process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


class Answer:
    """A learner's answer, called through the process that holds it. To the checks it is a function."""

    MISSING = object()

    def __init__(self, process, names, as_tuple):
        self.process, self.names, self.as_tuple = process, names, as_tuple
        self.problem, self.over, self.untouched = None, False, False

    def __deepcopy__(self, memo):
        return self  # a function is copied by name only

    def look(self):
        """The answer: itself where it is a function, its value where it is none, MISSING where there is no such name."""
        message, buffers = self._exchange({"do": "judge", "names": self.names, "tuple": self.as_tuple})
        if "missing" in message:
            return self.MISSING
        if "function" in message:
            self.untouched = message.get("untouched") is True
            return self
        return self._outcome(message, buffers, ())

    def __call__(self, *arguments):
        if self.untouched:
            raise NotImplementedError
        sent, functions = _pickled(arguments)
        message, buffers = self._exchange({"do": "call"}, [sent], functions)
        return self._outcome(message, buffers, arguments)

    def inside(self, id, sources, arguments):
        """What the exercise's own way to run an answer gives, run beside the answer."""
        if self.untouched:
            raise NotImplementedError
        sent, functions = _pickled(arguments)
        message, buffers = self._exchange({"do": "inside", "id": id}, [sent, pickle.dumps(sources)], functions)
        return self._outcome(message, buffers, ())

    def _exchange(self, message, buffers=(), functions=()):
        if self.problem:
            raise UnansweredError(self.problem)
        self.process._watch()
        try:
            message, buffers = self.process._ask(message, buffers)
            while "callback" in message:
                message, buffers = self.process._ask(*_called_back(message, buffers, functions))
        except (StoppedError, BrokenError) as problem:
            self.problem = f"Your answer was stopped: {problem}"
            self.process.stop_answer()
            raise UnansweredError(self.problem) from None
        if "over" in message:
            self.problem, self.over = "Your answer ended the process that ran it, as when a kernel dies.", True
            raise UnansweredError(self.problem)
        return message, buffers

    def _outcome(self, message, buffers, arguments):
        try:
            for place, packed in message.get("changed", ()):
                _change(arguments[place], unpack(packed, buffers))
            value = None if "error" in message else unpack(message["value"], buffers)
        except (BrokenError, KeyError, IndexError, TypeError, ValueError, AttributeError):
            raise UnansweredError("Your answer gave something that cannot be read.") from None
        if "error" in message:
            raise _error(message)
        return value


class Sender(pickle.Pickler):
    """Pickles arguments for the learner's process; functions stay here and get a number."""

    def __init__(self, file):
        super().__init__(file)
        self.functions = []

    def persistent_id(self, value):
        if callable(value) and _stays_here(value):
            self.functions.append(value)
            return len(self.functions) - 1
        return None


def _stays_here(value):
    """Can the learner's process not import this function, or the type of this callable object?"""
    named = value if isinstance(value, types.FunctionType | type) else type(value)
    local = "<" in named.__qualname__  # a lambda, or a function made by another
    return named.__module__.split(".")[0] == "course" or local or isinstance(value, types.MethodType)


def _pickled(arguments):
    file = io.BytesIO()
    sender = Sender(file)
    sender.dump(arguments)
    return file.getvalue(), sender.functions


def _called_back(message, buffers, functions):
    try:
        function = functions[message["callback"]]
        arguments = [unpack(argument, buffers) for argument in message["arguments"]]
    except (KeyError, IndexError, TypeError) as problem:
        raise BrokenError(str(problem)) from None
    try:
        return {"value": True}, [pickle.dumps(function(*arguments))]
    except Exception as problem:
        return {"raise": f"{type(problem).__name__}: {problem}"[:200]}, []


def _change(argument, now):
    """Give an argument the values that the answer left in it, and a generator its state."""
    if isinstance(argument, np.random.Generator):
        argument.bit_generator.state = now
    elif now.shape == argument.shape and now.dtype == argument.dtype:
        argument[...] = now
    else:
        argument.resize(0, refcheck=False)


def _error(message):
    """An error like the learner's, of a built-in type where there is one of this name."""
    name, said = str(message["error"])[:80], str(message.get("said", ""))[:SAID]
    kind = getattr(builtins, name, None)
    if isinstance(kind, type) and issubclass(kind, Exception):
        with contextlib.suppress(Exception):
            problem = kind(said)
            if str(problem) in (said, repr(said)):
                return problem
    return type(name if name.isidentifier() else "Error", (Exception,), {"__module__": "builtins"})(said)
