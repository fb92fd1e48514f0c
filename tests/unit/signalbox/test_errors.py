import pytest

from signalbox.errors import Misconfigured, Rejected, SignalboxError, Transient


def test_rejected_says_what_where_and_names_another_source_in_front():
    problem = Rejected("no-such-column", "no column 'a'", source="raw/h/a", column="a", row=3)
    assert str(problem) == "raw/h/a: no column 'a'"
    assert (problem.reason, problem.column, problem.row, problem.line) == (
        "no-such-column",
        "a",
        3,
        None,
    )
    assert str(Rejected("empty", "no rows")) == "no rows"


@pytest.mark.parametrize("kind", [Rejected, Transient, Misconfigured])
def test_one_tree(kind):
    assert issubclass(kind, SignalboxError)
