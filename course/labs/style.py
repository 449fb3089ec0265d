"""One look for every figure of the course.

Colours have names that say what they stand for, so that a gradient is the same red in every chapter. They are those of
Okabe and Ito 2008, "Color universal design", which people with any kind of colour vision can tell apart; still, no
meaning hangs on colour alone: give every class its marker, every line its style, every area its hatch or its label.

Figures lie on an opaque light card. It looks the same on JupyterLab's light and dark themes, and on GitHub.
"""

import matplotlib

CSS_DPI = 100  # a figure of 8 inches is 800 pixels wide on the page
DENSITY = 2  # pixels of the picture for each pixel on the page: sharp on fine screens, and scaled evenly on others
WIDTH = 8.0

BLACK, GREY, LIGHT = "#1a1a1a", "#6b6b6b", "#d9d9d9"
ORANGE, SKY, GREEN, YELLOW = "#E69F00", "#56B4E9", "#009E73", "#F0E442"
BLUE, RED, PURPLE = "#0072B2", "#D55E00", "#CC79A7"

CLASS_A, CLASS_B = BLUE, ORANGE  # data of two classes; markers below
MARKER_A, MARKER_B = "o", "^"
LINE = BLACK  # the curve or the border that a lab is about
SECOND = BLUE  # a second curve beside it, dashed
GRADIENT = RED  # a gradient, a slope, a derivative
ACTIVATION = SKY  # a value on its way forward
THEORY = PURPLE  # what the maths predicts, dotted
GOOD = GREEN  # where learning is possible
WARNING = YELLOW  # saturated, clipped, too small or too large
MUTED = GREY

RC = {
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "axes.facecolor": "#ffffff",
    "axes.grid": True,
    "axes.labelcolor": BLACK,
    "axes.labelsize": 10,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10.5,
    "axes.unicode_minus": True,
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.w_pad": 0.08,
    "figure.constrained_layout.h_pad": 0.08,
    "figure.dpi": CSS_DPI * DENSITY,
    "figure.edgecolor": "#ffffff",
    "figure.facecolor": "#ffffff",
    "figure.figsize": (WIDTH, 3.6),
    "figure.titlesize": 12.5,
    "figure.titleweight": "bold",
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 10,
    "grid.color": LIGHT,
    "grid.linewidth": 0.6,
    "hatch.linewidth": 0.8,
    "legend.fontsize": 9,
    "legend.framealpha": 1.0,
    "lines.linewidth": 2.0,
    "lines.markersize": 5,
    "text.color": BLACK,
    "xtick.color": GREY,
    "xtick.labelcolor": BLACK,
    "xtick.labelsize": 9,
    "ytick.color": GREY,
    "ytick.labelcolor": BLACK,
    "ytick.labelsize": 9,
}


_SETTINGS = {key: value for key, value in matplotlib.rcParamsDefault.items() if not key.startswith("backend")} | RC


def context():
    """A `with` block in which figures have the look of the course, whatever the user's own settings are.

    Returns
    -------
    A context manager; behind it matplotlib's settings are as before.
    """
    return matplotlib.rc_context(_SETTINGS)
