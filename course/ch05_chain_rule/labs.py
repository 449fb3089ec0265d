"""Chapter 05: a computation as a graph, stepped forward and back one node at a time."""

from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from bplib.graph import OPERATIONS, Graph
from course.labs import style
from course.labs.live import Choice, Float, Int, Lab

CHAIN, FAN_OUT, NEURON, RELU, SHARED = "a chain", "a fan-out", "a neuron", "a neuron with ReLU", "one weight, used twice"


def _neuron(activation):
    return [("s", "multiply", ("w", "x")), ("z", "add", ("s", "b")), ("a", activation, ("z",)), ("v", "subtract", ("a", "y")),
            ("L", "square", ("v",))]


STEPS = {
    CHAIN: [("s", "square", ("x",)), ("t", "sin", ("s",)), ("u", "exp", ("t",)), ("L", "tanh", ("u",))],
    FAN_OUT: [("s", "multiply", ("w", "x")), ("t", "square", ("s",)), ("u", "add", ("s", "b")), ("v", "multiply", ("t", "u")),
              ("L", "multiply", ("v", "y"))],
    NEURON: _neuron("sigmoid"),
    RELU: _neuron("relu"),
    SHARED: [("s", "multiply", ("w", "x")), ("t", "tanh", ("s",)), ("u", "multiply", ("w", "t")), ("v", "subtract", ("u", "y")),
             ("L", "square", ("v",))],
}
_NEURON_PLACES = {"x": (0, 0.7), "w": (0, -0.5), "s": (1, 0.1), "b": (1, -1.1), "z": (2, 0.1), "a": (3, 0.1), "y": (3, -1.1),
                  "v": (4, 0.1), "L": (5, 0.1)}
PLACES = {  # columns from 0 to 5, rows from -1.1 to 0.8
    CHAIN: {"x": (0, 0), "s": (1.25, 0), "t": (2.5, 0), "u": (3.75, 0), "L": (5, 0)},
    FAN_OUT: {"x": (0, 0.7), "w": (0, -0.5), "s": (1.1, 0.1), "b": (1.1, -1.1), "t": (2.4, 0.8), "u": (2.4, -0.6),
              "v": (3.7, 0.1), "y": (3.7, -1.1), "L": (5, 0.1)},
    NEURON: _NEURON_PLACES,
    RELU: _NEURON_PLACES,
    SHARED: {"x": (0, 0.5), "w": (1, -1.0), "s": (1, 0.5), "t": (2, 0.5), "u": (3, 0.5), "y": (3, -1.0), "v": (4, 0.5),
             "L": (5, 0.5)},
}
INPUTS = ("x", "w", "b", "y")
NAMES = (*INPUTS, "s", "t", "u", "z", "a", "v", "L")
LAST = max(len(steps) + len(places) for steps, places in zip(STEPS.values(), PLACES.values()))
MOST_EDGES = max(sum(len(of) for _, _, of in steps) for steps in STEPS.values())
REACHED = "the newest"
HALF = (0.3, 0.27)  # of a box, in columns and rows
BOTTOM = -0.9  # names stand above their boxes, and from here on below, out of the way of arrows


