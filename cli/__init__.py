"""The command ``signalbox``: argument parsing and printing; the work is done elsewhere."""
