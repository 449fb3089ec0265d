"""Answers of odd kinds: unusual and right, wrong and lying about it, or dangerous to look at."""

from tests.hostile.corpus import MARKER, RIGHT_SIGMOID, add, replace, submission

FUNCTIONS = ("one_example", "weighted_sum", "sigmoid", "sigmoid_slope", "relu_slope", "distance", "accuracy", "choose_weights",
             "saturation")


def answer_all(notebook, *values, names=FUNCTIONS):
    """The first value is what the first answer returns, and so on: each a text of Python."""
    for name, value in zip(names, values):
        target = "my_neuron" if name == "choose_weights" else name
        replace(notebook, name, f"def {target}(*arguments):\n    return {value}")


@submission("right answers of unusual kinds")
def unusual(notebook, path):
    replace(notebook, "one_example", "one_example = lambda x, w, b: x @ w + b")
    replace(notebook, "weighted_sum", "import functools\nweighted_sum = functools.partial(lambda c, x, W, b: c * x @ W + b, 1)")
    replace(notebook, "sigmoid", f"@np.vectorize\ndef sigmoid(z):\n    return {RIGHT_SIGMOID}")
    replace(notebook, "sigmoid_slope", f"class Slope:\n    def __call__(self, z):\n        a = {RIGHT_SIGMOID}\n"
                                       "        return a * (1 - a)\nsigmoid_slope = Slope()")
    replace(notebook, "relu_slope", "def relu_slope(z):\n    return z > 0")
    replace(notebook, "distance", "def distance(x, w, b):\n    return [(row @ w + b) / np.hypot(*w) for row in x]")
    replace(notebook, "accuracy", "class Numbers:\n    @staticmethod\n    def accuracy(x, w, b, y):\n"
                                  "        return np.float32(0) + np.mean((x @ w + b > 0) == (y == 1))\n"
                                    "accuracy = Numbers().accuracy")
    replace(notebook, "choose_weights", "def my_neuron(w=[-4, 4, 0.3]):\n    return w")


@submission("wrong answers of unusual kinds", lost="everything")
def wrong_kinds(notebook, path):
    answer_all(notebook, "(value for value in arguments)", "None", "float('nan') * arguments[0]", "10**5000",
               "{1, 2}", "arguments[0].astype(object)", "'0.5'", "1j, 2, 3", "print")
    replace(notebook, "one_example", "def one_example(x, w, b):\n    yield x @ w + b")
    replace(notebook, "weighted_sum", "async def weighted_sum(x, W, b):\n    return x @ W + b")
    replace(notebook, "saturation", "saturation = 3")


@submission("random answers", lost="everything")
def random_answers(notebook, path):
    answer_all(notebook, "np.random.rand()", "np.random.rand(len(arguments[0]), arguments[1].shape[1])",
               "np.random.rand(*arguments[0].shape)", "np.random.rand(3)",
               "np.random.rand()", "np.random.rand(len(arguments[0]))", "np.random.rand()",
               "np.random.rand(3)", "np.random.rand(arguments[1].shape[1])")


@submission("objects that claim to be equal", lost="one_example weighted_sum sigmoid sigmoid_slope relu_slope distance accuracy "
                                                  "choose_weights saturation")
def liars(notebook, path):
    add(notebook, '''def yes(*arguments, **settings):
    return True
same = dict.fromkeys(("__eq__", "__le__", "__lt__", "__ge__", "__gt__", "__bool__", "__contains__"), yes)
Anything = type("Anything", (), same | {"__ne__": lambda a, b: False, "__hash__": lambda a: 0})
class Number(float):
    __eq__ = __le__ = __ge__ = __lt__ = __gt__ = yes
    __hash__ = float.__hash__
    def __sub__(self, other): return Number(0)
    def __rsub__(self, other): return Number(0)
    def __abs__(self): return Number(0)
class Array(np.ndarray):
    """Right in the eyes of whoever asks it, wrong in its data."""
    def __array_ufunc__(self, ufunc, method, *inputs, **settings): return np.zeros(self.shape, dtype=bool)
    def __array_function__(self, function, kinds, inputs, settings): return True
    def tobytes(self, order="C"): return b"\\0" * 8
    def __eq__(self, other): return np.ones(self.shape, dtype=bool)
    def __sub__(self, other): return np.zeros(self.shape)
    __rsub__ = __sub__
class Pretender:
    """An array, it says."""
    __class__ = np.ndarray
    shape, ndim, size, dtype = (3, 2), 2, 6, np.dtype(float)
    def astype(self, *kind, **settings): return self
    def copy(self): return self
    def tobytes(self): return b"\\0" * 48
    def tolist(self): return [[0.0] * 2] * 3
class Late:
    """A list of numbers first, and something else when it is read again."""
    def __init__(self): self.read = 0
    def __array__(self, dtype=None, copy=None):
        self.read += 1
        return np.zeros(3 + self.read)
class Tuple(tuple):
    __eq__ = __ge__ = __le__ = yes
    __hash__ = tuple.__hash__''', before="one_example")
    answer_all(notebook, "Number(0.25)", "Anything()", "np.zeros(arguments[0].shape).view(Array)", "Pretender()",
               "(arguments[0] > -9).astype(float).view(Array)", "Late()", "Number(2)", "Tuple([Anything(), Number(1), 2])",
               "np.broadcast_to(Anything(), 4)")


