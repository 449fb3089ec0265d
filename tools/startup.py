"""What every kernel of `make lab` runs first: so the course explains a NameError from the first cell on, also after a restart."""
import course

del course
