"""Write docs/diagnosis.md: which mistakes the gradient checker finds and names. `python -m tools.confusion docs/diagnosis.md`

Every broken layer, loss and network of tests/bank.py is checked on several shapes; then thousands of right ones, none of
which may be called wrong.
"""
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from bplib import check_gradients
from tests.bank import BANK, random_case

RIGHT_ONES = 10_000
HEAD = """# What the gradient checker finds, and what it calls it

Made by `make confusion`. Each broken layer, loss or network has one mistake. It is *found* when the check fails, and *named*
when every array that is called wrong bears the name that the mistake has. Random correct networks with random data (integers,
float32, units within a millionth of a kink, saturated units, tiny and huge scales, dropout) must not be called wrong.
"""


@dataclass(frozen=True)
class Run:
    """One mistake on one shape (n, d, k): the names given to the wrong arrays, and those that it may be given."""

    mistake: str
    shape: tuple
    given: tuple
    names: tuple

    @property
    def found(self):
        return bool(self.given)

    @property
    def named(self):
        return self.found and set(self.given) <= set(self.names)


def runs(seed=3):
    """A Run for each mistake and shape."""
    for entry in BANK:
        for shape in entry.shapes:
            model, data = entry.make(np.random.default_rng(seed), *shape)
            wrong = [finding for finding in check_gradients(model, *data).values() if finding.verdict == "mismatch"]
            given = tuple(sorted({finding.diagnosis.name if finding.diagnosis else "none" for finding in wrong}))
            yield Run(entry.mistake, shape, given, entry.names)


def right_ones(count=RIGHT_ONES, seed=2026):
    """(networks called wrong, arrays by verdict) of random correct cases."""
    rng, alarms, verdicts = np.random.default_rng(seed), 0, Counter()
    for _ in tqdm(range(count), unit="network"):
        net, data = random_case(rng)
        report = check_gradients(net, *data, rng=rng)
        alarms += not report.ok
        verdicts.update(finding.verdict for finding in report.values())
    return alarms, verdicts


def totals(found):
    """The totals of some runs, in lines."""
    return [f"- mistakes found: {sum(run.found for run in found)} of {len(found)}",
            f"- mistakes named: {sum(run.named for run in found)} of {len(found)}"]


def table(found):
    """One line for each mistake, and how often each name was given to each kind of mistake."""
    lines = ["| mistake | shapes | found | called |", "|---|---|---|---|"]
    for mistake in dict.fromkeys(run.mistake for run in found):
        same = [run for run in found if run.mistake == mistake]
        called = ", ".join(sorted({name for run in same for name in run.given}))
        lines.append(f"| {mistake} | {len(same)} | {sum(run.found for run in same)} | {called} |")
    lines += ["", "## Expected and given", "", "| expected | given | runs |", "|---|---|---|"]
    pairs = Counter((run.names[0], name) for run in found for name in run.given or ("not found",))
    return lines + [f"| {expected} | {given} | {count} |" for (expected, given), count in sorted(pairs.items())]


def main(path):
    found = list(runs())
    alarms, verdicts = right_ones()
    counted = ", ".join(f"{count:,} {verdict}" for verdict, count in verdicts.most_common())
    lines = [HEAD, *totals(found), f"- kinds of broken layers, losses and networks: {len(BANK)}",
             f"- random correct networks called wrong: {alarms} of {RIGHT_ONES:,} (arrays: {counted})", "", *table(found), ""]
    Path(path).write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines[1:5]))


if __name__ == "__main__":
    main(sys.argv[1])
