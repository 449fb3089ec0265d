"""Runs a notebook in a fresh kernel, and keeps only those outputs that are the same on the next run."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

WIDGET = "application/vnd.jupyter.widget-view+json"
TIMEOUT = 300
ADDRESS = re.compile(r"\bat 0x[0-9a-f]{6,}")
REPOSITORY = Path(__file__).parents[1]


class ExecutionError(Exception):
    """A cell that raised, wrote to stderr, or showed something that changes from run to run."""

    def __init__(self, name, cell, message):
        quoted = "\n".join(f"    {line}" for line in cell.source.splitlines())
        super().__init__(f"{name}, cell {cell.id}: {message}\n{quoted}")


def environment(scratch):
    """The environment of a kernel that depends on nothing of its user's, and leaves nothing behind but in scratch."""
    fixed = {
        "PYTHONHASHSEED": "0",
        "TQDM_DISABLE": "1",  # a progress bar appears on slow machines only
        "BPLIB_PROGRESS": f"{scratch}/progress.json",
        "MPLCONFIGDIR": f"{scratch}/matplotlib",
        "IPYTHONDIR": f"{scratch}/ipython",
        "PYTHONPATH": str(REPOSITORY),
    }
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    user = {key: value for key, value in os.environ.items() if not key.startswith(("BPLIB_", "MPL", "PYTHON"))}
    return user | fixed | threads


def execute(notebook, name, folder, on_cell=lambda: None):
    """Run all cells of a notebook in place, in the given folder; on_cell is called after each.

    Raises
    ------
    ExecutionError : for a cell that raises or writes to stderr, with the cell.
    """
    with tempfile.TemporaryDirectory() as scratch:
        client = NotebookClient(
            notebook,
            timeout=TIMEOUT,
            kernel_name="python3",
            resources={"metadata": {"path": str(folder)}},
            allow_errors=True,
            record_timing=False,
            store_widget_state=False,
            coalesce_streams=True,
            on_cell_complete=lambda cell, cell_index: on_cell(),
        )
        try:
            # What a cell writes to stderr arrives as a message; the rest is the kernel talking to itself.
            client.execute(env=environment(scratch), stderr=subprocess.DEVNULL)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as problem:
            running = next(
                (cell for cell in notebook.cells if cell.cell_type == "code" and cell.execution_count is None),
                notebook.cells[-1],
            )
            raise ExecutionError(name, running, str(problem)) from problem
    require_clean(notebook, name)


def require_clean(notebook, name):
    """Raise an ExecutionError where a cell holds an error, output on stderr, or a memory address."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                raise ExecutionError(name, cell, f"{output.ename}: {output.evalue}")
            if output.get("name") == "stderr":
                raise ExecutionError(name, cell, f"wrote to stderr: {output.text.strip()}")
            shown = output.get("text") or output.get("data", {}).get("text/plain", "")
            if ADDRESS.search(shown):
                raise ExecutionError(name, cell, f"shows a memory address, which changes from run to run: {shown.strip()}")


def keep_stable(notebook):
    """Drop what belongs to one run only: widget views, widget state, kernel versions, timings."""
    notebook.metadata = {key: value for key, value in notebook.metadata.items() if key == "kernelspec"}
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("data") != {}]
