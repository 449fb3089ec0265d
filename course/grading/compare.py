"""Is this answer the right one? Kind first, then shape, then values: nothing is ever broadcast."""
import numpy as np

from bplib.diagnosis import diagnose


def difference(got, expected, rtol, parts=(), within=0.0):
    """What separates `got` from `expected`, in words; None where they agree.

    Parameters
    ----------
    got : anything. expected : a number, a string, an array, or a tuple of these.
    rtol : relative tolerance, for each entry. parts : names for the entries of a tuple, such as ("dW", "db").
    within : how far a number may be off, whatever its size.
    """
    if isinstance(expected, tuple):
        return _tuple_difference(got, expected, rtol, parts, within)
    if isinstance(expected, dict):
        return _dict_difference(got, expected, rtol)
    subject = parts[0] if parts else "The result"
    if isinstance(expected, str):
        words = _text_difference(got, expected)
        return f"{subject} {words}" if words and parts else words
    if got is None:
        return f"{subject} is None. Is a return missing?"
    array, expected = _numbers(got), np.asarray(expected, float)
    if array is None:
        return f"{subject} should be {_kind(expected)}; it is {_described(got)}."
    if array.shape != expected.shape:
        found = diagnose(array, expected)
        return f"{subject} should have shape {expected.shape}; yours has {array.shape}." + (f" {found.message}" if found else "")
    return _value_difference(array, expected, rtol, subject, within)


def same(a, b, rtol=1e-6):
    """Are two outcomes the same? For recognising a mistake: NaN equals NaN, and None equals None."""
    if isinstance(a, dict) or isinstance(b, dict):
        return isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, tuple) or isinstance(b, tuple):
        a, b = (tuple(value) if isinstance(value, list) else value for value in (a, b))
        return isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, str) or isinstance(b, str):
        return isinstance(a, str) and isinstance(b, str) and a.strip().lower() == b.strip().lower()
    x, y = _numbers(a), _numbers(b)
    if x is None or y is None:
        return type(a) is type(b) and a is b
    return x.shape == y.shape and bool(np.allclose(x, y, rtol=rtol, atol=rtol * 1e-3 * _largest(y), equal_nan=True))


def _tuple_difference(got, expected, rtol, parts, within):
    numbers = isinstance(got, np.ndarray) and got.shape == (len(expected),) and all(np.ndim(e) == 0 for e in expected)
    if isinstance(got, list) or numbers:
        got = tuple(got)
    wanted = f"The result should be {len(expected)} things" + (f" ({', '.join(parts)})" if parts else "")
    if not isinstance(got, tuple):
        return f"{wanted}; it is {_described(got)}."
    if len(got) != len(expected):
        return f"{wanted}; yours are {len(got)}."
    for index, (g, e) in enumerate(zip(got, expected)):
        name = parts[index] if len(parts) == len(expected) else f"Number {index + 1} of the results"
        words = difference(g, e, rtol, (name,), within)
        if words:
            return words
    return None


def _dict_difference(got, expected, rtol):
    if not isinstance(got, dict):
        return f"The result should be a dict with the keys {', '.join(expected)}; it is {_described(got)}."
    missing = [str(key) for key in expected if key not in got]
    if missing:
        return f"There is nothing under {', '.join(missing)}."
    unknown = [str(key) for key in got if key not in expected]
    if unknown:
        return f"The keys should be {', '.join(expected)}; {', '.join(unknown)} is none of them."
    words = [difference(got[key], right, rtol, (f"{key}",)) for key, right in expected.items()]
    return "\n".join(filter(None, words)) or None


def _text_difference(got, expected):
    if not isinstance(got, str):
        return f"The answer should be text in quotes; it is {_described(got)}."
    return None if got.strip().lower() == expected.lower() else f"{got[:40]!r} is not it."


def _value_difference(array, expected, rtol, subject, within):
    # Entries that should be nearly zero are judged on the scale of the whole array, a billion times finer.
    near = np.abs(array - expected) <= rtol * np.abs(expected) + 1e-9 * _largest(expected) + within
    wrong = (array != expected) & ~(near & np.isfinite(expected))
    if not wrong.any():
        return None
    found = diagnose(array, expected)
    if array.ndim == 0:
        words = f"{subject} should be {expected:.6g}; yours is {array:.6g}."
    else:
        gap = np.where(np.isfinite(array), np.abs(array - expected), np.inf)
        worst = np.unravel_index(np.argmax(np.where(wrong, gap, -1)), gap.shape)
        at = ", ".join(map(str, worst))
        words = (f"{subject} has the right shape {array.shape}, but {wrong.sum()} of its {wrong.size} entries are wrong. "
                 f"The worst is [{at}]: it should be {expected[worst]:.6g}; yours is {array[worst]:.6g}.")
    return words + (f" {found.message}" if found and array.size > 1 else "")


def _numbers(value):
    """`value` as a float array, or None where it does not consist of real numbers."""
    try:
        array = np.asarray(value)
    except Exception:  # __array__ of a foreign object may raise anything
        return None
    if array.dtype.kind not in "biuf":
        return None
    return array.astype(float)


def _largest(array):
    finite = np.abs(array[np.isfinite(array)])
    return finite.max(initial=0)


def _kind(expected):
    return "a number" if expected.ndim == 0 else f"an array of shape {expected.shape}"


def _described(value):
    if value is ...:
        return "still `...`"
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        return f"an array of dtype {value.dtype} and shape {value.shape}"
    if callable(value):
        return "a function; call it to get its value"
    try:
        return f"{type(value).__name__} {str(value)[:40]!r}"
    except Exception:
        return f"of type {type(value).__name__}"
