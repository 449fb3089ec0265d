"""The process that runs a submission: `python -m classroom.inside SOCKET FOLDER HIDDEN...`, started by the judge only.

It locks itself in, then does what the judge asks: run a cell, or show an answer. An answer is shown by a copy of the
process, made by fork, so that whatever the answer does to it ends with its check.
"""

import builtins
import contextlib
import importlib.util
import io
import json
import os
import pickle
import socket
import sys
import traceback

import numpy as np

from classroom.channel import BrokenError, Packer, TooBigError, receive, send
from classroom.limits import Limits, lock_in

PRINTED = 20_000  # characters of output that are kept at all
SAID = 600  # characters of an error's message

# Taken before any code of a learner's runs, which may put others in their place.
_exit, _fork, _wait, _loads, _memoryview = os._exit, os.fork, os.waitpid, pickle.loads, io.BytesIO
_callable, _Unpickler, _Array, _Generator, _errstate = callable, pickle.Unpickler, np.ndarray, np.random.Generator, np.errstate


class Drain(io.TextIOBase):
    """Takes what is printed, and keeps the beginning."""

    encoding = "utf-8"

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text[: PRINTED - len(self.text)]
        return len(text)

    def writable(self):
        return True


def hide_references(banks):
    """Make the modules that hold right answers impossible to import, and the checks say nothing.

    Returns the function that recognises an untouched stub, out of the learner's reach: of a module that was loaded before.
    """
    from course.grading.core import Outcome, _untouched

    _forget("course")
    import course

    sys.modules.update(dict.fromkeys(banks))
    course.check = lambda id=None, answer=None, **options: 0.0
    course.yours_or_reference = lambda id=None, answer=None: answer
    for name in ("hint", "progress", "dashboard", "review", "reset"):
        setattr(course, name, lambda *arguments, **options: None)
    return lambda answer: _untouched(answer, Outcome(0))


def _forget(package):
    for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
        del sys.modules[name]


def new_shell():
    """IPython, as a kernel has it, without history and without anybody to ask."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.xmode = "Minimal"
    shell = InteractiveShell.instance(config=config)
    shell.system = shell.system_raw
    shell.ask_exit = sys.exit
    builtins.input = nobody_to_ask
    return shell


def nobody_to_ask(*prompt):
    raise EOFError("input() was called, and there is nobody to answer while a notebook is graded")


def run_cell(shell, source):
    """The error that stopped a cell, in words, or None."""
    with contextlib.redirect_stdout(Drain()), contextlib.redirect_stderr(Drain()):
        outcome = shell.run_cell(source)
    problem = outcome.error_before_exec or outcome.error_in_exec
    return None if problem is None else words_of(problem)


def words_of(problem):
    """Type and message of an error, whatever its own methods do."""
    try:
        return f"{type(problem).__name__}: {problem}"[:SAID]
    except BaseException:
        return type(problem).__name__


class Receiver(_Unpickler):
    """Reads arguments from the judge; functions among them are called back there."""

    def __init__(self, data, connection):
        super().__init__(_memoryview(data))
        self.connection = connection

    def persistent_load(self, number):
        def function(*arguments):
            packer = Packer()
            packed = [packer.pack(argument) for argument in arguments]
            send(self.connection, {"callback": number, "arguments": packed}, packer.buffers)
            message, buffers = receive(self.connection)
            if "raise" in message:
                raise RuntimeError(message["raise"])
            return _loads(buffers[0])

        return function


def show(connection, shell, untouched, names, as_tuple):
    """Say what an answer is, then do what the judge asks of it, until it has seen enough."""
    answer = tuple(shell.user_ns.get(name) for name in names) if as_tuple else shell.user_ns.get(names[0])
    if not all(name in shell.user_ns for name in names):
        send(connection, {"missing": True})
    elif _callable(answer):
        stub = False
        with contextlib.suppress(BaseException):  # whoever looks at an answer runs its code
            stub = untouched(answer)
        send(connection, {"function": True, "untouched": stub is True})
    else:
        reply(connection, lambda: answer, ())
    while True:
        message, buffers = receive(connection)
        if message["do"] == "end":
            return
        run = real_run(message["id"], _loads(buffers[1])) if message["do"] == "inside" else None
        arguments = Receiver(buffers[0], connection).load()  # may hold things of the modules that real_run has brought
        if run is not None:
            reply(connection, lambda arguments=arguments, run=run: run(answer, *arguments), ())
        else:
            reply(connection, lambda arguments=arguments: answer(*arguments), arguments)


def real_run(id, sources):
    """How an exercise runs its answer, for those that need the answer itself: its own code, sent by the judge."""
    _forget("course")

    class Finder:
        @staticmethod
        def find_spec(name, path=None, target=None):
            return importlib.util.spec_from_loader(name, Loader, is_package=sources[name][1]) if name in sources else None

    class Loader:
        @staticmethod
        def create_module(spec):
            return None

        @staticmethod
        def exec_module(module):
            exec(compile(sources[module.__name__][0], module.__name__, "exec"), module.__dict__)

    sys.meta_path.insert(0, Finder)
    from course.catalogue import find

    return find(id).run


def reply(connection, work, arguments):
    """Send what `work()` returns, or its error, and the arguments as it left them."""
    packer, message = Packer(), None
    before = [state(argument) for argument in arguments]
    try:
        with _errstate(all="ignore"):
            value = work()
        message = {"value": packer.pack(value)}
    except TooBigError:
        packer, message = Packer(), {"error": "ValueError", "said": "The answer has too many parts to be looked at."}
    except BrokenError:
        raise
    except BaseException as problem:
        packer, message = Packer(), {"error": type(problem).__name__, "said": said(problem), "where": where(problem)}
    after = [state(argument) for argument in arguments]
    message["changed"] = [[place, packer.pack(new)] for place, (old, new) in enumerate(zip(before, after)) if not same(old, new)]
    send(connection, message, packer.buffers)


def state(argument):
    """What a call can change in an argument: the numbers of an array, the state of a generator."""
    if type(argument) is _Array:
        return argument.copy()
    return argument.bit_generator.state if type(argument) is _Generator else None


def same(a, b):
    if type(a) is not _Array:
        return a == b
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


def said(problem):
    try:
        return str(problem)[:SAID]
    except BaseException:
        return ""


def where(problem):
    """The learner's own lines on the way to an error."""
    try:
        frames = traceback.extract_tb(problem.__traceback__)
        return [f"line {frame.lineno} of {frame.name}" for frame in frames if "ipython-input" in frame.filename][:3]
    except BaseException:
        return []


def main(number, folder, settings):
    connection = socket.socket(fileno=int(number))
    settings = json.loads(settings)
    lock_in(folder, settings["hidden"], Limits(**settings["limits"]), settings["separate"])
    untouched = hide_references(settings["banks"])
    shell = new_shell()
    send(connection, {"ready": True})
    while True:
        try:
            message, _ = receive(connection)
        except BrokenError:
            _exit(0)
        if message["do"] == "cell":
            send(connection, {"done": run_cell(shell, message["source"])})
            continue
        child = _fork()
        if child == 0:
            try:
                sys.stdout = sys.stderr = Drain()
                show(connection, shell, untouched, message["names"], message["tuple"])
            finally:
                _exit(0)
        _, status = _wait(child, 0)
        send(connection, {"over": status})


if __name__ == "__main__":
    main(*sys.argv[1:])
