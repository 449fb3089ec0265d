"""Chapter 05: a computation as a graph, stepped forward and back one node at a time."""

from bplib.graph import OPERATIONS, Graph
from bplib.labs import style
from bplib.labs.live import Choice, Float, Int, Lab

CHAIN, FAN_OUT, NEURON = "a chain", "a fan-out", "a neuron"
STEPS = {
    CHAIN: [("a", "multiply", ("u", "v")), ("b", "subtract", ("a", "w")), ("c", "tanh", ("b",)), ("L", "square", ("c",))],
    FAN_OUT: [("a", "multiply", ("u", "v")), ("b", "sigmoid", ("a",)), ("c", "multiply", ("a", "w")), ("L", "add", ("b", "c"))],
    NEURON: [("a", "multiply", ("u", "v")), ("b", "add", ("a", "w")), ("c", "sigmoid", ("b",)), ("L", "square", ("c",))],
}
ROW = {"u": (0, 2), "v": (0, 1), "w": (0, 0), "a": (1, 1.5), "b": (2, 0.9), "c": (3, 0.9), "L": (4, 0.9)}
PLACES = {CHAIN: ROW, NEURON: ROW, FAN_OUT: ROW | {"b": (2.4, 1.7), "c": (2.4, 0.3), "L": (4, 1)}}
NAMES = tuple(ROW)
FORWARD, LAST = 4, 11  # four nodes are computed going forward, seven gradients going back
REACHED = "the newest"


