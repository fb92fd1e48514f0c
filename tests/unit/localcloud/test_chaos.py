"""Faults: read from words, dealt out by seed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.chaos import KILLED, Chaos, Disorder
from localcloud.clock import Clock

NOW = datetime(2026, 7, 1, tzinfo=UTC)
COUNTS = st.dictionaries(st.sampled_from(["s3", "sqs", "dynamodb"]), st.integers(1, 99))


@given(
    st.builds(
        Chaos,
        seed=st.integers(0, 99),
        twice=st.booleans(),
        shuffle=st.booleans(),
        visibility=st.booleans(),
        delay=st.sampled_from([0.0, 0.5, 30.0]),
        throttle=COUNTS,
        fail=COUNTS,
        kill=st.none() | st.integers(1, 99),
    )
)
def test_what_is_written_is_read_back(chaos):
    words, _, seed = str(chaos).partition(" (seed ")
    assert Chaos.parse("" if words == "none" else words, int(seed.rstrip(")"))) == chaos


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("trice", "'trice' is not known; there are twice"),
        ("delay=soon", "a number above zero is wanted, not 'soon'"),
        ("delay=nan", "a number above zero is wanted, not 'nan'"),
        ("delay=inf", "a number above zero is wanted, not 'inf'"),
        ("kill=0", "a number above zero is wanted, not '0'"),
        ("throttle=lambada:3", "the service is one of dynamodb"),
        ("twice=2", "'twice=2' is not known"),
    ],
)
def test_words_that_are_none_are_told(words, said):
    with pytest.raises(ValueError, match=said):
        Chaos.parse(words)


def test_the_nth_call_and_its_repeats_in_the_same_invocation_are_struck():
    disorder = Disorder(Chaos(throttle={"s3": 2}, fail={"sqs": 1}))
    calls = [("s3", "GetObject", 1), ("s3", "PutObject", 1), ("s3", "PutObject", 1)]
    calls += [("s3", "GetObject", 1), ("s3", "PutObject", 2), ("sqs", "SendMessage", 2)]
    struck = [disorder.strikes(*call) for call in calls]
    assert struck == [None, "SlowDown", "SlowDown", None, None, "InternalError"]


def test_a_process_is_killed_at_one_call_only():
    disorder = Disorder(Chaos(kill=2))
    assert disorder.strikes("s3", "GetObject", 1) is None
    assert disorder.strikes("dynamodb", "PutItem", 1) == KILLED
    assert disorder.strikes("dynamodb", "PutItem", 2) is None


def order_of(chaos, count=50):
    clock, seen = Clock(NOW, Disorder(chaos).rank), []
    for k in range(count):
        clock.after(0, lambda k=k: seen.append(k))
    clock.after(1, lambda: seen.append("later"))
    while task := clock.take():
        task()
    return seen


def test_equal_times_are_shuffled_by_seed_and_others_never():
    plain = order_of(Chaos())
    assert plain == [*range(50), "later"]
    one, again, other = (order_of(Chaos(shuffle=True, seed=seed)) for seed in (1, 1, 2))
    assert one == again != other
    assert one != plain
    assert sorted(one[:-1]) == plain[:-1]
    assert one[-1] == other[-1] == "later"


def test_messages_come_again_within_the_invocation_and_only_then():
    disorder, seen = Disorder(Chaos(visibility=True, seed=5)), []
    disorder.meanwhile(lambda: bool(seen.append(1)) or True)
    for _ in range(10):
        disorder.strikes("s3", "GetObject", 1)
    assert (len(seen), disorder.dealt["visibility"]) == (1, 1)
    disorder.meanwhile(lambda: bool(seen.append(1)) or True)
    disorder.unheard()
    for _ in range(10):
        disorder.strikes("s3", "GetObject", 2)
    assert (len(seen), disorder.dealt["visibility"]) == (1, 1)
