"""At most once, with the real Powertools on moto's DynamoDB."""

import json
import time

import boto3
import pytest

from signalbox.errors import Misconfigured, Rejected, Transient
from signalbox.runtime.once import EXPIRES_AFTER_S, Once
from tests.fakes import LambdaContext

KEY = "bucket/raw/hvac/a.csv/0001"


@pytest.fixture
def once(aws):
    once = Once("on_sensor_file", "IdempotencyTable")
    once.expect(LambdaContext(remaining_ms=30_000))
    return once


def records():
    return boto3.client("dynamodb").scan(TableName="IdempotencyTable")["Items"]


class Work:
    def __init__(self, *answers):
        self.answers = list(answers)
        self.done = 0

    def __call__(self):
        self.done += 1
        answer = self.answers.pop(0) if self.answers else "cut"
        if isinstance(answer, BaseException):
            raise answer
        return answer


def test_what_was_done_is_not_done_again(once):
    work = Work()
    assert [once.run(KEY, work) for _ in range(3)] == ["cut", "repeated", "repeated"]
    assert work.done == 1
    assert once.run("bucket/raw/hvac/a.csv/0002", work) == "cut"


def test_another_process_remembers_it_too(once):
    once.run(KEY, Work())
    other = Once("on_sensor_file", "IdempotencyTable")
    other.expect(LambdaContext())
    assert other.run(KEY, Work()) == "repeated"


def test_it_is_remembered_as_long_as_a_queue_can_hold_a_message(once):
    once.run(KEY, Work())
    (record,) = records()
    assert json.loads(record["data"]["S"]) == "cut"
    assert abs(int(record["expiration"]["N"]) - time.time() - EXPIRES_AFTER_S) < 60
    assert record["id"]["S"].startswith("on_sensor_file#")


@pytest.mark.parametrize("problem", [Transient("later"), Misconfigured("?"), Rejected("x", "y")])
def test_what_failed_may_be_tried_again(once, problem):
    work = Work(problem)
    with pytest.raises(type(problem)):
        once.run(KEY, work)
    assert once.run(KEY, work) == "cut"


def test_while_it_is_being_done_others_are_turned_away(once):
    other = Once("on_sensor_file", "IdempotencyTable")
    other.expect(LambdaContext())

    def work():
        with pytest.raises(Transient, match="another invocation"):
            other.run(KEY, Work())
        (record,) = records()
        left = int(record["in_progress_expiration"]["N"]) / 1000 - time.time()
        assert 0 < left <= 30  # no longer than this invocation can live
        return "cut"

    assert once.run(KEY, work) == "cut"


def test_what_a_killed_invocation_began_can_be_done_after_its_time(aws):
    killed = Once("on_sensor_file", "IdempotencyTable")
    killed.expect(LambdaContext(remaining_ms=-1))
    with pytest.raises(KeyboardInterrupt):  # what no handler catches
        killed.run(KEY, Work(KeyboardInterrupt()))
    heir = Once("on_sensor_file", "IdempotencyTable")
    heir.expect(LambdaContext())
    assert heir.run(KEY, Work()) == "cut"


def test_a_table_that_is_not_there_is_a_wrong_deployment(aws):
    once = Once("on_sensor_file", "nowhere")
    once.expect(LambdaContext())
    with pytest.raises(Misconfigured, match="table nowhere"):
        once.run(KEY, Work())
