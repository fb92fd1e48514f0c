"""Formats of request and answer: a reader makes slices of records, a writer takes their outputs."""
