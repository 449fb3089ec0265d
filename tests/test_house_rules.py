"""The house rules, each a function that returns what breaks it: run on the project, and on a planted breach."""

import ast
import inspect
import io
import re
import shutil
import subprocess
import sys
import tokenize
from pathlib import Path

import numpy
import pytest

import bplib
from bplib import Layer, Loss, init
from course.catalogue import chapters
from tests.exported import exported

ROOT = Path(__file__).parents[1]
NETWORK_LINES, CHECKER_LINES, FILE_LINES = 820, 1000, 450
PAGE = 105  # characters that a code cell shows in a window of 1,100 pixels


def modules(package):
    """Every module of a package by its dotted name, with its source."""
    paths = sorted((ROOT / package).rglob("*.py"))
    return {dotted(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths if "data" not in path.parts}


def dotted(path):
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def part_of(name):
    """The second word of a dotted name: "bplib.layers" belongs to layers, "course.labs.live" to labs."""
    return [*name.split("."), ""][1]


LIBRARY = modules("bplib")
COURSE = modules("course")
SOURCES = LIBRARY | COURSE


# Imports point one way.

CHECKING = {"gradcheck", "diagnosis", "measure", "report", "subject"}
ABOVE_LAYERS = CHECKING | {"training"}  # what layers, losses and optimisers may not know
ENGINES = {"grading": "labs", "labs": "grading"}  # each may not know the other
CHAPTER = re.compile(r"course\.(ch\d\d_\w+)")
# A notebook may run where there is one thread and no other process.
NO_SUCH_THING = {"threading", "multiprocessing", "concurrent", "subprocess", "signal", "socket", "ctypes", "urllib", "http"}


def imports(source):
    """The dotted names of everything that is imported, wherever it stands."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


def may_import(name, other):
    """May a module import this? bplib knows nothing of lessons, engines know no chapter, a chapter knows bplib, the engines,
    and the labs of earlier chapters."""
    mine, theirs = CHAPTER.match(name), CHAPTER.match(other)
    if other.split(".")[0] in NO_SUCH_THING:
        return False
    if name.split(".")[0] == "bplib":
        return not other.startswith("course") and (part_of(name) in {"", *ABOVE_LAYERS} or part_of(other) not in ABOVE_LAYERS)
    if theirs and not mine:
        return False
    if theirs and theirs[1] != mine[1]:
        return theirs[1] < mine[1] and ".bank" not in other
    if mine:
        return other.split(".")[0] != "course" or bool(theirs) or part_of(other) in {*ENGINES, "catalogue"}
    return not (part_of(name) in ENGINES and other.startswith(f"course.{ENGINES[part_of(name)]}"))


def against_the_direction(name, source):
    """What a module imports although it may not."""
    return [other for other in imports(source) if not may_import(name, other)]


def cycle(sources):
    """A module that imports itself through others, or None."""
    imported = {name: imports(source) for name, source in sources.items()}
    edges = {name: {known for known in sources if known != "bplib" and known != name
                    and any(other == known or other.startswith(known + ".") for other in others)}
             for name, others in imported.items()}
    while edges:
        free = {name for name, needs in edges.items() if not needs & set(edges)}
        if not free:
            return sorted(edges)
        edges = {name: needs for name, needs in edges.items() if name not in free}
    return None


@pytest.mark.parametrize("name", SOURCES)
def test_imports_point_one_way(name):
    assert against_the_direction(name, SOURCES[name]) == []


def test_modules_of_the_library_import_in_order():
    assert cycle(LIBRARY) is None


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("bplib.layers", "def f():\n    from course import check"),
        ("bplib.layers", "import course.grading.core"),
        ("bplib.losses", "from bplib import diagnosis"),
        ("bplib.gradcheck", "import threading"),
        ("course.labs.x", "import course.grading.core"),
        ("course.grading.x", "from course.labs.live import Lab"),
        ("course.grading.x", "from course.ch05_chain_rule import ChainRule"),
        ("course", "from course.ch05_chain_rule.bank import EXERCISES"),
        ("course.ch05_chain_rule.labs", "from course.ch06_backprop_layers import XorTraining"),
        ("course.ch06_backprop_layers.bank", "from course.ch05_chain_rule.bank import EXERCISES"),
        ("course.ch06_backprop_layers.bank", "from course.ch05_chain_rule import bank"),
        ("course.ch06_backprop_layers.bank", "from course import check"),
    ],
)
def test_a_wrong_import_is_noticed(name, source):
    assert against_the_direction(name, source)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("bplib", "from bplib.gradcheck import check_gradients"),
        ("course", "from course.grading import cells"),
        ("course.catalogue", "import re"),
        ("course.grading.x", "from bplib.diagnosis import diagnose\nfrom course.catalogue import find"),
        ("course.ch06_backprop_layers.bank.x", "from course.grading import core\nfrom course.ch06_backprop_layers.bank import y"),
        ("course.ch06_backprop_layers.labs", "from course.labs import style\nfrom course.ch05_chain_rule.labs import ChainRule"),
    ],
)
def test_a_right_import_is_none(name, source):
    assert against_the_direction(name, source) == []


def test_a_cycle_is_noticed():
    assert cycle({"bplib.a": "from bplib import b", "bplib.b": "from bplib.c import x", "bplib.c": "import bplib.a"})
    assert cycle({"bplib.a": "from bplib import b", "bplib.b": ""}) is None


def chapters_named(source):
    """The folders of chapters that a source names, in code or in words."""
    return re.findall(r"\bch\d\d_\w+|\b\d\d_[a-z]\w+", source)


def exercises_named(source):
    """The exercises that a program names in its strings, docstrings left out."""
    tree = ast.parse(source)
    words = {node.value.value for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)}
    strings = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    topics = "|".join(chapter.topic for chapter in chapters())
    return [found for text in strings if text not in words for found in re.findall(rf"\b(?:{topics})\.\w+", text)]


ENGINES_AND_FACE = {name: source for name, source in COURSE.items() if not CHAPTER.match(name)} | modules("classroom")


@pytest.mark.parametrize("name", ENGINES_AND_FACE)
def test_engines_name_no_chapter(name):
    examples = {"05_chain_rule", "ch05_chain_rule", "chNN_topic", "01_neuron"}  # in words that say what a name looks like
    assert set(chapters_named(ENGINES_AND_FACE[name])) <= examples
    assert set(exercises_named(ENGINES_AND_FACE[name])) <= {"start_here.twice"}  # in the help of a command


def test_a_named_chapter_is_noticed():
    assert chapters_named("import_module('course.ch07_softmax')") == ["ch07_softmax"]
    assert chapters_named("'notebooks/07_softmax.ipynb'") == ["07_softmax"]
    assert exercises_named('"""Such as neuron.sigmoid."""\nINSIDE = {"softmax.by_heart"}') == ["softmax.by_heart"]


ALONE = """
import sys
sys.path.insert(0, {folder!r})
import importlib.util
assert not [name for name in ("course", "matplotlib", "ipywidgets", "threadpoolctl", "tqdm") if importlib.util.find_spec(name)]
import numpy as np
from bplib import SGD, Linear, Sequential, SoftmaxCrossEntropy, Tanh, check_gradients, datasets, evaluate, fit, trace
data = datasets.fashion()
net, loss = Sequential(Linear(784, 5), Tanh(), Linear(5, 10, rng=1)), SoftmaxCrossEntropy()
x, y = data.x_train[:40], data.y_train[:40]
report = check_gradients(net, loss, x[:8], y[:8])
print("match" if report.ok else report)
fit(net, loss, x, y, epochs=2, batch_size=10, lr=0.1)
trace(net, loss, x, y), evaluate(net, loss, x, y)
class Wrong(Tanh):
    def derivative(self, z, a):
        return a
print(check_gradients(Wrong(), np.ones((3, 2)))["x"].verdict)
"""
LOADS = """
import sys
import numpy
before = set(sys.modules)
{}
print(*sorted({{name.split(".")[0] for name in set(sys.modules) - before}} - set(sys.stdlib_module_names)))
"""


def loaded(statement):
    """The packages outside the standard library that a statement loads beside NumPy."""
    run = [sys.executable, "-W", "error", "-c", LOADS.format(statement)]
    names = subprocess.run(run, capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()
    # The standard library's own, named by platform, and what the compiled parts of NumPy (numpy.random) leave behind.
    return {name for name in names if not name.startswith(("_sysconfigdata", "cython_runtime", "_cython_"))}


def test_importing_bplib_loads_numpy_only():
    assert loaded("import bplib") <= {"bplib", "numpy"}
    assert loaded("from course.catalogue import exercises; exercises()") <= {"bplib", "course", "numpy"}


def test_bplib_works_where_there_is_nothing_but_numpy(tmp_path):
    """Copies of the two, and the standard library: no other package, not even those that came with Python."""
    shutil.copytree(ROOT / "bplib", tmp_path / "bplib")
    home = Path(numpy.__file__).parents[1]
    for name in ("numpy", "numpy.libs"):
        if (home / name).exists():
            (tmp_path / name).symlink_to(home / name)
    run = [sys.executable, "-I", "-S", "-W", "error", "-c", ALONE.format(folder=str(tmp_path))]
    said = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert said.stderr == ""
    assert "mismatch" in said.stdout
    assert "match" in said.stdout.splitlines()[0]


def test_a_heavy_import_is_noticed():
    assert "matplotlib" in loaded("import bplib, matplotlib")


# Budgets.


def code_lines(source):
    """Lines of code: without docstrings, comments and blank lines."""
    numbers = set()
    silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in silent:
            numbers |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            numbers -= set(range(node.lineno, node.end_lineno + 1))
    return len(numbers)


def test_the_core_stays_small():
    """What a learner reads to see how a network learns, and what measures whether it is right."""
    checker = [source for name, source in LIBRARY.items() if part_of(name) in CHECKING]
    network = [source for name, source in LIBRARY.items() if part_of(name) not in CHECKING]
    assert sum(map(code_lines, network)) < NETWORK_LINES
    assert sum(map(code_lines, checker)) < CHECKER_LINES


@pytest.mark.parametrize("name", SOURCES)
def test_every_file_stays_small(name):
    assert code_lines(SOURCES[name]) < FILE_LINES


def test_code_lines_are_counted_without_words():
    source = '"""Doc.\n\nMore.\n"""\n# comment\nx = 1  # why\n\ndef f():\n    """Doc."""\n    return """a\nb"""\n'
    assert code_lines(source) == 4
    assert code_lines("x = 1\n" * 450) >= FILE_LINES


# Docstrings.


def public_definitions(tree, inside=""):
    """Every public class, function and method of a module, with what it is called."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            yield f"{inside}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from public_definitions(node, f"{inside}{node.name}.")


def bases(tree):
    """Class -> the names of its bases, and (class, method) -> node, for one module."""
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    return {name: [base.id for base in node.bases if isinstance(base, ast.Name)] for name, node in classes.items()}


def without_docstring(source):
    """Public names that nothing explains: neither a docstring nor that of the method they override."""
    tree = ast.parse(source)
    parents = bases(tree)
    return [name for name, node in public_definitions(tree)
            if not ast.get_docstring(node) and not (("." in name) and parents.get(name.split(".")[0]))]


def refuses_without_saying(source):
    """Functions of the public face that raise, or let _require raise, and do not name an error in a docstring."""
    tree, silent = ast.parse(source), []
    for owner in [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]:
        for node in owner.body:
            if not isinstance(node, ast.FunctionDef) or (node.name.startswith("_") and node.name != "__init__"):
                continue
            words = (ast.get_docstring(node) or "") + (ast.get_docstring(owner) or "" if owner is not tree else "")
            overrides = isinstance(owner, ast.ClassDef) and owner.bases and not ast.get_docstring(node)
            if refuses(node) and "Error" not in words and (not overrides or node.name == "__init__"):
                silent.append(node.name if owner is tree else f"{owner.name}.{node.name}")
    return silent


def refuses(function):
    for node in ast.walk(function):
        if isinstance(node, ast.Raise) and node.exc is not None and "NotImplementedError" not in ast.unparse(node.exc):
            return True
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("_require.") \
                and not ast.unparse(node.func).endswith(".generator"):
            return True
    return False


@pytest.mark.parametrize("name", SOURCES)
def test_every_module_begins_with_a_sentence(name):
    assert (ast.get_docstring(ast.parse(SOURCES[name])) or "").split("\n\n")[0].endswith((".", ":", "?"))


@pytest.mark.parametrize("name", SOURCES)
def test_every_public_name_has_a_docstring(name):
    assert without_docstring(SOURCES[name]) == []


@pytest.mark.parametrize("name", [name for name in LIBRARY if name != "bplib._require"])
def test_what_refuses_says_so(name):
    assert refuses_without_saying(SOURCES[name]) == []


def states(thing, pattern):
    """Does a docstring of the thing, of a class that it builds on, or of its module say it?"""
    texts = [inspect.getdoc(cls) for cls in getattr(thing, "__mro__", [thing]) if cls is not object]
    return any(re.search(pattern, text or "") for text in texts)


SHAPES = r"Shapes: |\(n, |of shape|\(n_in, n_out\)"
SOURCE = r"Sources?: [^.]*?\b(1[6-9]|20)\d\d\b|, (Legendre|Cauchy) 1[89]\d\d"
# Definitions that nobody needs a paper for, and the checker, which is the course's own.
NO_SOURCE = {"Linear", "Sequential", "Sigmoid", "Tanh", "zeros", "constant", "normal", "check_gradients"}
THINGS = exported(Layer) | exported(Loss)


@pytest.mark.parametrize("name", THINGS)
def test_layers_and_losses_state_their_shapes(name):
    assert states(THINGS[name], SHAPES)


def test_initialisers_state_their_shapes():
    assert "(n_in, n_out)" in inspect.getdoc(init)


CHECKERS = (bplib.numerical_gradient, bplib.taylor_slopes, bplib.check_gradients)
METHODS = [*THINGS.values(), bplib.SGD, *init.RULES.values(), *CHECKERS]


@pytest.mark.parametrize("checker", CHECKERS)
def test_checkers_state_shapes_errors_and_what_they_return(checker):
    for pattern in (r"shape", r"Error", r"Returns\n-------", r"Parameters\n----------"):
        assert re.search(pattern, inspect.getdoc(checker))


@pytest.mark.parametrize("thing", METHODS, ids=lambda thing: thing.__name__)
def test_methods_name_their_source_and_its_year(thing):
    assert (thing.__name__ in NO_SOURCE) != bool(re.search(SOURCE, inspect.getdoc(thing)))


def test_a_missing_docstring_is_noticed():
    source = '''
class Bare:
    def method(self): pass
    def _private(self): pass
class Child(Bare):
    """Doc."""
    def method(self): raise ValueError("no")
    def __init__(self, x): _require.whole(x)
def function(x):
    """Doc."""
    raise TypeError("no")
def honest(x):
    """Doc. TypeError where x is wrong."""
    raise TypeError("no")
def unfinished():
    """Doc."""
    raise NotImplementedError
'''
    assert without_docstring(source) == ["Bare", "Bare.method"]
    assert refuses_without_saying(source) == ["function", "Child.__init__"]

    class Shapeless:
        """A method by somebody."""

    assert not states(Shapeless, SHAPES)
    assert not states(Shapeless, SOURCE)


# A letter has one meaning.

ACTIVATIONS = {"sigmoid", "tanh", "relu", "leaky_relu", "softmax", "activation", "f"}
CAPITALS = {"W", "X", "L"}
OTHER_NAMES = {"learning_rate": "lr", "alpha": "lr", "eta": "lr", "y_pred": "y_hat", "y_true": "y", "dz": "delta"}
THRESHOLDS = {"saturation"}  # here eps is what counts as nothing, not the step of a difference


def symbols_misused(source, other_names=frozenset(OTHER_NAMES)):
    """Names that carry another meaning than the table of notation gives them, and other names for what has one."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                found += misused_target(target, node.value)
        elif isinstance(node, ast.FunctionDef | ast.Lambda):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            name = getattr(node, "name", "lambda")
            found += [f"parameter {a.arg} of {name}" for a in arguments if a.arg in other_names]
            found += [f"parameter eps of {name}" for a in arguments if a.arg == "eps" and name not in THRESHOLDS]
            found += [f"parameter {a.arg} of {name}" for a in arguments if lone_capital(a.arg)]
            found += [f"delta as a step in {name}" for a, default in defaults(node.args)
                      if a.arg == "delta" and isinstance(default, ast.Constant) and isinstance(default.value, float)]
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found += [node.id] if lone_capital(node.id) or node.id in other_names else []
    return found


def misused_target(target, value):
    if not isinstance(target, ast.Name):
        return []
    if target.id == "z" and is_activation(value):
        return [f"z = {ast.unparse(value)}"]
    if target.id in ("delta", "eps") and isinstance(value, ast.Constant) and isinstance(value.value, float):
        return [f"{target.id} = {ast.unparse(value)}"]
    return []


def is_activation(value):
    """sigmoid(...), np.tanh(...), net.activation(...), Sigmoid().forward(...): what comes out is a."""
    if not isinstance(value, ast.Call):
        return False
    words = re.split(r"\W+", ast.unparse(value.func).lower())
    return words[-1] in ACTIVATIONS or (words[-1] == "forward" and bool(ACTIVATIONS & set(words)) and "linear" not in words)


def lone_capital(name):
    return len(name) == 1 and name.isupper() and name not in CAPITALS


def defaults(arguments):
    positional = [*arguments.posonlyargs, *arguments.args]
    with_default = positional[len(positional) - len(arguments.defaults):]
    return [*zip(with_default, arguments.defaults), *zip(arguments.kwonlyargs, arguments.kw_defaults)]


def code_cells(text):
    """The Python of a chapter's code cells, without their options and magics."""
    cells = re.findall(r"^```+\{code-cell\}.*?\n(.*?)^```+$", text, flags=re.MULTILINE | re.DOTALL)
    lines = ["\n".join(line for line in cell.splitlines() if not line.startswith((":", "%", "!"))) for cell in cells]
    return "\n".join(lines)


LESSONS = {str(path.relative_to(ROOT)): path for path in sorted((ROOT / "course").glob("ch*/*.md"))}


@pytest.mark.parametrize("name", [name for name in SOURCES if part_of(name) != "grading" and ".bank" not in name])
def test_a_letter_has_one_meaning_in_bplib(name):
    assert symbols_misused(SOURCES[name]) == []


@pytest.mark.parametrize("name", LESSONS)
def test_a_letter_has_one_meaning_in_the_chapters(name):
    # A chapter may show how others write, so other names for a thing are allowed there; other meanings are not.
    assert symbols_misused(code_cells(LESSONS[name].read_text(encoding="utf-8")), other_names=()) == []


def test_code_in_a_chapter_fits_on_the_page():
    wide = [f"{name}: {line}" for name, path in LESSONS.items()
            for line in code_cells(path.read_text(encoding="utf-8")).splitlines() if len(line) > PAGE]
    assert wide == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("z = sigmoid(x @ W + b)", 1),
        ("z = np.tanh(x)", 1),
        ("z = Sigmoid().forward(x)", 1),
        ("z = relu.forward(x)", 1),
        ("def slope(f, x, eps=1e-6): pass", 1),
        ("eps = 1e-6", 1),
        ("def slope(f, x, delta=1e-6): pass", 1),
        ("delta = 1e-6", 1),
        ("A = np.tanh(z)", 1),
        ("for J in range(3): pass", 1),
        ("lambda Z: Z + 1", 1),
        ("def step(learning_rate): pass", 1),
        ("y_pred = net.forward(x)", 1),
        ("z = x @ W + b\na = sigmoid(z)\ndelta = da * a * (1 - a)\nL = loss.forward(a, y)\nz = linear.forward(x)", 0),
        ("def slope(f, x, h=1e-6): pass\ndef saturation(self, eps=0.01): pass\nz = z - z.max()", 0),
        ("def forward(self, x): return x\nz = Linear(2, 3).forward(x)", 0),
    ],
)
def test_a_misused_symbol_is_noticed(source, found):
    assert len(symbols_misused(source)) == found


