"""The engine of the labs: move a slider, and see what a network does. `lab.show()` opens a lab, `lab.figure(...)` shows a
still picture of it."""

import sys
from importlib import import_module


def lazily(package, **modules):
    """What a chapter gives to notebooks, loaded when it is first asked for: an exercise needs no pictures.

    Parameters
    ----------
    package : the chapter's `__name__`. modules : module=["name", ...], which names come from which of its modules.

    Returns
    -------
    The chapter's `__all__` and `__getattr__`.
    """
    homes = {name: module for module, names in modules.items() for name in names}

    def load(name):
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{homes[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return sorted(homes), load
