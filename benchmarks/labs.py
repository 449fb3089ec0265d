"""How fast the kernel answers a slider: the engine's new picture against drawing the whole figure anew, in turns."""
import statistics
import time
from functools import partial
from io import BytesIO
from itertools import cycle

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.core import at_least, attempt
from benchmarks.report import table
from course.catalogue import chapters
from course.ch10_vanishing import GradientMagnitudes
from course.labs import style
from course.labs.live import Choice, Picture, Toggle

FLAGSHIP, DEPTHS, SLIDER = GradientMagnitudes, (10, 50), "gain"


def redraw(lab, values):
    """A picture the plain way: work it out, make a new figure, draw and save it."""
    data = lab.data(**values)
    with style.context():
        figure = Figure(figsize=lab.size)
        FigureCanvasAgg(figure)
        figure.suptitle(lab.title, x=0.01, horizontalalignment="left")
        lab.update(lab.draw(figure, data), data)
        png = BytesIO()
        figure.savefig(png, format="png")
    return png.getvalue()


def cases():
    """Each lab with its defaults, and the flagship at its deepest; and the numeric control that is moved."""
    for kind in (kind for chapter in chapters() for kind in chapter.labs):
        lab = kind()
        for start in [{}] + ([{"depth": 50}] if "depth" in lab.controls else []):
            sliders = [key for key, control in lab.controls.items() if not isinstance(control, Choice | Toggle)]
            moved = [key for key in sliders if key not in ("depth", "width")]
            if moved:  # a picture without sliders has nothing to answer
                yield lab, start, moved[0]


def in_the_kernel(lab, start, slider, rounds):
    """Milliseconds of compute, the engine's whole answer, and a full redraw, in each turn."""
    control = lab.controls[slider]
    values = [control.low + (control.high - control.low) * part / 7 for part in range(1, 7)]
    values = cycle([int(value) if isinstance(control.default, int) else value for value in values])
    picture = Picture(lab, lab.data(**start))
    times = {"compute": [], "engine": [], "redraw": []}
    for value in (next(values) for _ in range(rounds)):
        now = start | {slider: value}
        begin = time.perf_counter()
        data = lab.data(**now)
        computed = time.perf_counter()
        lab.describe(lab.values(**now), data)
        picture.update(data)
        picture.png()
        answered = time.perf_counter()
        redraw(lab, now)
        redrawn = time.perf_counter()
        for name, span in zip(times, (computed - begin, answered - begin, redrawn - answered)):
            times[name].append(1000 * span)
    return times


def rows(rounds=30):
    """The rows of this group: the flagship lab."""
    for depth in DEPTHS:
        work = f"lab update, {FLAGSHIP.__name__} at depth {depth}"
        yield attempt(work, "full redraw by `interact`", "at least 8 x faster", partial(_row, work, depth, rounds))


def _row(work, depth, rounds):
    times = in_the_kernel(FLAGSHIP(), {"depth": depth}, SLIDER, rounds)
    value = statistics.median(b / a for a, b in zip(times["engine"], times["redraw"]))
    words = ", ".join(f"{name} {statistics.median(spans):.1f} ms" for name, spans in times.items())
    return at_least(work, "full redraw by `interact`", 8, value, "x faster", words)


def sections(rounds=10):
    """Every lab's times."""
    lines = []
    for lab, start, slider in cases():
        times = in_the_kernel(lab, start, slider, rounds)
        name = type(lab).__name__ + "".join(f", {key} {value}" for key, value in start.items())
        lines.append((name, slider, *(f"{statistics.median(spans):.1f}" for spans in times.values())))
    yield "## Every lab\n"
    yield "Medians in ms: to work out the data; the engine's whole answer, with the data; a full redraw.\n"
    yield table(["lab", "slider", "compute", "engine", "redraw"], lines)