@submission("values that claim to be equal", chapter="05_chain_rule",
            lost="indices fill_values fill_chain fill_neuron fill_fan_out local composition passes")
def lying_values(notebook, path):
    add(notebook, '''def yes(*arguments, **settings):
    return True
class Anything:
    __eq__ = __le__ = __ge__ = __contains__ = yes
    __ne__ = lambda a, b: False
    __hash__ = lambda a: 0
    def __getattr__(self, name): return self
    def __call__(self, *arguments): return self
class Text(str):
    __eq__ = yes
    __hash__ = str.__hash__
    def strip(self, *characters): return Anything()
    def lower(self): return Anything()
class Dict(dict):
    def __getitem__(self, key): return Anything()
    def __contains__(self, key): return True
    def __iter__(self): return iter(())
    def keys(self): return ()''', before="local")
    replace(notebook, "local", "def local(operation, u, v):\n    return Anything(), Anything()")
    replace(notebook, "composition", "class Call:\n    def __call__(self, x): return Anything()\ncomposition = Call()")
    replace(notebook, "indices", "right = Text('A')")
    replace(notebook, "fill_values", "values = Dict(a=1)")
    replace(notebook, "fill_chain", "gradients = dict.fromkeys('LbzaxyT', Anything())")
    replace(notebook, "fill_neuron", "neuron = {Anything(): 1}\nneuron['self'] = neuron")
    replace(notebook, "fill_fan_out", "fan_out_gradients = Anything()")
    replace(notebook, "passes", "passes = []\npasses.extend([passes, passes])")


@submission("answers too big to look at", lost="one_example weighted_sum sigmoid sigmoid_slope distance accuracy saturation")
def huge(notebook, path):
    add(notebook, """def deep(levels=100_000):
    value = []
    for _ in range(levels):
        value = [value]
    return value""", before="one_example")
    answer_all(notebook, "np.broadcast_to(0.0, (10**9,))", "np.broadcast_to(0.0, (10**5, 10**5))", "deep()",
               "'x' * 10**7", "np.where(arguments[0] > 0, 1.0, 0.0)", "[0.0] * 10**6", "10**10**5", "(-4.0, 4.0, 0.3)",
               "dict.fromkeys(range(10**6), 1.0)")


@submission("answers that are dangerous to touch",
            lost="one_example weighted_sum sigmoid sigmoid_slope relu_slope distance accuracy")
def dangerous(notebook, path):
    add(notebook, f'''import os
class Pickle:
    def __reduce__(self): return os.system, ("touch /tmp/{MARKER}",)
class Loud:
    """Whatever is asked of it, it ends the process."""
    def __getattribute__(self, name): os._exit(3)
class Raises:
    def __array__(self, *arguments, **settings): raise SystemExit
    def __repr__(self): raise KeyboardInterrupt
    def __str__(self): return 0
    def __len__(self): return -1
    def __iter__(self): raise GeneratorExit
    def __getattr__(self, name): raise BaseException(name)
class Closes:
    def __del__(self): raise SystemExit
    def __array__(self, *arguments, **settings): return "text"
class Words(Exception):
    def __str__(self): raise SystemExit
    def __repr__(self): return 10**8 * "x"''', before="one_example")
    answer_all(notebook, "Pickle()", "Raises()", "Loud()", "Closes()", "np.array([Pickle()], dtype=object)")
    replace(notebook, "distance", "def distance(x, w, b):\n    raise Words")
    replace(notebook, "accuracy", "def accuracy(x, w, b, y):\n    raise ValueError(10**8 * 'x')")


@submission("errors of every kind", lost="one_example weighted_sum sigmoid sigmoid_slope relu_slope distance",
            says=("one_example.*KeyboardInterrupt|stopped", "sigmoid.*RecursionError"))
