"""Histories of units: cycles in order, compared with their own past, seen through windows.

Training, scoring and the windows program call these same functions, so a model sees in production
exactly what it saw in training::

    features = past.features(columns_of_a_unit)          # (cycles, features) float32
    store.write(folder, ...)                              # one float16 array, offsets, manifest
    batch, valid = sequences.windows(rows, 128)           # (windows, window, features) float16
"""

from cycles.history.labels import UNKNOWN, label, lives
from cycles.history.past import Past, fit_past
from cycles.history.sequences import Sequences, Standard
from cycles.history.windows import gather, last_window, sample

__all__ = [
    "UNKNOWN",
    "Past",
    "Sequences",
    "Standard",
    "fit_past",
    "gather",
    "label",
    "last_window",
    "lives",
    "sample",
]