class ChainRule(Lab):
    """Seven nodes: three inputs, four steps, the last is the result L. Going forward each node gets its value, going back its
    gradient dL/d(node); on each edge stands the slope of the node it leads to."""

    title = "How does the result hear of each input?"
    controls = {
        "step": Int(0, LAST, FORWARD, label="step"),
        "graph": Choice(CHAIN, FAN_OUT, NEURON, default=FAN_OUT, label="graph"),
        "node": Choice(REACHED, *NAMES, label="explain"),
        "u": Float(-3.0, 3.0, 2.0, label="input u", step=0.1, format=".1f"),
        "v": Float(-3.0, 3.0, 0.5, label="input v", step=0.1, format=".1f"),
        "w": Float(-3.0, 3.0, -1.5, label="input w", step=0.1, format=".1f"),
    }
    size = (style.WIDTH, 3.9)

    def compute(self, step, graph, node, u, v, w):
        """What stands on the graph after so many steps.

        Returns
        -------
        dict : graph, a Graph; places {name: (x, y)}; values and grads {name: number} of the nodes reached so far; slopes
            {(name, user): number} of the edges passed going back; all_values, all_grads, of all nodes; node, the one to explain.
        """
        made = Graph({"u": u, "v": v, "w": w}, STEPS[graph])
        values = made.forward()
        grads, slopes = made.backward(values), made.slopes(values)
        computed = [*"uvw", *list(made.steps)[:step]]
        back = list(reversed(made.names))[:max(0, step - FORWARD)]
        newest = back[-1] if back else computed[-1] if step else "u"
        edges = {(other, user): slope for user, (_, of) in made.steps.items() for other, slope in zip(of, slopes[user])}
        return {
            "graph": made,
            "places": PLACES[graph],
            "values": {name: values[name] for name in computed},
            "grads": {name: grads[name] for name in back},
            "slopes": {edge: slope for edge, slope in edges.items() if edge[0] in back},
            "edges": list(edges),
            "all_values": values,
            "all_grads": grads,
            "node": newest if node == REACHED else node,
        }

    def draw(self, figure, data):
        axes = figure.subplots()
        axes.set(xlim=(-0.5, 4.5), ylim=(-0.5, 2.6))
        axes.set_title("Value above, gradient below. On an edge: the slope of the node that it leads to")
        axes.axis("off")
        edges = [axes.plot([], [], color=style.MUTED, linewidth=1.5, zorder=1)[0] for _ in range(8)]
        middle = {"horizontalalignment": "center", "verticalalignment": "center", "fontsize": 9, "color": style.GRADIENT}
        box = {"facecolor": "#ffffff", "edgecolor": "none", "pad": 1}
        slopes = [axes.text(0, 0, "", bbox=box, zorder=2, **middle) for _ in range(8)]
        ring = {"markersize": 58, "markerfacecolor": "#ffffff", "markeredgecolor": style.BLACK, "zorder": 3}
        circles = {name: axes.plot([], [], "o", **ring)[0] for name in NAMES}
        look = {"horizontalalignment": "center", "zorder": 4}
        bold = {"fontsize": 10, "fontweight": "bold", "verticalalignment": "center"}
        labels = {name: axes.text(0, 0, "", **bold, **look) for name in NAMES}
        values = {name: axes.text(0, 0, "", fontsize=9.5, verticalalignment="bottom", **look) for name in NAMES}
        red = {"fontsize": 9.5, "color": style.GRADIENT, "verticalalignment": "top"}
        grads = {name: axes.text(0, 0, "", **red, **look) for name in NAMES}
        return {"edges": edges, "slopes": slopes, "circles": circles, "labels": labels, "values": values, "grads": grads}

    def update(self, artists, data):
        places = data["places"]
        for number, (line, text) in enumerate(zip(artists["edges"], artists["slopes"])):
            if number >= len(data["edges"]):
                line.set_data([], [])
                text.set_text("")
                continue
            edge = data["edges"][number]
            (x, y), (x2, y2) = (places[name] for name in edge)
            line.set_data([x, x2], [y, y2])
            passed = edge in data["slopes"]
            line.set_color(style.GRADIENT if passed else style.MUTED)
            text.set_position((x + 0.55 * (x2 - x), y + 0.55 * (y2 - y)))
            text.set_text(f"{data['slopes'][edge]:.2f}" if passed else "")
        for name in NAMES:
            x, y = places[name]
            artists["circles"][name].set_data([x], [y])
            artists["circles"][name].set_markeredgewidth(3 if name == data["node"] else 1)
            artists["circles"][name].set_markerfacecolor("#fff3c4" if name == data["node"] else "#ffffff")
            made = data["graph"].formula(name) if name in data["graph"].steps else "input"
            for kind, shift, words in (("labels", 0, f"{name} = {made}" if made != "input" else name),
                                       ("values", 0.1, _shown(data["values"].get(name))),
                                       ("grads", -0.1, _shown(data["grads"].get(name)))):
                artists[kind][name].set_position((x, y + shift))
                artists[kind][name].set_text(words)

    def describe(self, values, data):
        name, graph = data["node"], data["graph"]
        inputs = ", ".join(f"{key} = {value:.1f}" for key, value in graph.inputs.items())
        start = f"Step {values['step']} of {LAST}, with {inputs}. "
        if not data["grads"] and name not in data["values"]:
            return start + f"{name} = {graph.formula(name)} has not been reached yet."
        if name not in data["grads"]:
            if name in graph.inputs:
                return start + f"{name} is an input. Its gradient comes on the way back."
            numbers = [f"{data['all_values'][other]:.2f}" for other in graph.steps[name][1]]
            sign = OPERATIONS[graph.steps[name][0]].sign
            return start + f"{name} = {graph.formula(name)} = {sign.format(*numbers)} = {data['values'][name]:.3f}."
        terms = graph.terms(name, graph.slopes(data["all_values"]))
        if not terms:
            return start + "dL/dL = 1: the way back begins here."
        users = " and ".join(user for user, _ in terms)
        sums = " + ".join(f"dL/d{user} × d{user}/d{name}" for user, _ in terms)
        numbers = " + ".join(f"{data['all_grads'][user]:.3f} × {slope:.3f}" for user, slope in terms)
        return start + f"{name} is used by {users}: dL/d{name} = {sums} = {numbers} = {data['grads'][name]:.3f}."


def _shown(number):
    return "" if number is None else f"{number:.3f}"
