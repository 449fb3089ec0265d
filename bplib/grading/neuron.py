"""The exercises of this chapter."""

EXERCISES = ()
