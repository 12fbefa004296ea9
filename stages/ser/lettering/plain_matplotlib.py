"""Matplotlib as it comes, whatever a person has set for it; what draws imports it from here."""

import matplotlib
from matplotlib.figure import Figure

# A matplotlibrc of the working folder, of the home or of a variable was read just now, and would change every picture.
matplotlib.rcdefaults()
matplotlib.use("Agg")
matplotlib.rcParams["text.parse_math"] = False  # labels and names of speakers, clips and models may hold $

__all__ = ["Figure", "matplotlib"]
