"""What a cell or an answer can do to the computer that runs it: never end, take everything, die, stay behind, look around."""

from tests.hostile.corpus import MARKER, RIGHT_SIGMOID, ROOT, SECRET, add, replace, submission


@submission("an endless loop in a cell", lost="sigmoid", says="sigmoid.*(time|second|stopped)", seconds=0.5)
def loop_in_a_cell(notebook, path):
    replace(notebook, "sigmoid", f"while True:\n    pass\ndef sigmoid(z):\n    return {RIGHT_SIGMOID}")


@submission("an endless loop in an answer", lost="sigmoid", says="sigmoid.*(time|second|stopped)", seconds=0.5)
def loop_in_an_answer(notebook, path):
    replace(notebook, "sigmoid", "def sigmoid(z):\n    while True:\n        pass")


@submission("a loop that no interrupt ends", lost="distance", says="distance.*(time|second|stopped)", seconds=0.5)
def stubborn_loop(notebook, path):
    replace(notebook, "distance", "def distance(x, w, b):\n    while True:\n        try:\n            while True:\n"
                                  "                pass\n        except BaseException:\n            pass")


@submission("a loop in C", says="(time|second|stopped)", seconds=0.5)
def loop_in_c(notebook, path):
    add(notebook, "import collections, itertools\ncollections.deque(itertools.repeat(0), maxlen=0)", before="accuracy")


@submission("an endless loop in __del__, and one at an import", says="(time|second|stopped)", seconds=0.5)
def loop_in_del(notebook, path):
    add(notebook, "class Endless:\n    def __del__(self):\n        while True:\n            pass\nendless = Endless()\n"
                  "del endless", before="sigmoid")
    add(notebook, "import pathlib, sys\npathlib.Path('endless.py').write_text('while True: pass')\nsys.path.insert(0, '.')\n"
                  "import endless", before="distance")


@submission("an answer that sleeps for days", lost="accuracy", says="accuracy.*(time|second|stopped)", seconds=0.5)
def sleeper(notebook, path):
    replace(notebook, "accuracy", "import time\ndef accuracy(x, w, b, y):\n    time.sleep(10**6)")


@submission("a kernel that stops itself", lost="sigmoid", says="sigmoid.*(time|second|stopped)", seconds=0.5)
def stops_itself(notebook, path):
    replace(notebook, "sigmoid", "import os, signal\ndef sigmoid(z):\n    os.kill(os.getpid(), signal.SIGSTOP)\n"
                                 f"    return {RIGHT_SIGMOID}")


@submission("a fork bomb", lost="sigmoid", says="sigmoid")
def fork_bomb(notebook, path):
    add(notebook, """import os, time
born = 0
try:
    while born < 200:
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
        born += 1
except OSError:
    pass""", before="sigmoid")
    replace(notebook, "sigmoid", f"def sigmoid(z):\n    return {RIGHT_SIGMOID} if born == 200 else z")


@submission("a memory hog", lost="accuracy", says="accuracy.*[Mm]emory")
def memory_hog(notebook, path):
    replace(notebook, "accuracy", "def accuracy(x, w, b, y):\n    hog = [np.zeros(2**24) for _ in range(24)]\n"
                                  "    return np.mean((x @ w + b > 0) == (y == 1))")
    add(notebook, "hog = [np.zeros(2**24) for _ in range(24)]", before="distance")


@submission("100 MB of output from a cell")
def output_of_a_cell(notebook, path):
    add(notebook, "for _ in range(1000):\n    print('x' * 100_000)", before="sigmoid")


@submission("100 MB of output past Python, and 30 MB from an answer")
def output_past_python(notebook, path):
    add(notebook, "import os\nfor _ in range(500):\n    os.write(1, b'x' * 100_000)\n    os.write(2, b'x' * 100_000)",
        before="sigmoid")
    replace(notebook, "sigmoid", f"def sigmoid(z):\n    print('x' * 10_000_000)\n    return {RIGHT_SIGMOID}")


@submission("a file of 400 MB")
def big_file(notebook, path):
    add(notebook, f"with open('{MARKER}', 'wb') as file:\n    for _ in range(400):\n        file.write(bytes(10**6))",
        before="sigmoid")


@submission("os._exit in a cell, and in an answer", lost="sigmoid", says="sigmoid.*(died|ended|kernel|process)")
def leaves(notebook, path):
    add(notebook, "import os\nos._exit(0)", before="one_example")
    replace(notebook, "sigmoid", "import os\ndef sigmoid(z):\n    os._exit(1)")