class ChainRule(Lab):
    """A small graph: inputs, steps, and the result L. Going forward each node gets its value, going back its gradient
    dL/d(node), one node a step; on each edge stands the slope of the node that it leads to."""

    title = "How does the result hear of each input?"
    controls = {
        "step": Int(0, LAST, 5, label="step"),
        "graph": Choice(*STEPS, default=FAN_OUT, label="graph"),
        "node": Choice(REACHED, *NAMES, label="explain"),
        "x": Float(-3.0, 3.0, 1.5, label="input x", step=0.1, format=".1f"),
        "w": Float(-3.0, 3.0, 0.8, label="input w", step=0.1, format=".1f"),
        "b": Float(-3.0, 3.0, 0.5, label="input b", step=0.1, format=".1f"),
        "y": Float(-3.0, 3.0, 1.0, label="input y", step=0.1, format=".1f"),
    }
    size = (style.WIDTH, 4.3)

    def compute(self, step, graph, node, **inputs):
        """What stands on the graph after so many steps.

        Returns
        -------
        dict : graph, a Graph; places {name: (column, row)}; values, grads {name: number}, of the nodes reached so far; slopes
            {name: (number, ...)}, of each node along what it is made of; full {name: number}, all values, with what is not
            reached yet; node, the one to explain; absent, a node that was asked for and is not in this graph, or None;
            last, the step at which all is done; newest, the node of this step.
        """
        made = Graph({name: value for name, value in inputs.items() if name in PLACES[graph]}, STEPS[graph])
        full, forward = made.forward(), list(made.steps)
        grads, count = made.backward(full), len(forward)
        reached = [*made.inputs, *forward[:step]]
        back = list(grads)[:max(0, step - count)]
        newest = (back or reached)[-1] if step else forward[0]
        return {
            "graph": made,
            "places": PLACES[graph],
            "values": {name: full[name] for name in reached},
            "grads": {name: grads[name] for name in back},
            "slopes": made.slopes(full),
            "full": full,
            "node": node if node in made.names else newest,
            "absent": None if node in (REACHED, *made.names) else node,
            "last": count + len(made.names),
            "newest": newest,
        }

    def draw(self, figure, data):
        axes = figure.subplots()
        axes.set(xlim=(-0.45, 5.45), ylim=(-1.95, 1.4))
        axes.set_title("In a box: the value, and below it the gradient dL/d(node). On an edge: the slope of the node it leads to")
        axes.axis("off")
        centre = {"horizontalalignment": "center", "verticalalignment": "center"}
        arrows = [FancyArrowPatch((0, 0), (1, 0), arrowstyle="-|>", mutation_scale=11, shrinkA=0, shrinkB=0, zorder=1)
                  for _ in range(MOST_EDGES)]
        label = {"facecolor": "#ffffff", "edgecolor": "none", "pad": 0.8}
        slopes = [axes.text(0, 0, "", fontsize=9, color=style.GRADIENT, bbox=label, zorder=2, **centre) for _ in arrows]
        boxes = {name: FancyBboxPatch((0, 0), 2 * HALF[0], 2 * HALF[1], boxstyle="round,pad=0,rounding_size=0.08", zorder=3)
                 for name in NAMES}
        for patch in (*arrows, *boxes.values()):
            axes.add_patch(patch)
        names = {name: axes.text(0, 0, "", fontsize=10, fontweight="bold", zorder=4, **centre) for name in NAMES}
        values = {name: axes.text(0, 0, "", fontsize=9.5, zorder=4, **centre) for name in NAMES}
        grads = {name: axes.text(0, 0, "", fontsize=9.5, color=style.GRADIENT, zorder=4, **centre) for name in NAMES}
        sums = axes.text(2.5, -1.75, "", fontsize=10.5, color=style.GRADIENT, **centre)
        texts = {"names": names, "values": values, "grads": grads, "sums": sums}
        return texts | {"arrows": arrows, "slopes": slopes, "boxes": boxes}

    def update(self, artists, data):
        graph, places, edges = data["graph"], data["places"], _edges(data["graph"])
        for number, (arrow, text) in enumerate(zip(artists["arrows"], artists["slopes"])):
            arrow.set_visible(number < len(edges))
            text.set_text("")
            if number < len(edges):
                name, user, place = edges[number]
                start, end = _ends(places[name], places[user])
                arrow.set_positions(start, end)
                passed, explained = name in data["grads"], name == data["node"]
                arrow.set_color(style.GRADIENT if passed else style.MUTED)
                arrow.set_linewidth(3 if passed and explained else 1.4)
                level = 0.14 if start[1] == end[1] else 0  # a short arrow is hidden by words on it
                text.set_position(((start[0] + end[0]) / 2, (start[1] + end[1]) / 2 + level))
                text.set_text(_shown(data["slopes"][user][place], 2) if passed else "")
        for name in NAMES:
            x, y = places.get(name, (0, 0))
            there, here = name in places, name == data["node"]
            box = artists["boxes"][name]
            box.set_visible(there)
            box.set_bounds(x - HALF[0], y - HALF[1], 2 * HALF[0], 2 * HALF[1])
            box.set_facecolor("#fff3c4" if here else "#ffffff")
            box.set_edgecolor(style.BLACK)
            box.set_linewidth(2.6 if here else 1)
            made = f"{name} = {graph.formula(name)}" if name in graph.steps else name
            outside = HALF[1] + 0.13 if y > BOTTOM else -HALF[1] - 0.13
            for kind, shift, words in (("names", outside, made), ("values", 0.12, _shown(data["values"].get(name))),
                                       ("grads", -0.13, _shown(data["grads"].get(name)))):
                artists[kind][name].set_position((x, y + shift))
                artists[kind][name].set_text(words if there else "")
        artists["sums"].set_text(_sum(data))

    def describe(self, values, data):
        name, graph = data["node"], data["graph"]
        step = min(values["step"], data["last"])
        start = f"There is no node {data['absent']} in this graph. " if data["absent"] else ""
        inputs = ", ".join(f"{key} = {value:.1f}" for key, value in graph.inputs.items())
        start += f"Step {step} of {data['last']}, with {inputs}: "
        if name not in data["values"]:
            return start + f"{name} = {graph.formula(name)} has no value yet."
        if name in data["grads"]:
            return start + _told(data)
        if name in graph.inputs:
            return start + f"{name} is an input. Its gradient comes last, on the way back."
        operation, of = graph.steps[name]
        numbers = OPERATIONS[operation].sign.format(*(_bracketed(data["full"][other]) for other in of))
        slopes = " and ".join(f"d{name}/d{other} = {slope:.3f}" for other, slope in zip(of, data["slopes"][name]))
        return start + f"{name} = {graph.formula(name)} = {numbers} = {data['full'][name]:.3f}. Its own slopes: {slopes}."


