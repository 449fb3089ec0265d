"""The table of the chapters in README.md, from the front matter of the lessons."""

from tools import source

BEGIN, END = "<!-- chapters: made by `make build` -->", "<!-- end of the chapters -->"


def table(root):
    """The table: a row for each chapter, with a link to its lesson and what you will do there."""
    rows = ["| | chapter | what you will do |", "|---|---|---|"]
    for chapter in source.chapters(root):
        number, title = chapter.heading.split(" ", 1)
        matter, _ = source.read(chapter.lesson, source.LESSON)
        rows.append(f"| {number} | [{title}](notebooks/{chapter.name}.ipynb) | {matter['you_will']} |")
    return "\n".join(rows)


def renewed(text, root):
    """The text of a README with the table of today between its marks; unchanged where it has none."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    return f"{before}{begin}\n{table(root)}\n{end}{after}" if end else text
