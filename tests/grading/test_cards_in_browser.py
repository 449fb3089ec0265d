"""The links of a card in a real JupyterLab, from an exercise and from a lesson: each opens its page as a notebook in a tab."""

import json

from course.catalogue import chapters
from course.grading.pages import help_page
from tools import frontend

TARGETS = [help_page(), f"notebooks/{chapters()[1].name}.ipynb"]
UNKNOWN = "def twice(x):\n    return 2 * weights\n\ncheck('start_here.twice', twice)"
RIGHT = "check('start_here.twice', lambda x: 2 * x)"
# The folders of the course, and notebooks in them, below the folder that is served.
LAY_OUT = """async ([folders, files]) => {
  const contents = window.jupyterapp.serviceManager.contents;
  for (const path of folders) await contents.save(path, {type: 'directory'});
  for (const [path, content] of Object.entries(files)) {
    await contents.save(path, {type: 'notebook', format: 'json', content});
  }
}"""
OPEN = """async path => {
  const panel = await window.jupyterapp.commands.execute('docmanager:open', {path});
  await panel.context.ready;
  await panel.sessionContext.ready;
  await panel.revealed;
  return await window.jupyterapp.commands.execute('notebook:run-all-cells');
}"""
IN_A_TAB = """path => {
  const panel = window.jupyterapp.shell.currentWidget;
  return panel?.context?.path === path && panel.content?.model?.cells?.length > 0;
}"""


def test_links_open_their_pages_as_notebooks(page, running, tmp_path):
    def notebook(*cells):
        return json.loads(frontend.write_notebook(tmp_path / "made.ipynb", *cells).read_text(encoding="utf-8"))

    frontend.Desk(page, running.address("desk.ipynb"))
    folders = ["notebooks", "exercises", f"exercises/{chapters()[0].name}"]
    mine = [f"{folders[-1]}/{chapters()[0].name}.ipynb", "notebooks/mine.ipynb"]
    files = dict.fromkeys(mine, notebook("from course import check", UNKNOWN, RIGHT)) | dict.fromkeys(TARGETS, notebook("1 + 1"))
    page.evaluate(LAY_OUT, [folders, files])
    for path, target in zip(mine, TARGETS):
        assert page.evaluate(OPEN, path)
        links = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-OutputArea-output a[href]")
        links.nth(1).wait_for()
        assert links.all_inner_texts() == TARGETS
        links.get_by_text(target).click()
        page.wait_for_function(IN_A_TAB, arg=target)
