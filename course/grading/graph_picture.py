"""A graph drawn as SVG, with numbers on its nodes and a mark on each that somebody filled in."""
from html import escape

from course.grading.feedback import COLOURS
from course.grading.graph_marks import EMPTY, FOLLOWS, RIGHT

BOX, GAP, EDGE, ABOVE = (116, 60), (34, 26), 6, 18  # pixels: of a node, between nodes, round the picture, and for signs
BEND = 0.75  # rows by which an edge that skips a column goes round what lies between
INK, PAPER = "var(--jp-content-font-color1, #1a1a1a)", "var(--jp-layout-color1, #ffffff)"
SIGNS = {RIGHT: ("✓", "correct"), FOLLOWS: ("(✓)", "wrong"), EMPTY: ("", "not attempted")}


def picture(graph, values=None, grads=None, marks=None):
    """The graph as HTML; light and dark themes give the colours.

    Parameters
    ----------
    graph : a Graph. values, grads : {name: number}, what to write on the nodes; a node that is missing shows a question mark,
        and None leaves the line out. marks : {name: Mark}, drawn as signs, with a thick edge where something is wrong.
    """
    places = graph.layout()
    bends = _bends(graph, places)
    step = BOX[1] + GAP[1]
    upper = [row * step - BOX[1] / 2 - ABOVE for _, row in places.values()] + [row * step for row in bends.values()]
    lower = [row * step + BOX[1] / 2 for _, row in places.values()] + [row * step for row in bends.values()]
    top, last = min(upper) - EDGE, max(column for column, _ in places.values())

    def spot(column, row):
        return BOX[0] / 2 + EDGE + column * (BOX[0] + GAP[0]), row * step - top

    width, height = spot(last, 0)[0] + BOX[0] / 2 + EDGE, max(lower) - top + EDGE
    edges = [_edge(spot, places[other], places[name], bends.get((other, name)))
             for name, (_, of) in graph.steps.items() for other in dict.fromkeys(of)]
    nodes = [_node(graph, name, *spot(*places[name]), values, grads, (marks or {}).get(name)) for name in graph.names]
    return (f"<svg role='img' aria-label='{escape(_words(graph, values, grads))}' viewBox='0 0 {width:.0f} {height:.0f}' "
            f"width='{width:.0f}' style='max-width:100%; height:auto; margin-top:6px; font-size:13px'>"
            f"{''.join(edges)}{''.join(nodes)}</svg>")


def _bends(graph, places):
    """{(node, user): row} of edges that skip a column: above everything or below everything, wherever it is shorter."""
    rows = [row for _, row in places.values()]
    found = {}
    for name, (_, of) in graph.steps.items():
        for other in of:
            if places[name][0] - places[other][0] > 1:
                side = places[other][1] + places[name][1]
                down = side > 0 or (side == 0 and any(row < 0 for row in found.values()))
                found[other, name] = max(rows) + BEND if down else min(rows) - BEND
    return found


def _edge(spot, start, end, bend):
    (x, y), (x2, y2) = spot(*start), spot(*end)
    x, x2 = x + BOX[0] / 2, x2 - BOX[0] / 2
    path = f"M{x:.0f},{y:.0f} L{x2:.0f},{y2:.0f}"
    if bend is not None:
        level, reach = spot(0, bend)[1], GAP[0]
        path = (f"M{x:.0f},{y:.0f} C{x + reach:.0f},{y:.0f} {x:.0f},{level:.0f} {x + 2 * reach:.0f},{level:.0f} "
                f"L{x2 - 2 * reach:.0f},{level:.0f} C{x2:.0f},{level:.0f} {x2 - reach:.0f},{y2:.0f} {x2:.0f},{y2:.0f}")
    tip = f"M{x2 - 8:.0f},{y2 - 4:.0f} L{x2:.0f},{y2:.0f} L{x2 - 8:.0f},{y2 + 4:.0f} z"
    return (f"<path d='{path}' style='fill:none; stroke:{INK}; stroke-width:1.2'/>"
            f"<path d='{tip}' style='fill:{INK}'/>")


def _node(graph, name, x, y, values, grads, mark):
    sign, colour = SIGNS.get(mark.kind, ("✗", "wrong")) if mark else ("", None)
    edge = COLOURS[colour] if colour else INK
    made = f"{name} = {graph.formula(name)}" if name in graph.steps else name
    lines = [(f"{made}", "font-weight:bold")]
    if values is not None:
        lines.append((f"value {_shown(values.get(name))}", ""))
    if grads is not None:
        lines.append((f"gradient {_shown(grads.get(name))}", ""))
    first = y - 17 * (len(lines) - 1) / 2 + 4
    words = [f"<text x='{x:.0f}' y='{first + 17 * place:.0f}' text-anchor='middle' style='fill:{INK}; {style}'>{escape(text)}"
             "</text>" for place, (text, style) in enumerate(lines)]
    if sign:
        words.append(f"<text x='{x:.0f}' y='{y - BOX[1] / 2 - 3:.0f}' text-anchor='middle' "
                     f"style='fill:{edge}; font-weight:bold'>{sign}</text>")
    wide = 3 if mark and not mark.right else 1.2
    return (f"<rect x='{x - BOX[0] / 2:.0f}' y='{y - BOX[1] / 2:.0f}' width='{BOX[0]}' height='{BOX[1]}' rx='8' "
            f"style='fill:{PAPER}; stroke:{edge}; stroke-width:{wide}'/>{''.join(words)}")


def _shown(value):
    return f"{value:.4g}".replace("-", "−") if isinstance(value, int | float) else "?"


def _words(graph, values, grads):
    said = []
    for name in graph.names:
        made = f"{name} = {graph.formula(name)}" if name in graph.steps else name
        both = (("value", values), ("gradient", grads))
        numbers = [f"{what} {_shown(some.get(name))}" for what, some in both if some is not None]
        said.append(", ".join([made, *numbers]))
    return "; ".join(said)
