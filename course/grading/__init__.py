"""The engine of the exercises: judges an answer, says which mistake it was, and keeps what you have done.

It knows no chapter. `core` is where to begin reading.
"""