def test_code_cells_are_read_as_python():
    text = "words\n```{code-cell}\n:tags: [check]\n%time\nz = tanh(x)\n```\nmore\n````{code-cell} python\ny = 1\n````\n"
    assert code_cells(text).split("\n") == ["z = tanh(x)", "y = 1"]
    assert symbols_misused(code_cells(text)) == ["z = tanh(x)"]


# What the repository may not say. The patterns are put together here, so that this file does not hold them itself.

PATTERNS = {
    "a path of somebody's machine": "|".join(["/wo" + r"rk/\w", "/ro" + r"ot/\w", "/ho" + r"me/(?!jovyan)\w+/", "/tm" + r"p/\w"]),
    "the address of a package registry": "|".join(
        host.replace(".", r"\.") for host in ("py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "deb." + "debian.org")
    ),
    "an address to install from": "|".join(["index" + r"-url", "find" + r"-links", r"trusted" + r"-host", r"\.w" + r"hl\b"]),
    "work left to do": "|".join(rf"\b{a}{b}\b" for a, b in (("TO", "DO"), ("FIX", "ME"), ("X", "XX"), ("HA", "CK"))),
    "an issue by its number": r"\bis" + r"sue #?\d",
}


def tracked():
    """The text of every tracked file, by path; of pictures and archives only what reads as text."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [ROOT / name for name in listed.split("\0") if name]
    return {str(path.relative_to(ROOT)): path for path in paths if path.is_file()}


def says(text, pattern):
    """What a text says that it may not. Encoded pictures in notebooks are left out: they could say anything."""
    text = re.sub(r"[A-Za-z0-9+/=\\n]{200,}", "", text)
    return [match.group() for match in re.finditer(pattern, text)]


@pytest.mark.parametrize("what", PATTERNS)
def test_no_tracked_file_holds(what):
    found = {}
    for name, path in tracked().items():
        words = says(path.read_bytes().decode("utf-8", errors="ignore"), PATTERNS[what])
        if words and path.suffix not in (".npz", ".png"):
            found[name] = words
    assert found == {}


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a path of somebody's machine", "see /ro" + "ot/x.py"),
        ("a path of somebody's machine", "/ho" + "me/ada/course"),
        ("a path of somebody's machine", "in /wo" + "rk/main"),
        ("the address of a package registry", "https://py" + "pi.org/simple"),
        ("an address to install from", "pip install --index" + "-url=x"),
        ("an address to install from", "numpy-2.w" + "hl"),
        ("work left to do", "# TO" + "DO: later"),
        ("an issue by its number", "as is" + "sue 12 says"),
    ],
)
def test_a_forbidden_word_is_noticed(what, text):
    assert says(text, PATTERNS[what])
    assert says("plain words, /usr/share/datasets, {work}/x", PATTERNS[what]) == []


def test_tracked_files_are_found():
    assert {"pyproject.toml", "bplib/__init__.py", "LICENSE"} <= set(tracked())
