"""Builds the notebooks from the text of the chapters: `python -m tools.build [CHAPTER] [--check]`.

    course/chNN_name/lesson.md     -> notebooks/NN_name.ipynb, executed
    course/chNN_name/page.md       -> notebooks/NN_page.ipynb, executed
    course/chNN_name/exercises.md  -> solutions/NN_name/NN_name.ipynb -> exercises/NN_name/NN_name.ipynb (by nbgrader)

What is up to date is not built again: `.build/record.json` holds, for each notebook, a hash of everything that it was
built from and a hash of what came out. Without that file everything is built, and what is written is what differs.
"""

import argparse
import difflib
import hashlib
import json
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import nbformat
from tqdm import tqdm

from tools import readme, release, source
from tools.execute import ExecutionError, execute, keep_stable

REPOSITORY = Path(__file__).parents[1]
RECORD = Path(".build", "record.json")
README = "README.md"
MAKERS = ("ipykernel", "ipywidgets", "jupytext", "matplotlib", "nbformat", "nbgrader", "numpy")
LONGEST_DIFF = 12


@dataclass(frozen=True)
class Job:
    """One source file and the notebooks that it builds, as paths under the root."""

    chapter: source.Chapter
    kind: str
    page: Path | None = None

    @property
    def text(self):
        return {"lesson": self.chapter.lesson, "exercises": self.chapter.exercises, "page": self.page}[self.kind]

    @property
    def targets(self):
        name = self.chapter.name
        if self.kind == "page":
            return (f"notebooks/{source.page_name(self.chapter, self.page)}.ipynb",)
        if self.kind == "lesson":
            return (f"notebooks/{name}.ipynb",)
        return (f"solutions/{name}/{name}.ipynb", f"exercises/{name}/{name}.ipynb")

    def read(self, catalogue):
        """The unexecuted notebook. Cheap, so that all mistakes in sources are found before anything is executed."""
        if self.kind == "page":
            return source.page(self.chapter, self.page)
        return source.lesson(self.chapter) if self.kind == "lesson" else source.solutions(self.chapter, catalogue)

    def make(self, notebook, folder, on_cell, run=True):
        """The finished notebooks as text, one for each target; without outputs where the notebook is not to `run`."""
        if self.kind != "exercises":
            if run:
                execute(notebook, self.targets[0], folder, on_cell)
            keep_stable(notebook)
            return (canonical(notebook),)
        return canonical(notebook), canonical(release.exercises(self.chapter.name, notebook))


def canonical(notebook):
    """A notebook as text: valid, keys sorted, one line for each line of a cell, a newline at the end."""
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def jobs(root, only=""):
    """What there is to build; only chapters whose name starts with `only`."""
    chosen = [chapter for chapter in source.chapters(root) if chapter.name.startswith(only)]
    if not chosen:
        names = ", ".join(chapter.name for chapter in source.chapters(root))
        raise FileNotFoundError(f"No chapter's name starts with {only!r}; the chapters are {names}.")
    found = []
    for chapter in chosen:
        found += [Job(chapter, "lesson"), *(Job(chapter, "page", page) for page in chapter.pages)]
        found += [Job(chapter, "exercises")] if chapter.exercises.exists() else []
    return found


def build(root, only="", into=None, catalogue=None, show=False, run=True):
    """Build what is out of date, and write only what differs.

    Parameters
    ----------
    root : the folder that holds course/.
    only : the beginning of a chapter's name.
    into : another folder for the results; then everything is built, whatever the record says.
    catalogue : where exercises come from, see `source.solutions`.
    show : a progress bar? run : execute the lessons? Only where the results go into another folder.

    Returns
    -------
    built, written : the targets that were built, and those whose file was changed.
    """
    into = root if into is None else into
    record = _read_record(root) if into == root else {}
    shared = _shared_inputs()
    stale = []
    for job in jobs(root, only):
        if job.kind == "lesson":
            source.check_formulas(job.chapter)
        inputs = _hash(shared, job.text.read_bytes())
        if any(record.get(target) != [inputs, _hash_file(into / target)] for target in job.targets):
            stale.append((job, inputs, job.read(catalogue)))
    cells = sum(len(notebook.cells) for _, _, notebook in stale)
    built, written = [], []
    with tqdm(total=cells, unit="cell", disable=not show) as bar:
        for job, inputs, notebook in stale:
            bar.set_description(job.targets[0])
            start, count = bar.n, len(notebook.cells)
            folder = into / Path(job.targets[0]).parent
            folder.mkdir(parents=True, exist_ok=True)
            for target, text in zip(job.targets, job.make(notebook, folder, bar.update, run), strict=True):
                path = into / target
                built.append(target)
                if _hash_file(path) != _hash(text.encode()):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(text, encoding="utf-8", newline="\n")
                    written.append(target)
                record[target] = [inputs, _hash(text.encode())]
            if into == root:
                _write_record(root, record)
            bar.update(start + count - bar.n)
    if into == root and _renew_readme(root):
        written.append(README)
    return built, written


def _renew_readme(root):
    """Write the table of the chapters into the README; says whether that changed it."""
    path = root / README
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    new = readme.renewed(text, root)
    if new != text:
        path.write_text(new, encoding="utf-8", newline="\n")
    return new != text