def errors(notebook, path):
    replace(notebook, "one_example", "def one_example(x, w, b):\n    raise KeyboardInterrupt")
    replace(notebook, "weighted_sum", "def weighted_sum(x, W, b):\n    raise GeneratorExit")
    replace(notebook, "sigmoid", "def sigmoid(z):\n    return sigmoid(z)")
    replace(notebook, "sigmoid_slope", "def sigmoid_slope(z):\n    raise StopIteration")
    replace(notebook, "relu_slope", "def relu_slope(z):\n    raise BaseExceptionGroup('all', [SystemExit(), MemoryError()])")
    replace(notebook, "distance", "def distance(x, w, b):\n    raise StopAsyncIteration from distance(x, w)")
    replace(notebook, "accuracy", "def depth(k):\n    return 0 if k == 0 else 1 + depth(k - 1)\n"
                                  "def accuracy(x, w, b, y):\n    assert depth(500) == 500\n"
                                  "    return np.mean((x @ w + b > 0) == (y == 1))")


@submission("callables that mislead whoever inspects them")
def misleading(notebook, path):
    add(notebook, """class Odd:
    def __init__(self, function): self.function = function
    def __call__(self, *arguments): return self.function(*arguments)
    @property
    def __signature__(self): raise RuntimeError("no signature")
    @property
    def __code__(self): return None
    __doc__ = __name__ = __module__ = 7
    def __getattr__(self, name): raise ValueError(name)""", before="one_example")
    replace(notebook, "sigmoid", f"sigmoid = Odd(lambda z: {RIGHT_SIGMOID})")
    replace(notebook, "distance", "def distance(x, w, b):\n    return (x @ w + b) / np.linalg.norm(w)\n"
                                  "distance.__wrapped__ = distance\ndistance.__name__ = 'x' * 10**6")


@submission("arguments changed in place", lost="sigmoid distance", says="sigmoid.*in place")
def in_place(notebook, path):
    replace(notebook, "sigmoid", f"def sigmoid(z):\n    right = {RIGHT_SIGMOID}\n    z[...] = 0\n    return right")
    replace(notebook, "distance", "def distance(x, w, b):\n    right = (x @ w + b) / np.linalg.norm(w)\n"
                                  "    x.resize(0, refcheck=False)\n    w *= 2\n    return right")


@submission("a table of the right answers for the usual numbers", lost="sigmoid distance")
def table(notebook, path):
    add(notebook, f'''def by_heart(rule, public):
    """Right for the numbers that the check in the notebook asks for, and wrong for any other."""
    known = {{np.asarray(case[0]).tobytes(): rule(*case) for case in public}}
    return lambda *arguments: known.get(np.asarray(arguments[0]).tobytes(), 0 * arguments[0])
import zlib
def public(id):
    rng = np.random.default_rng(zlib.crc32(id.encode()))
    try:
        from course.catalogue import find
        return [find(id).inputs(rng) for _ in range(3)] + [case for _, case in find(id).edge_cases]
    except Exception:
        return []
def right_sigmoid(z):
    return {RIGHT_SIGMOID}
def right_distance(x, w, b):
    return (x @ w + b) / np.linalg.norm(w)''', before="one_example")
    replace(notebook, "sigmoid", "sigmoid = by_heart(right_sigmoid, public('neuron.sigmoid'))")
    replace(notebook, "distance", "distance = by_heart(right_distance, public('neuron.distance'))")


@submission("answers that are right on every second call only", lost="sigmoid")
def every_second_call(notebook, path):
    replace(notebook, "sigmoid", "calls = []\ndef sigmoid(z):\n    calls.append(z)\n"
                                 f"    return {RIGHT_SIGMOID} if len(calls) % 2 else z")


@submission("an answer that calls back for ever", chapter="04_finite_differences", lost="gradient checker",
            says="gradient.*computing time", seconds=0.5)
def calls_back(notebook, path):
    replace(notebook, "gradient", "def gradient(f, x):\n    while True:\n        f(x)")


@submission("an answer that hands back nonsense", chapter="04_finite_differences", lost="gradient central checker")
def calls_back_with_nonsense(notebook, path):
    replace(notebook, "gradient", "def gradient(f, x):\n    return f('text', print, {}) or f(*[x] * 9)")
    replace(notebook, "central", "def central_difference(f, x, h):\n    return f")


@submission("an answer that writes into every open file", lost="sigmoid")
def writes_into_files(notebook, path):
    replace(notebook, "sigmoid", """import contextlib, os
def sigmoid(z):
    for number in range(3, 64):
        with contextlib.suppress(OSError):
            os.write(number, b'\\0\\0\\0\\x20[{"value": {"k": "float", "v": "1"}}, []]')
    return z""")
