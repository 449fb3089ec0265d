"""Chapter 04: how wrong is a measured slope, and which step makes it least wrong?"""

import numpy as np

from course.labs import style
from course.labs.live import Choice, Float, Lab, Toggle

STEPS = 10.0 ** np.linspace(-16, 0, 161)
BOTTOM, TOP = 1e-17, 10.0
LOOKS = {"forward": (style.ORANGE, "-", "s"), "central": (style.BLUE, "-", "o"), "complex": (style.GREEN, "--", "^")}
# Each function with its place x, and there its value and first three derivatives.
SINE, EXPONENTIAL, FAR, CORNER = "sin x at 1", "e^x at 3", "x^3 at 1000", "max(x, 0) at 0.001"
FUNCTIONS = {
    SINE: (np.sin, 1.0, (np.sin(1.0), np.cos(1.0), -np.sin(1.0), -np.cos(1.0))),
    EXPONENTIAL: (np.exp, 3.0, (np.exp(3.0),) * 4),
    FAR: (lambda x: x**3, 1000.0, (1e9, 3e6, 6e3, 6.0)),
    CORNER: (lambda x: x * (x.real > 0), 0.001, (0.001, 1.0, 0.0, 0.0)),
}
PRECISIONS = {"float64": (np.float64, np.complex128), "float32": (np.float32, np.complex64)}


class StepSize(Lab):
    """The relative error of a measured slope against the step h, both on logarithmic scales.

    Three ways to measure: forward, (f(x + h) - f(x)) / h; central, (f(x + h) - f(x - h)) / 2h; and the complex step,
    Im f(x + ih) / h. The dotted lines are theory: h |f''| / 2 and h^2 |f'''| / 6 for the error of the formulas, eps |f| / h for
    that of rounding.
    """

    title = "Which step measures a slope best?"
    controls = {
        "h": Float(1e-16, 1.0, 1e-2, label="step h", log=True, step=0.25, format=".1e"),
        "function": Choice(*FUNCTIONS, label="function"),
        "precision": Choice(*PRECISIONS, label="numbers"),
        "theory": Toggle(True, label="theory lines"),
    }
    size = (style.WIDTH, 4.4)

    def compute(self, h, function, precision, theory):
        """Relative errors of the three slopes for all steps, and for the step that was chosen.

        Returns
        -------
        dict : errors {way: (161,)} for STEPS; now {way: error}, for h; lines {name: (161,)}, theory; best {way: step}, the
            steps at which theory expects the smallest error.
        """
        f, x, derivatives = FUNCTIONS[function]
        value, slope, second, third = map(abs, derivatives)
        real, _ = PRECISIONS[precision]
        eps = float(np.finfo(real).eps)
        with np.errstate(divide="ignore", invalid="ignore"):
            best = {"forward": float(np.sqrt(2 * eps * value / second)) if second else np.inf,
                    "central": float(np.cbrt(1.5 * eps * value / third)) if third else np.inf}
        return {
            "h": h,
            "errors": _errors(f, x, derivatives[1], STEPS, precision),
            "now": {way: float(error[0]) for way, error in _errors(f, x, derivatives[1], np.array([h]), precision).items()},
            "lines": {"forward's formula": STEPS * second / 2 / slope, "central's formula": STEPS**2 * third / 6 / slope,
                      "rounding": eps * value / STEPS / slope},
            "best": best,
            "theory": theory,
        }

    def draw(self, figure, data):
        axes = figure.subplots()
        axes.set(xscale="log", yscale="log", xlim=(STEPS[0] / 2, 2.0), ylim=(BOTTOM / 3, 1e3 * TOP), xlabel="step h")
        axes.set(ylabel="relative error of the slope")
        axes.set_title("Too long a step: the formula's error. Too short a step: rounding")
        axes.set_xticks(10.0 ** np.arange(-16, 1, 2))
        axes.set_yticks(10.0 ** np.arange(-16, 1, 4))
        axes.minorticks_off()
        curves = {}
        for way, (color, line, marker) in LOOKS.items():
            (curves[way],) = axes.plot([], [], color=color, linestyle=line, linewidth=1.4, label=way)
            (curves[f"{way} now"],) = axes.plot([], [], marker, color=color, markersize=9, markeredgecolor=style.BLACK)
        lines = [axes.plot([], [], ":", color=style.THEORY, linewidth=1.6, label="theory" if not number else None)[0]
                 for number in range(3)]
        (here,) = axes.plot([], [], "-", color=style.MUTED, linewidth=1)
        axes.legend(loc="upper center", ncols=4, frameon=True)
        return {"curves": curves, "lines": lines, "here": here}

    def update(self, artists, data):
        for way, error in data["errors"].items():
            artists["curves"][way].set_data(STEPS, _visible(error))
            artists["curves"][f"{way} now"].set_data([data["h"]], _visible(np.array([data["now"][way]])))
        for artist, line in zip(artists["lines"], data["lines"].values()):
            shown = (line > BOTTOM) & (line < TOP) & data["theory"]
            artist.set_data(STEPS[shown], line[shown])
        artists["here"].set_data([data["h"]] * 2, [BOTTOM / 3, 1e3 * TOP])

    def describe(self, values, data):
        said = ", ".join(f"{way} {_percent(error)}" for way, error in data["now"].items())
        words = f"With h = {values['h']:.0e} in {values['precision']} the slopes are wrong by: {said}."
        if not values["theory"]:
            words = words[:-1] + " (theory lines hidden)."
        step = data["best"]["central"]
        if not np.isfinite(step):
            return words + " The corner is 0.001 away: a step across it measures two slopes at once; shorter steps are right."
        side = "shorter: rounding dominates" if values["h"] < step / 3 else "longer: the formula's error dominates"
        if step / 3 <= values["h"] <= 3 * step:
            side = "near it"
        return words + f" For central differences theory puts the best step at {step:.0e}; this one is {side}."


def _errors(f, x, slope, h, precision):
    """The relative errors of the three ways for an array of steps; 1 where a step is too short to move x at all."""
    real, imaginary = PRECISIONS[precision]
    x, h = real(x), h.astype(real)
    with np.errstate(all="ignore"):
        found = {
            "forward": (f(x + h) - f(x)) / h,
            "central": (f(x + h) - f(x - h)) / (2 * h),
            "complex": f((x + 1j * h).astype(imaginary)).imag / h,
        }
        return {way: np.abs(value.astype(float) - slope) / abs(slope) for way, value in found.items()}


def _visible(error):
    return np.clip(np.nan_to_num(error, nan=TOP), BOTTOM, TOP)


def _percent(error):
    if error < 1e-15:
        return "nothing to speak of"
    return "100 %" if 0.995 < error < 1.005 else f"{error:.0e}"
