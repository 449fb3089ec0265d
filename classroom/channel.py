"""Messages between the judge and the process that runs a submission.

To the judge only plain data travels: JSON for the structure, and the bytes of arrays. It is never unpickled there, and an
object that is neither number, text, array nor a container of these arrives as the name of its type.
"""

import json
import struct
import types

import numpy as np

LONGEST = 2**26  # bytes of one message
MANY = 200_000  # parts of one value
DEEP = 50
ITERATORS = (types.GeneratorType, map, filter, zip, enumerate, type(iter(())), type(iter([])))

# Taken before any code of a learner's runs, which may put others in their place.
_asarray, _ndarray, _generic, _contiguous, _dtype = np.asarray, np.ndarray, np.generic, np.ascontiguousarray, np.dtype
_pack, _unpack, _encode, _decode = struct.pack, struct.unpack, json.JSONEncoder().encode, json.loads


class BrokenError(Exception):
    """The other side is gone, or sends what is no message."""


class TooBigError(Exception):
    """A value with too many parts to be sent."""


class Foreign:
    """Stands for an object that did not cross: it has the name of its type, and nothing else."""


class ForeignIterator(Foreign):
    """Stands for a generator: what it gave crossed, and can be gone through once."""

    def __init__(self, parts):
        self.parts = iter(parts)

    def __iter__(self):
        return self.parts


class ForeignFunction(Foreign):
    """Stands for a function that did not cross."""

    def __call__(self, *arguments):
        raise TypeError("a function that a learner's answer returned cannot be called")


def send(connection, message, buffers=()):
    """Write a message, {key: JSON value}, and the bytes that go with it."""
    head = _encode([message, [len(buffer) for buffer in buffers]]).encode("utf-8", "replace")
    connection.sendall(b"".join((_pack("!I", len(head)), head, *buffers)))


def receive(connection):
    """Read a message and its bytes. BrokenError where there is none, or where it is no message."""
    try:
        head = _decode(_read(connection, _unpack("!I", _read(connection, 4))[0]))
        message, lengths = head
        if not isinstance(message, dict) or sum(lengths) > LONGEST or min(lengths, default=0) < 0:
            raise BrokenError("not a message")
        return message, [_read(connection, length) for length in lengths]
    except (OSError, ValueError, TypeError, RecursionError, struct.error) as problem:
        if isinstance(problem, TimeoutError):
            raise
        raise BrokenError(str(problem)) from problem


def _read(connection, length):
    if length > LONGEST:
        raise BrokenError("a message that is too long")
    parts = []
    while length:
        part = connection.recv(min(length, 2**20))
        if not part:
            raise BrokenError("the end")
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


class Packer:
    """Turns a value into JSON and bytes. Trusts nothing that the value says of itself, but what NumPy and Python store."""

    def __init__(self):
        self.buffers, self.parts, self.size = [], 0, 0

    def pack(self, value, depth=0):
        self.parts += 1
        if self.parts > MANY or depth > DEEP:
            raise TooBigError
        kind = type(value)
        if value is None or kind is bool:
            return value
        if value is ...:
            return {"k": "..."}
        if kind is int:
            if value.bit_length() > 10_000:
                raise TooBigError
            return value
        if issubclass(kind, float) and not issubclass(kind, _generic):
            return {"k": "float", "v": float.__repr__(value)}
        if kind is complex:
            return {"k": "complex", "v": [repr(value.real), repr(value.imag)]}
        if issubclass(kind, str) and not issubclass(kind, _generic):
            text = str.__str__(value)
            if len(text) > 10**6:
                raise TooBigError
            return text
        if issubclass(kind, (_ndarray, _generic)):
            return self._array(value)
        if kind in (list, tuple):
            return {"k": kind.__name__, "v": [self.pack(part, depth + 1) for part in value]}
        if issubclass(kind, (list, tuple)):
            base = list if issubclass(kind, list) else tuple
            return {"k": base.__name__, "v": [self.pack(part, depth + 1) for part in base.__iter__(value)]}
        if issubclass(kind, dict):
            return {"k": "dict", "v": [[self.pack(key, depth + 1), self.pack(part, depth + 1)]
                                       for key, part in dict.items(value)]}
        if issubclass(kind, ITERATORS):
            return {"k": "iterator", "v": [self.pack(part, depth + 1) for part in value]}
        if hasattr(kind, "__array__"):
            return self._array(_asarray(value))
        return {"k": "function" if callable(value) else "foreign", "v": type.__dict__["__name__"].__get__(kind)[:80]}

    def _array(self, value):
        array = _asarray(value)
        if type(array) is not _ndarray or array.dtype.kind not in "biufc" or array.dtype.itemsize > 16:
            return {"k": "foreign", "v": f"array of {array.dtype}" if type(array) is _ndarray else type(array).__name__}
        self.size += array.nbytes
        if self.size > LONGEST:
            raise TooBigError
        self.buffers.append(_contiguous(array).tobytes())
        name = "array" if issubclass(type(value), _ndarray) or not issubclass(type(value), _generic) else "scalar"
        return {"k": name, "v": [array.dtype.str, list(array.shape), len(self.buffers) - 1]}


def unpack(value, buffers):
    """The value that was packed, of plain types only; BrokenError where it is none."""
    try:
        return _unpacked(value, buffers)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError, MemoryError) as problem:
        raise BrokenError(str(problem)) from problem


def _unpacked(value, buffers):
    if not isinstance(value, dict):
        if isinstance(value, list):
            raise BrokenError("a bare list")
        return value
    kind, inner = value["k"], value.get("v")
    if kind == "...":
        return ...
    if kind == "float":
        return float(inner)
    if kind == "complex":
        return complex(*map(float, inner))
    if kind in ("list", "tuple"):
        return (list if kind == "list" else tuple)(_unpacked(part, buffers) for part in inner)
    if kind == "iterator":
        return ForeignIterator([_unpacked(part, buffers) for part in inner])
    if kind == "dict":
        return {_unpacked(key, buffers): _unpacked(part, buffers) for key, part in inner}
    if kind in ("array", "scalar"):
        name, shape, place = inner
        dtype = _dtype(name)
        if dtype.kind not in "biufc":
            raise BrokenError(name)
        array = np.frombuffer(buffers[place], dtype).reshape(shape).copy()
        return array[()] if kind == "scalar" else array
    base = ForeignFunction if kind == "function" else Foreign
    name = str(inner)[:80]
    return type(name if name.isprintable() else "object", (base,), {})()