def _told(data):
    graph, name = data["graph"], data["node"]
    terms = graph.terms(name, data["slopes"])
    if not terms:
        return "the way back begins at L, with dL/dL = 1."
    users = " and by ".join(user for user, _ in terms)
    paths = "the two terms are added" if len(terms) > 1 else "one term"
    numbers = " + ".join(f"{_bracketed(data['grads'][user], 3)} × {_bracketed(slope, 3)}" for user, slope in terms)
    return f"{name} = {data['full'][name]:.3f} is used by {users}, {paths}: dL/d{name} = {numbers} = {data['grads'][name]:.3f}."


def _sum(data):
    """The sum over the users of the node that is explained, as symbols; nothing before the sweep has reached it."""
    name = data["node"]
    if data["absent"]:
        return f"there is no node {data['absent']} in this graph"
    if name not in data["grads"]:
        return ""
    users = [user for user, _ in data["graph"].uses(name)]
    terms = " + ".join(f"(dL/d{user}) (d{user}/d{name})" for user in users) or "1"
    return f"dL/d{name} = {terms}{' = ' + _shown(data['grads'][name]) if users else ''}"


def _edges(graph):
    return [(other, user, place) for user, (_, of) in graph.steps.items() for place, other in enumerate(of)]


def _ends(start, end):
    """Where the line between the middles of two boxes leaves the one and meets the other."""
    (x, y), (x2, y2) = start, end
    share = min(half / abs(way) if way else 1 for half, way in zip(HALF, (x2 - x, y2 - y)))
    return (x + share * (x2 - x), y + share * (y2 - y)), (x2 - share * (x2 - x), y2 - share * (y2 - y))


def _shown(number, digits=3):
    return "" if number is None else f"{number + 0.0:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _bracketed(number, digits=2):
    return f"({number:.{digits}f})" if number < 0 else f"{number:.{digits}f}"
