"""A lab in a real kernel: which of many slider messages are drawn, and where an error in a late answer is seen."""

import os
import queue
import subprocess
import sys
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel
from nbformat import v4, write

from tools.execute import environment

ROOT = Path(__file__).parents[2]
SETUP = """
import sys
sys.path.insert(0, {folder!r})
from conftest import Broken, Waves
from course.labs.live import Live
live = Live({lab}())
start = live.renders
print(live.controls["bars"].comm.comm_id)
"""
PATIENCE = 60


class Kernel:
    """A kernel, and a front end that does not wait."""

    def __init__(self, scratch):
        self.manager, self.client = start_new_kernel(
            kernel_name="python3", env=environment(str(scratch)), cwd=str(scratch), stderr=subprocess.DEVNULL
        )

    def messages(self, parent):
        """What the kernel published because of a message, until it is idle again."""
        found = []
        while True:
            message = self.client.get_iopub_msg(timeout=PATIENCE)
            if message["parent_header"].get("msg_id") == parent:
                found.append(message)
                if message["content"].get("execution_state") == "idle":
                    return found

    def run(self, code):
        return "".join(
            message["content"]["text"] for message in self.messages(self.client.execute(code)) if message["msg_type"] == "stream"
        )

    def slide(self, comm, value):
        """What a front end sends when a slider has moved; the id of the message."""
        content = {"comm_id": comm, "data": {"method": "update", "state": {"value": value}, "buffer_paths": []}}
        message = self.client.session.msg("comm_msg", content)
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    kernel = Kernel(tmp_path_factory.mktemp("kernel"))
    yield kernel
    kernel.close()


def test_values_that_pile_up_while_the_kernel_is_busy_are_not_all_drawn(kernel):
    comm = kernel.run(SETUP.format(folder=str(Path(__file__).parent), lab="Waves")).strip()
    busy = kernel.client.execute("import time; time.sleep(1)")
    moves = [kernel.slide(comm, bars) for bars in range(3, 28)]
    kernel.messages(busy)
    kernel.messages(moves[-1])
    asked = "import asyncio; await asyncio.sleep(0.3); print(live.renders - start); print(live.words.value)"
    renders, words = kernel.run(asked).split("\n", 1)
    print(f"{len(moves)} values, {renders} pictures")
    assert "27 bars" in words
    assert 1 <= int(renders) <= len(moves) // 2


def test_an_error_in_a_late_answer_is_published_for_the_message_that_caused_it(kernel):
    comm = kernel.run(SETUP.format(folder=str(Path(__file__).parent), lab="Broken")).strip()
    move = kernel.slide(comm, 13)
    error = None
    while error is None:
        try:
            message = kernel.client.get_iopub_msg(timeout=PATIENCE)
        except queue.Empty:
            pytest.fail("the kernel never published the error")
        if message["msg_type"] == "error":
            error = message
    assert error["content"]["ename"] == "ArithmeticError"
    assert error["parent_header"]["msg_id"] == move
    assert "thirteen" in kernel.run("print(live.words.value)")


def test_a_broken_lab_fails_the_tests_of_its_notebook(tmp_path, waves):
    said = waves.describe(waves.values(), waves.data())
    code = f"import sys\nsys.path.insert(0, {str(Path(__file__).parent)!r})\nfrom conftest import Broken, Waves"
    kernelspec = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "notebooks").mkdir()
    for name in ("Broken", "Waves"):
        cells = [v4.new_code_cell(code), v4.new_code_cell(f"lab = {name}()\nlab.show()")]
        cells[1].outputs = [v4.new_output("display_data", {"image/png": "cG5n", "text/plain": said})]
        cells[1].execution_count = 1
        write(v4.new_notebook(cells=cells, metadata=kernelspec), tmp_path / "notebooks" / f"{name}.ipynb")
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "tests.notebooks.collect",
            "-p",
            "no:cacheprovider",
            "-rA",
            "--color=no",
        ],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    outcomes = {line for line in run.stdout.splitlines() if line.startswith(("PASSED", "FAILED", "ERROR"))}
    failed = {line.split(" - ")[0] for line in outcomes if not line.startswith("PASSED")}
    assert failed == {"FAILED notebooks/Broken.ipynb::Every control"}, run.stdout
    assert len(outcomes) == 6
    assert "half drawn" in run.stdout
