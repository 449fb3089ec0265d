"""When a solved exercise comes back: after 1 day, then 3, 7 and 21, each time with other random inputs.

Spaced repetition is old: Ebbinghaus (1885) measured how fast what is learnt once is forgotten, and that each repetition
slows it down. A day is a number here, `date.toordinal()`.
"""
import zlib
from datetime import date
from html import escape

INTERVALS = (1, 3, 7, 21)  # days
KEYS = ("stage", "due")  # what an entry of the progress file holds about reviews


def is_due(entry, today):
    """Should this exercise be reviewed today?"""
    return entry.get("due", today + 1) <= today


def after(entry, right, today):
    """What changes in an entry by a check: a first right answer starts the schedule, a right review moves it on, a wrong one
    brings it back tomorrow, a stage earlier. After the last stage, the exercise does not come back."""
    if "stage" not in entry:
        return _at(0, today) if right else {}
    if not is_due(entry, today):
        return {}
    stage = int(entry["stage"])
    return _at(stage + 1, today) if right else _at(max(stage - 1, 0), today) | {"due": today + INTERVALS[0]}


def _at(stage, today):
    # What is learnt for good is due on the last day there is.
    return {"stage": stage, "due": today + INTERVALS[stage] if stage < len(INTERVALS) else date.max.toordinal()}


def fresh_seed(id, today):
    """A seed for other inputs than the usual ones: the same for all checks of one day, so that a mistake can be looked for."""
    return zlib.crc32(f"{id} on day {today}".encode())


def outcome(entry, right, today):
    """What a review has shown, in words, from the entry before it."""
    days = after(entry, right, today)["due"] - today
    if not right:
        return "This was a review, on new random inputs. Your points stay; it comes back tomorrow."
    if days > INTERVALS[-1]:
        return "This was the last review, on new random inputs. You know this one; it will not come back."
    return f"This was a review, on new random inputs. It comes back in {days} days."


class Reviews:
    """The exercises to review today, and when the next ones come; text in a terminal, a list in a notebook.

    Parameters
    ----------
    chapters : chapter title -> exercises. known : entries by id. today : the day.
    """

    def __init__(self, chapters, known, today):
        pairs = [(chapter, exercise) for chapter, exercises in chapters.items() for exercise in exercises]
        self.due = [(chapter, e) for chapter, e in pairs if is_due(known.get(e.id, {}), today)]
        days = [known[e.id]["due"] - today for _, e in pairs if today < known.get(e.id, {}).get("due", 0)]
        self.next = min((day for day in days if day <= INTERVALS[-1]), default=None)

    def lines(self):
        """What is due in words, one line each; a last line says what to do, or when to come back."""
        found = [f"{chapter}: {exercise.title} ({exercise.id})" for chapter, exercise in self.due]
        if self.due:
            return [*found, "Write each again without looking, then run its check. `make restore CHAPTER=01` puts an empty "
                            "copy of a chapter's exercises beside yours."]
        if self.next is None:
            return ["Nothing to review. An exercise comes back a day after you have solved it."]
        return [f"Nothing to review today. The next one comes {'tomorrow' if self.next == 1 else f'in {self.next} days'}."]

    def __repr__(self):
        head = f"To review today: {len(self.due)}\n" if self.due else ""
        return head + "\n".join(self.lines())

    def _repr_html_(self):
        *items, last = self.lines()
        head = f"<p><strong>To review today: {len(items)}</strong></p>" if items else ""
        body = "".join(f"<li>{escape(item)}</li>" for item in items)
        return head + (f"<ul>{body}</ul>" if body else "") + f"<p>{escape(last)}</p>"
