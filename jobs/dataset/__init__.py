"""The dataset program: cycles of a fleet become sequences to learn from, or windows to score."""
