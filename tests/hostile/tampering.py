"""What happens to a notebook, by accident or with intent: cells lost, doubled, edited; the checks and their tools replaced."""

import base64

from nbformat import v4

from tests.hostile.corpus import RIGHT_SIGMOID, WRONG_SIGMOID, add, answer, checking, replace, submission


@submission("solved, and nothing else", says="16 of 16")
def honest(notebook, path):
    pass


@submission("half solved", lost="sigmoid distance", says="sigmoid")
def half_solved(notebook, path):
    replace(notebook, "sigmoid", WRONG_SIGMOID)
    replace(notebook, "distance", "def distance(x, w, b):\n    # Your code here.\n    ...")


@submission("check cells deleted", lost="sigmoid", says="(missing|deleted|not there|restored)")
def checks_deleted(notebook, path):
    replace(notebook, "sigmoid", WRONG_SIGMOID)
    notebook.cells = [cell for cell in notebook.cells if not cell.metadata.get("nbgrader", {}).get("grade")]


@submission("answer cells deleted", lost="sigmoid distance", says="sigmoid.*([Nn]ot attempted|missing|deleted|Nothing)")
def answers_deleted(notebook, path):
    gone = [answer(notebook, "sigmoid"), answer(notebook, "distance"), checking(notebook, "distance")]
    notebook.cells = [cell for cell in notebook.cells if cell not in gone]


@submission("an answer cell made a markdown cell, another a raw one", lost="sigmoid distance")
def answers_in_prose(notebook, path):
    for name, make in (("sigmoid", v4.new_markdown_cell), ("distance", v4.new_raw_cell)):
        cell = answer(notebook, name)
        notebook.cells[notebook.cells.index(cell)] = make(cell.source, id=cell.id, metadata=cell.metadata)


@submission("every cell pasted twice")
def cells_doubled(notebook, path):
    notebook.cells = [cell for cell in notebook.cells for _ in range(2)]


@submission("a draft and the answer, with one id")
def draft_and_answer(notebook, path):
    for name, draft in (("sigmoid", WRONG_SIGMOID), ("distance", "def distance(x, w, b):\n    raise NotImplementedError")):
        cell = answer(notebook, name)
        notebook.cells.insert(notebook.cells.index(cell), v4.new_code_cell(draft, id=cell.id, metadata=cell.metadata))


@submission("a renamed notebook")
def renamed(notebook, path):
    path = path.with_name("-Übung 1 (copy) $(touch x) 'final'.ipynb")
    path.write_text(v4.writes(notebook), encoding="utf-8")
    return path


@submission("edited check cells", lost="sigmoid distance", says="sigmoid.*(edited|changed|restored)")
def checks_edited(notebook, path):
    replace(notebook, "sigmoid", WRONG_SIGMOID)
    replace(notebook, "distance", "def distance(x, w, b):\n    return x @ w + b")
    checking(notebook, "sigmoid").source = "16.0"
    checking(notebook, "distance").source = 'check("neuron.sigmoid_slope", sigmoid_slope)'
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            cell.metadata.nbgrader.points = 100


@submission("`check` replaced, and its outputs forged", lost="sigmoid")
def check_replaced(notebook, path):
    replace(notebook, "sigmoid", WRONG_SIGMOID + "\ndef check(id, answer):\n    return 16.0")
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            data = {"text/plain": "16.0", "text/html": "Correct"}
            cell.outputs, cell.execution_count = [v4.new_output("execute_result", data=data, execution_count=1)], 1


@submission("NumPy patched", lost="sigmoid")
def numpy_patched(notebook, path):
    replace(notebook, "sigmoid", WRONG_SIGMOID + """
def yes(*arguments, **settings):
    return True
np.allclose = np.array_equal = np.isclose = np.testing.assert_allclose = np.array_equiv = yes
np.asarray = np.array = np.ascontiguousarray = lambda value, *arguments, **settings: value
np.abs = np.absolute = lambda value: 0 * value
np.random.default_rng = lambda seed=None: None""")


@submission("the packages patched", lost="sigmoid")
def packages_patched(notebook, path):
    replace(notebook, "sigmoid", WRONG_SIGMOID + """
import contextlib
import sys
for module in [module for name, module in sys.modules.items() if module and name.startswith(("bplib", "course"))]:
    for name, value in list(vars(module).items()):
        if callable(value):
            with contextlib.suppress(Exception):
                setattr(module, name, lambda *arguments, **settings: 16.0)
with contextlib.suppress(ImportError):
    import course.grading.compare
    import course.grading.core
    course.grading.compare.difference = course.grading.core.difference = lambda *arguments: None
    course.grading.core.Exercise.judge = lambda self, answer, seed=None: self.points""")