def drift(root, only="", catalogue=None, show=False, run=True):
    """How the built files differ from what their sources build, as lines for people; empty where they do not.

    Sources and text outputs are compared exactly. Of a picture only its presence counts, since fonts and their
    rasterisers differ between machines. Without `run`, nothing is executed, and outputs of lessons are not compared.
    """
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        built, _ = build(root, only, into=fresh, catalogue=catalogue, show=show, run=run)
        lines = [line for target in built for line in compare(root / target, fresh / target, target, run)]
    if (root / README).exists():
        text = (root / README).read_text(encoding="utf-8")
        lines += [f"{README}: its table of the chapters differs"] if readme.renewed(text, root) != text else []
    if not only:
        expected = set(built)
        for pattern in ("notebooks/[0-9][0-9]_*.ipynb", "solutions/*/*.ipynb", "exercises/*/*.ipynb"):
            # An exercise notebook is called as its folder; others there are a learner's copies.
            built_here = (path for path in root.glob(pattern) if path.parent.name in ("notebooks", path.stem))
            orphans = {path.relative_to(root).as_posix() for path in built_here} - expected
            lines += [f"{orphan}: no chapter builds this file" for orphan in sorted(orphans)]
    return lines


def compare(there, fresh, name, outputs=True):
    """The differences between a built file and a freshly built one, as lines; with or without those of outputs."""
    if not there.exists():
        return [f"{name}: missing"]
    old, new = (json.loads(path.read_text(encoding="utf-8")) for path in (there, fresh))
    if len(old["cells"]) != len(new["cells"]):
        return [f"{name}: {len(old['cells'])} cells, its source builds {len(new['cells'])}"]
    lines = []
    for a, b in zip(old["cells"], new["cells"], strict=True):
        lines += [f"{name}, cell {b['id']}: {part} differs\n{_diff(x, y)}" for part, x, y in _parts(a, b, outputs) if x != y]
    rest = [{key: value for key, value in notebook.items() if key != "cells"} for notebook in (old, new)]
    if rest[0] != rest[1]:
        lines.append(f"{name}: notebook metadata differs\n{_diff(*map(_pretty, rest))}")
    return lines


def _parts(a, b, outputs):
    shown = [_pretty([_without_pixels(output) for output in cell.get("outputs", [])]) for cell in (a, b)]
    apart = ("source", "outputs") if outputs else ("source", "outputs", "execution_count")
    others = [_pretty({key: value for key, value in cell.items() if key not in apart}) for cell in (a, b)]
    return (("source", _text(a), _text(b)), *([("output", *shown)] if outputs else []), ("metadata", *others))


def _text(cell):
    return "".join(cell["source"])


def _without_pixels(output):
    data = {kind: "a picture" if kind.startswith("image/") else value for kind, value in output.get("data", {}).items()}
    return output | ({"data": data} if data else {})


def _pretty(value):
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)


def _diff(old, new):
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), "committed", "built", n=0, lineterm=""))
    more = [f"    ... and {len(lines) - LONGEST_DIFF} lines more"] if len(lines) > LONGEST_DIFF else []
    return "\n".join([f"    {line}" for line in lines[:LONGEST_DIFF]] + more)


def _shared_inputs():
    """A hash of what every notebook depends on: the packages with their data, the build tool, and the makers' versions."""
    files = [
        *(REPOSITORY / "bplib").rglob("*.py"),
        *(REPOSITORY / "course").rglob("*.py"),
        *(REPOSITORY / "bplib" / "data").glob("*.npz"),
        *(REPOSITORY / "tools" / f"{name}.py" for name in ("build", "execute", "release", "source")),
        release.CONFIG,
    ]
    versions = [f"{name} {version(name)}" for name in MAKERS] + [f"python {sys.version_info[:2]}"]
    return _hash(
        *(part for file in sorted(files) for part in (file.name.encode(), file.read_bytes())),
        *map(str.encode, versions),
    )


def _hash(*parts):
    digest = hashlib.sha256()
    for part in parts:
        part = part if isinstance(part, bytes) else part.encode()
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _hash_file(path):
    return _hash(path.read_bytes()) if path.exists() else None


def _read_record(root):
    try:
        record = json.loads((root / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # the record only saves time; without it everything is built
    return record if isinstance(record, dict) else {}


def _write_record(root, record):
    path = root / RECORD
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m tools.build", description="Build the notebooks.")
    parser.add_argument("chapter", nargs="?", default="", help="the beginning of a chapter's name, such as 01; all by default")
    parser.add_argument("--check", action="store_true", help="write nothing; say which built files differ from their sources")
    options = parser.parse_args(arguments)
    try:
        if options.check:
            lines = drift(REPOSITORY, options.chapter, show=True)
            print("\n".join([*lines, "Run `make build`, and commit what it writes."] if lines else ["Everything is up to date."]))
            return 1 if lines else 0
        built, written = build(REPOSITORY, options.chapter, show=True)
    except (source.SourceError, ExecutionError, FileNotFoundError, RuntimeError) as problem:
        print(problem, file=sys.stderr)
        return 1
    print("\n".join([f"wrote {target}" for target in written] + [f"{len(built)} built, {len(written)} written."]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
