"""Figures of speed and memory, as ratios: each from one run in which what is compared takes turns.

A millisecond of a shared machine says little; how two programs that took turns on it compare says more.
Run ``python -m benchmarks`` (``make bench``); ``--only NAME`` for one, ``--quick`` for fewer rounds.
"""