@submission("sys.exit in a cell, in an answer, and as an error", lost="sigmoid distance", says="sigmoid.*SystemExit")
def exits(notebook, path):
    add(notebook, "import sys\nsys.exit()", before="one_example")
    add(notebook, "exit()", before="accuracy")
    replace(notebook, "sigmoid", "def sigmoid(z):\n    exit()")
    replace(notebook, "distance", "def distance(x, w, b):\n    raise SystemExit(0)")


@submission("an answer that crashes Python", lost="distance", says="distance.*(died|ended|kernel|process)")
def crashes(notebook, path):
    replace(notebook, "distance", "import ctypes\ndef distance(x, w, b):\n    ctypes.string_at(0)")


@submission("a cell that kills its parent")
def kills_its_parent(notebook, path):
    add(notebook, "import os, signal\nif os.getppid() > 1:\n    os.kill(os.getppid(), signal.SIGKILL)", before="sigmoid")


@submission("a cell that closes every file")
def closes_files(notebook, path):
    add(notebook, "import os\nos.closerange(3, 512)", before="sigmoid")


@submission("closed streams")
def closes_streams(notebook, path):
    add(notebook, "import os, sys\nsys.stdout.close()\nsys.stderr.close()\nsys.__stdout__.close()\nos.close(1)\nos.close(2)",
        before="sigmoid")


@submission("a kernel that will not go")
def will_not_go(notebook, path):
    add(notebook, """import atexit, signal, threading, time
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}:
    signal.signal(number, signal.SIG_IGN)
def stay():
    end = time.time() + 120
    while time.time() < end:
        pass
atexit.register(stay)
threading.Thread(target=stay).start()""", before="sigmoid")


@submission("processes left behind", contained=True)
def left_behind(notebook, path):
    add(notebook, f"""import os, subprocess, sys
command = [sys.executable, "-c", "import time; time.sleep(120)", "{MARKER}"]
subprocess.Popen(command, start_new_session=True, cwd="/")
if os.fork() == 0:
    os.setsid()
    subprocess.Popen(command, cwd="/")
    os._exit(0)""", before="sigmoid")
    add(notebook, f"%%bash --bg\nexec -a {MARKER} sleep 120", before="distance")
    add(notebook, f"!(sleep 120; echo {MARKER}) > /dev/null 2>&1 &", before="distance")


@submission("threads left running")
def threads(notebook, path):
    add(notebook, """import threading, time
def busy():
    end = time.time() + 120
    while time.time() < end:
        sum(range(1000))
for _ in range(3):
    threading.Thread(target=busy, daemon=True).start()""", before="sigmoid")


@submission("input() in a cell, and in an answer", lost="sigmoid", says="sigmoid.*[Ii]nput")
def asks(notebook, path):
    add(notebook, "name = input('Your name: ')", before="one_example")
    replace(notebook, "sigmoid", f"def sigmoid(z):\n    input()\n    return {RIGHT_SIGMOID}")


@submission("plots everywhere")
def plots(notebook, path):
    add(notebook, "import matplotlib.pyplot as plt\nfor k in range(30):\n    plt.figure()\n    plt.plot([0, k])",
        before="sigmoid")
    replace(notebook, "sigmoid", "def sigmoid(z):\n    plt.figure()\n    plt.plot([0, 1])\n    plt.show()\n"
                                 f"    return {RIGHT_SIGMOID}")


@submission("warnings as output")
def warns(notebook, path):
    add(notebook, "import sys, warnings\nwarnings.simplefilter('always')\nnp.log(np.zeros(3))\nprint('careful', file=sys.stderr)",
        before="sigmoid")
    replace(notebook, "sigmoid", "def sigmoid(z):\n    warnings.warn('sigmoid is deprecated', DeprecationWarning)\n"
                                 "    print('careful', file=sys.stderr)\n    return 1 / (1 + np.exp(-z))")


@submission("global state left changed")
def state(notebook, path):
    add(notebook, """import builtins, gc, locale, os, random, signal, sys, warnings
np.seterr(all="raise")
np.random.seed(0)
random.seed(0)
np.set_printoptions(precision=1, threshold=2)
locale.setlocale(locale.LC_ALL, "C")
os.chdir("/")
os.environ.clear()
os.umask(0o777)
sys.path.clear()
sys.excepthook = sys.displayhook = lambda *problem: 1 / 0
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
warnings.simplefilter("error")
gc.disable()""", before="one_example")
    replace(notebook, "sigmoid", "def sigmoid(z):\n    return 1 / (1 + np.exp(-z))")