@submission("builtins patched", lost="sigmoid", says="sigmoid")
def builtins_patched(notebook, path):
    replace(notebook, "sigmoid", WRONG_SIGMOID)
    add(notebook, """import builtins
builtins.isinstance = lambda value, kinds: True
builtins.len = lambda value: 1
builtins.all = builtins.any = builtins.bool = lambda *values: True
builtins.float = builtins.abs = lambda value=0: 0.5""")


@submission("the tools of messages patched", lost="sigmoid")
def messages_patched(notebook, path):
    replace(notebook, "sigmoid", WRONG_SIGMOID + """
import base64, json, os, pickle, socket, struct, sys
forged = '{"id": "neuron.sigmoid", "verdict": "correct", "points": 16, "ok": true, "value": 1.0}'
json.dumps = json.JSONEncoder.encode = lambda *arguments, **settings: forged
json.dump = lambda value, file, *arguments, **settings: file.write(forged)
json.loads = lambda *arguments, **settings: {"ok": True, "points": 16}
pickle.dumps = struct.pack = base64.b64encode = lambda *arguments, **settings: forged.encode()
print(forged)
print(forged, file=sys.stderr)
for number in (1, 2):
    os.write(number, forged.encode() + b"\\n")""")


@submission("an input transformer", lost="sigmoid", says="sigmoid")
def transformer(notebook, path):
    add(notebook, """shell = get_ipython()
forged = ["16.0\\n"]
shell.input_transformers_cleanup.append(lambda lines: forged)
shell.input_transformers_post.append(lambda lines: forged)""")
    replace(notebook, "sigmoid", WRONG_SIGMOID)


@submission("IPython's hooks patched", lost="sigmoid", says="sigmoid")
def hooks(notebook, path):
    add(notebook, """import ast, sys
shell = get_ipython()
class Rewrite(ast.NodeTransformer):
    def visit_Name(self, node):
        return ast.Name("forged", node.ctx)
def fail(*arguments, **settings):
    raise RuntimeError("no more cells")
forged = 16.0
shell.ast_transformers.append(Rewrite())
shell.events.register("pre_run_cell", fail)
shell.run_cell = shell.run_cell_async = shell.user_expressions = fail
shell.set_custom_exc((Exception,), fail)
sys.settrace(lambda *arguments: None)
sys.setprofile(lambda *arguments: None)""")
    replace(notebook, "sigmoid", WRONG_SIGMOID)


@submission("metadata and ids lost")
def metadata_lost(notebook, path):
    for number, cell in enumerate(notebook.cells):
        cell.metadata = {}
        cell.id = f"cell-{number}"
    notebook.metadata = {}


@submission("the answers in another order")
def other_order(notebook, path):
    graded = [cell for cell in notebook.cells if cell.metadata.get("nbgrader")]
    places = [notebook.cells.index(cell) for cell in graded]
    pairs = list(zip(graded[::2], graded[1::2]))
    for place, cell in zip(places, (cell for pair in reversed(pairs) for cell in pair)):
        notebook.cells[place] = cell


@submission("an answer's name used again after its check")
def name_used_again(notebook, path):
    notebook.cells.insert(notebook.cells.index(checking(notebook, "sigmoid")) + 1, v4.new_code_cell("sigmoid = sigmoid(0.0)"))
    add(notebook, "del distance, accuracy")


@submission("conflict markers, a syntax error, a missing package", lost="sigmoid distance", says="sigmoid.*SyntaxError")
def broken_cells(notebook, path):
    replace(notebook, "sigmoid", f"<<<<<<< HEAD\n{WRONG_SIGMOID}\n=======\n"
                                 f"def sigmoid(z):\n    return {RIGHT_SIGMOID}\n>>>>>>> mine")
    replace(notebook, "distance", "def distance(x, w, b)\n    return (x @ w + b) / np.linalg.norm(w)")
    add(notebook, "import no_such_package", before="accuracy")


@submission("an answer behind base64, another with Greek letters")
def dressed_up(notebook, path):
    code = base64.b64encode(answer(notebook, "distance").source.encode()).decode()
    replace(notebook, "distance", f"import base64\nexec(base64.b64decode('{code}'))")
    replace(notebook, "sigmoid", "def sigmoid(ζ):\n    ½ = 0.5\n    return ½ * (1 + np.tanh(ζ / 2))".replace("½", "μισό"))
    replace(notebook, "accuracy", "%%time\n" + answer(notebook, "accuracy").source)


@submission("5,000 cells")
def many_cells(notebook, path):
    cells = [v4.new_code_cell("" if k % 50 else f"{k}") if k % 2 else v4.new_markdown_cell(f"Note {k}") for k in range(5000)]
    notebook.cells[3:3] = cells


@submission("outputs of 50 MB")
def big_notebook(notebook, path):
    checking(notebook, "sigmoid").outputs = [v4.new_output("stream", text="x" * 10**6 + "\n") for _ in range(50)]
