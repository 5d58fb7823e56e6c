"""Entries: each module is a whole solution (fit, predict, save, load) that the writer copies with all it uses."""