@submission("modules with the names of others beside the notebook")
def modules_beside(notebook, path):
    for name in ("numpy", "json", "bplib", "course", "IPython", "sitecustomize"):
        path.with_name(f"{name}.py").write_text("raise ImportError('not this one')\n")
    add(notebook, "%%writefile numpy.py\nraise ImportError('not this one')", before="sigmoid")
    add(notebook, "%%writefile json.py\nraise ImportError('not this one')", before="sigmoid")
    add(notebook, "import os\nos._exit(1)", before="distance")


@submission("a cell that deletes its own files")
def deletes(notebook, path):
    add(notebook, "import os, shutil\nif not os.path.exists('bplib') and not os.path.exists('.git') and os.getcwd() != '/':\n"
                  "    shutil.rmtree(os.getcwd(), ignore_errors=True)", before="sigmoid")


@submission("files written everywhere", contained=True)
def litter(notebook, path):
    add(notebook, f"""import pathlib
home = pathlib.Path.home()
for folder in ("..", "../..", "/tmp", "/var/tmp", "/dev/shm", home, "{path.parent}", "{ROOT}", "{ROOT}/bplib", "{ROOT}/course"):
    try:
        pathlib.Path(folder, "{MARKER}").write_text("was here")
    except OSError:
        pass""", before="sigmoid")


@submission("an answer from the references", lost="one_example sigmoid sigmoid_slope distance accuracy")
def references(notebook, path):
    replace(notebook, "one_example", "from course.catalogue import find\none_example = find('neuron.one_example').reference")
    replace(notebook, "sigmoid", "from course.ch01_neuron.bank import sigmoid")
    replace(notebook, "sigmoid_slope", "import gc\nsigmoid_slope = next(o.reference for o in gc.get_objects() "
                                       "if getattr(o, 'id', None) == 'neuron.sigmoid_slope')")
    replace(notebook, "distance", """import sys
def distance(x, w, b):
    frame = sys._getframe()
    while frame := frame.f_back:
        for value in frame.f_locals.values():
            if hasattr(value, "reference"):
                return value.reference(x, w, b)""")
    replace(notebook, "accuracy", """import os, sys
def accuracy(x, w, b, y):
    loaded = [module for name, module in sys.modules.items() if name.startswith("course.ch01_neuron.bank")]
    return loaded[0].accuracy(x, w, b, y)""")


@submission("an answer from the teacher's files", lost="sigmoid distance", contained=True)
def teachers_files(notebook, path):
    add(notebook, f"""import json, os, pathlib
import bplib
def looted(name):
    for root in ({str(ROOT)!r}, pathlib.Path(bplib.__file__).parents[1], os.environ.get("PYTHONPATH", ""), "..", "../.."):
        for file in pathlib.Path(root, "solutions").rglob("01_neuron.ipynb"):
            for cell in json.loads(file.read_text())["cells"]:
                if f"def {{name}}(" in "".join(cell["source"]):
                    return "".join(cell["source"])
    return f"{{name}} = ..."
""", before="sigmoid")
    replace(notebook, "sigmoid", "exec(looted('sigmoid'))")
    replace(notebook, "distance", "exec(looted('distance'))")


@submission("a look into the grader's memory and environment", lost="sigmoid distance", contained=True)
def memory_of_the_grader(notebook, path):
    add(notebook, f"""import os, pathlib
def environments():
    yield repr(dict(os.environ)).encode()
    for file in pathlib.Path("/proc").glob("[0-9]*/environ"):
        try:
            yield file.read_bytes()
        except OSError:
            pass
def parents_memory():
    parent = os.getppid()
    try:
        for line in open(f"/proc/{{parent}}/maps"):
            if "[heap]" in line:
                with open(f"/proc/{{parent}}/mem", "rb", 0) as memory:
                    memory.seek(int(line.split("-")[0], 16))
                    return len(memory.read(4096)) == 4096 and b"python" in open(f"/proc/{{parent}}/cmdline", "rb").read()
    except OSError:
        pass
    return False
secret = "{SECRET[:8]}" "{SECRET[8:]}"
seen, read = any(secret.encode() in text for text in environments()), parents_memory()""", before="sigmoid")
    replace(notebook, "sigmoid", f"def sigmoid(z):\n    return {RIGHT_SIGMOID} if seen else z")
    replace(notebook, "distance", "def distance(x, w, b):\n    return (x @ w + b) / np.linalg.norm(w) if read else x @ w")


@submission("an answer from another learner's submission", lost="sigmoid", contained=True)
def copied(notebook, path):
    other = path.parent.parent / "somebody" / "answers.txt"
    other.parent.mkdir(exist_ok=True)
    other.write_text(f"def sigmoid(z):\n    return {RIGHT_SIGMOID}\n")
    replace(notebook, "sigmoid", f"exec(open({str(other)!r}).read())")
