from signalbox.domain.rejecting import rejection_of, replaces
from signalbox.errors import Rejected
from tests.fakes import NOON, ref

PROBLEM = Rejected("bad-line", "line 3 is torn", line=3, row_group=1)


def test_everything_known_is_kept():
    kept = rejection_of(PROBLEM, ref("raw/h/a"), NOON)
    assert (kept.reason, kept.message, kept.line, kept.row_group, kept.at) == (
        "bad-line",
        "line 3 is torn",
        3,
        1,
        NOON,
    )


def test_one_reason_is_kept_and_it_is_the_newest_versions():
    old = rejection_of(PROBLEM, ref("raw/h/a", "1"), NOON)
    new = rejection_of(PROBLEM, ref("raw/h/a", "2"), NOON)
    assert replaces(new, None)
    assert replaces(new, old)
    assert replaces(old, old)
    assert not replaces(old, new)
