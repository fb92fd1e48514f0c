from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from localcloud.clock import Clock

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock(START)


def drain(clock: Clock) -> None:
    while (task := clock.take()) is not None:
        task()


def test_tasks_come_by_time_and_then_by_the_order_they_were_added(clock: Clock) -> None:
    done: list[str] = []
    for name, seconds in (("late", 9), ("first", 1), ("second", 1), ("now", 0)):
        clock.after(seconds, lambda name=name: done.append(name))
    drain(clock)
    assert done == ["now", "first", "second", "late"]
    assert clock.now() == START + timedelta(seconds=9)


def test_a_task_may_add_tasks_at_its_own_instant(clock: Clock) -> None:
    done: list[datetime] = []
    clock.after(5, lambda: clock.after(0, lambda: done.append(clock.now())))
    drain(clock)
    assert done == [START + timedelta(seconds=5)]


def test_what_is_overdue_runs_now_and_time_never_goes_back(clock: Clock) -> None:
    clock.after(60, lambda: clock.at(START, lambda: None))
    drain(clock)
    assert clock.now() == START + timedelta(seconds=60)
    clock.follow(START)
    assert clock.now() == START + timedelta(seconds=60)


def test_nothing_is_taken_beyond_the_limit(clock: Clock) -> None:
    clock.after(10, lambda: None)
    assert clock.take(until=START + timedelta(seconds=9)) is None
    assert clock.now() == START
    assert clock.take(until=START + timedelta(seconds=10)) is not None


def test_a_waiting_thread_wakes_when_a_task_is_added(clock: Clock) -> None:
    woken = threading.Event()

    def wait() -> None:
        clock.wait(60)
        woken.set()

    thread = threading.Thread(target=wait)
    thread.start()
    while not woken.is_set():  # added again until the thread has come to wait
        clock.after(0, lambda: None)
        woken.wait(0.01)
    thread.join(5)
    assert not thread.is_alive()


def test_waiting_for_what_is_due_takes_no_time(clock: Clock) -> None:
    clock.after(0, lambda: None)
    clock.wait(3600)
    assert len(clock) == 1


def test_background_tasks_run_when_time_gets_there_but_do_not_make_it_go() -> None:
    clock, seen = Clock(START), []
    clock.after(10, lambda: seen.append("background"), background=True)
    assert clock.take() is None
    clock.after(20, lambda: seen.append("foreground"))
    while (task := clock.take()) is not None:
        task()
    assert seen == ["background", "foreground"]
    assert clock.now() == START + timedelta(seconds=20)


def test_real_time_runs_background_tasks_too() -> None:
    clock, seen = Clock(START), []
    clock.after(10, lambda: seen.append("background"), background=True)
    task = clock.take(until=START + timedelta(seconds=10))
    assert task is not None
    task()
    assert seen == ["background"]
