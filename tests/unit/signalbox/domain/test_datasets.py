"""Files become runs of pipelines: each file in one run, whatever comes twice, late or half."""

import json
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalbox.contracts.datasets import JUDGED_RUNS, Consumed
from signalbox.contracts.operation_keys import inputs_key, predicted_key, predictions_key
from signalbox.domain.datasets import MAX_FILES, DatasetIntake, PipelineStart, complete
from signalbox.domain.due import note_of
from signalbox.domain.truth import PATIENCE, Predicted
from signalbox.errors import NotDeployed, Rejected, Transient
from tests.fakes import BUCKET, NOON, Crash, Fuse, HeardBus, InMemoryRunTable, ref, workload
from tests.operated import InMemoryLedger
from tests.promoted import HeardTopic

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
OPERATIONS = {"owner": "owner@example.com", "card": {"purpose": "to be tested"}}


@dataclass
class Folder:
    """Objects by key."""

    fuse: Fuse = field(default_factory=Fuse)
    bucket: str = BUCKET
    held: dict = field(default_factory=dict)
    gone: set = field(default_factory=set)

    def put(self, key, content):
        with self.fuse.around():
            self.held[key] = content

    def keys(self, prefix):
        return [key for key in self.held if key.startswith(prefix)]

    def present(self, keys):
        return sorted(set(keys) - self.gone)

    def current(self, key):
        return None if key not in self.held else (ref(key), len(self.held[key]))

    def find(self, key):
        return self.held.get(key)


@dataclass
class Past:
    """What runs consumed."""

    fuse: Fuse = field(default_factory=Fuse)
    held: dict = field(default_factory=dict)

    def recent(self, kind, name, most):
        runs = [each for (k, n, _), each in self.held.items() if (k, n) == (kind, name)]
        return sorted(runs, key=lambda each: each.at, reverse=True)[:most]

    def latest(self, kind, name):
        return next(iter(self.recent(kind, name, 1)), None)

    def remember(self, kind, name, consumed):
        with self.fuse.around():
            self.held[kind, name, consumed.run] = consumed


@dataclass
class Started:
    """Executions by token; a token that is known starts nothing."""

    fuse: Fuse = field(default_factory=Fuse)
    runs: dict = field(default_factory=dict)
    going: set = field(default_factory=set)

    def under_way(self, execution):
        return execution in self.going

    def start(self, pipeline, workload, run, parameters):
        with self.fuse.around():
            self.runs.setdefault((pipeline, workload.name, run), dict(parameters))
        return f"arn:{pipeline}/{run}"


class World:
    def __init__(self, fuse=None):
        fuse = fuse or Fuse()
        self.workloads = {
            name: workload(name, operations=OPERATIONS) for name in ("abalone", "air_quality")
        } | {"hvac": workload("hvac")}
        self.table = InMemoryRunTable(fuse)
        self.folder, self.past, self.started = Folder(fuse), Past(fuse), Started(fuse)
        self.bus, self.topic, ledger = HeardBus(fuse), HeardTopic(fuse), InMemoryLedger(fuse)
        self.intake = DatasetIntake(self.workloads, self.table, ledger, self.topic)
        self.starter = PipelineStart(
            self.workloads, self.table, self.folder, self.past,
            Predicted(self.folder, self.past, self.started), self.started, self.bus,
            ledger, self.topic,
        )  # fmt: skip

    def predicted(self, run, at, *, done=True):
        """A batch run of that moment, whose predictions are there or still being made."""
        consumed = Consumed(run=run, inputs=f"s3://x/{run}", at=at, execution=f"arn:batch/{run}")
        self.past.remember("inference", "abalone", consumed)
        if done:
            self.folder.put(predicted_key("abalone", run), b"id\n")
        else:
            self.started.going.add(consumed.execution)

    def files(self, run, name="abalone"):
        first, *rest = json.loads(self.folder.held[inputs_key(name, run)])
        assert first == {"prefix": f"s3://{BUCKET}/"}
        return rest

    def consumed(self):
        return sorted(key for _, name, run in self.started.runs for key in self.files(run, name))


def test_files_that_come_together_are_one_run():
    world = World()
    for minute, name in enumerate(("a.csv", "b.csv")):
        source = ref(f"training/abalone/{name}")
        assert world.intake.take_in(source, NOON + minute * MINUTE) == "noted"
        assert world.intake.take_in(source, NOON + minute * MINUTE) == "repeated"
    assert world.starter.start(NOON + 2 * MINUTE) == "nothing", "more may come"
    assert world.starter.start(NOON + 3 * MINUTE) == "started"
    assert world.starter.start(NOON + 8 * MINUTE) == "nothing"
    ((pipeline, name, run),) = world.started.runs
    assert (pipeline, name) == ("train", "abalone")
    assert world.files(run) == ["training/abalone/a.csv", "training/abalone/b.csv"]
    assert "Truth" not in world.started.runs[pipeline, name, run]
    (event,) = world.bus.heard
    assert (event.pipeline, event.run, event.files) == ("train", run, 2)


def test_a_file_that_says_ready_ends_the_wait():
    world = World()
    world.intake.take_in(ref("inference/abalone/a.csv"), NOON)
    world.intake.take_in(ref("inference/abalone/_SUCCESS"), NOON)
    assert world.starter.start(NOON + MINUTE) == "started"
    ((pipeline, _, run),) = world.started.runs
    assert pipeline == "batch"
    assert world.files(run) == ["inference/abalone/a.csv"]


def test_a_file_whose_event_comes_after_that_of_success_is_in_the_same_run():
    """Events keep no order, so a file that says ready ends the wait a little later."""
    world = World()
    world.intake.take_in(ref("training/abalone/a.csv"), NOON)
    world.intake.take_in(ref("training/abalone/_SUCCESS"), NOON + MINUTE / 6)
    assert world.starter.start(NOON + MINUTE) == "nothing"
    world.intake.take_in(ref("training/abalone/b.csv"), NOON + MINUTE / 12)
    world.starter.start(NOON + 6 * MINUTE)
    ((_, _, run),) = world.started.runs
    assert world.files(run) == ["training/abalone/a.csv", "training/abalone/b.csv"]


@pytest.mark.parametrize(
    "name",
    [
        "_SUCCESS", "dir/", "_temporary/x", ".hidden", "_temporary/0/part-0", "day=1/_delta_log/0.json",
        "_temporary/0/_SUCCESS", ".spark/part-0.csv",
    ],
)  # fmt: skip
def test_what_holds_no_data_starts_nothing(name):
    world = World()
    outcome = world.intake.take_in(ref(f"inference/abalone/{name}"), NOON)
    assert outcome == ("noted" if name == "_SUCCESS" else "ignored")
    assert world.starter.start(NOON + 9 * MINUTE) == "nothing"
    assert (world.started.runs, world.bus.heard) == ({}, [])


def triggered(world, content, *keys, kind="training", minute=0):
    for key in keys:
        world.intake.take_in(ref(f"{kind}/abalone/{key}", f"{minute:08x}"), NOON + minute * MINUTE)
    success = f"{kind}/abalone/_SUCCESS"
    world.folder.held[success] = content
    world.intake.take_in(ref(success, f"{minute:08x}"), NOON + minute * MINUTE)
    return world.starter.start(NOON + (minute + 1) * MINUTE)


def test_a_trigger_file_says_how_its_run_is_to_be():
    world = World()
    told = b'{"RegisterNewBaseline": false, "SuppliedBaseline": "s3://b/v1"}'
    assert triggered(world, told, "a.csv") == "started"
    assert triggered(world, b"", "b.csv", minute=9) == "started"
    first, second = world.started.runs.values()
    assert (first["RegisterNewBaseline"], first["SuppliedBaseline"]) == ("False", "s3://b/v1")
    assert set(second) == {"Inputs"}
    assert triggered(
        world, b'{"SkipDataQualityCheck": "True"}', "c.csv", kind="inference", minute=20
    )
    assert list(world.started.runs.values())[-1]["SkipDataQualityCheck"] == "True"


def test_a_trigger_file_alone_starts_the_latest_files_anew_if_it_asks_for_something():
    world = World()
    triggered(world, b"", "a.csv")
    assert triggered(world, b" \n", minute=9) == "nothing", "as Spark writes it where nothing came"
    assert triggered(world, b'{"SkipTrainingDataCheck": true}', minute=20) == "started"
    (_, one), (_, two) = world.started.runs.items()
    assert (one.get("SkipTrainingDataCheck"), two["SkipTrainingDataCheck"]) == (None, "True")
    assert [world.files(run) for _, _, run in world.started.runs] == [
        ["training/abalone/a.csv"]
    ] * 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"now!", "is neither empty nor a JSON object; it may hold RegisterNewBaseline, "),
        (b"[1]", "is neither empty nor a JSON object"),
        (b'{"Inputs": "s3://x"}', "names 'Inputs'; it may hold RegisterNewBaseline"),
        (b'{"SkipDataQualityCheck": true}', "names 'SkipDataQualityCheck'"),
        (b'{"RegisterNewBaseline": 1}', "has 1 for RegisterNewBaseline, which is true or false"),
        (
            b'{"SuppliedBaseline": "/tmp"}',
            'has "/tmp" for SuppliedBaseline, which is an s3:// folder',
        ),
        (b" " * 16385, "has 16385 bytes, 16384 at most are taken"),
        (b'{"RegisterNewBaseline": true}', "no file"),
    ],
)
def test_a_trigger_file_that_is_none_is_told_once_and_starts_nothing(content, words):
    world = World()
    assert triggered(world, content, *(() if words == "no file" else ("a.csv",))) == "nothing"
    assert world.starter.start(NOON + 9 * MINUTE) == "nothing"
    (mail,) = world.topic.messages
    assert ("put files there" if words == "no file" else words) in mail.body
    assert not world.started.runs
    assert not world.table.opened


def test_spark_writes_one_run():
    world = World()
    for name in ("_temporary/0/part-0.csv", "day=1/part-0.csv", "_SUCCESS"):
        world.intake.take_in(ref(f"training/abalone/{name}"), NOON)
    world.starter.start(NOON + 9 * MINUTE)
    assert world.consumed() == ["training/abalone/day=1/part-0.csv"]


def test_a_file_that_was_deleted_since_is_left_out():
    world = World()
    for name in ("a", "b"):
        world.intake.take_in(ref(f"training/abalone/{name}.csv"), NOON)
    world.folder.gone.add("training/abalone/a.csv")
    assert world.starter.start(NOON + 9 * MINUTE) == "started"
    assert world.consumed() == ["training/abalone/b.csv"]
    assert world.bus.heard[0].files == 1


def test_files_that_were_all_deleted_since_start_nothing():
    world = World()
    world.intake.take_in(ref("training/abalone/a.csv"), NOON)
    world.folder.gone.add("training/abalone/a.csv")
    assert world.starter.start(NOON + 9 * MINUTE) == "nothing"
    assert world.starter.start(NOON + 14 * MINUTE) == "nothing"
    assert (world.started.runs, world.bus.heard, world.table.opened) == ({}, [], {})


def test_files_of_a_window_are_one_run_whatever_their_number():
    world = World()
    for number in range(1200):
        world.intake.take_in(ref(f"training/abalone/{number:04}.csv"), NOON)
    assert world.starter.start(NOON + MINUTE) == "nothing", "many are no reason not to wait"
    world.starter.start(NOON + 9 * MINUTE)
    assert len(world.started.runs) == 1
    assert len(world.consumed()) == 1200


def test_what_is_more_than_a_run_takes_is_in_the_next():
    notes = [note_of(str(n), (f"training/abalone/{n}.csv",), NOON) for n in range(MAX_FILES)]
    assert not complete(notes[:-1], NOON, MINUTE)
    assert complete(notes, NOON, MINUTE), "no wait makes room for more"


@pytest.mark.parametrize("key", ["training/hvac/a.csv", "training/nobody/a.csv", "training/a.csv"])
def test_an_unknown_prefix_is_refused_with_those_there_are(key):
    world = World()
    for number in range(3):
        with pytest.raises(Rejected, match=r"abalone, air_quality|training/<workload>/<path>"):
            world.intake.take_in(ref(key.replace("a.csv", f"{number}.csv")), NOON)
    (mail,) = world.topic.messages
    assert (mail.attributes["status"], mail.attributes["owner"]) == ("Refused", "unknown")
    assert mail.subject.endswith("files under training/ start no run - Action Required")
    assert key.replace("a.csv", "0.csv") in mail.body
    with pytest.raises(Rejected):
        world.intake.take_in(ref(key), NOON + DAY)
    assert len(world.topic.messages) == 2
    assert world.intake.take_in(ref("training/abalone/a.csv"), NOON) == "noted"


def test_ground_truth_is_held_against_all_that_was_predicted_lately():
    world = World()
    for number, run in enumerate(("monday", "tuesday")):
        world.predicted(run, NOON - (2 - number) * DAY)
    world.predicted("failed", NOON - DAY / 2, done=False)
    world.started.going.clear()
    world.intake.take_in(ref("ground-truth/abalone/t.csv"), NOON)
    world.starter.start(NOON + 9 * MINUTE)
    (((pipeline, _, run), told),) = world.started.runs.items()
    assert pipeline == "batch"
    inputs = f"s3://{BUCKET}/{inputs_key('abalone', run)}"
    listed = predictions_key("abalone", run)
    assert told == {
        "Inputs": inputs, "Truth": inputs, "Predictions": f"s3://{BUCKET}/{listed}",
    }  # fmt: skip
    assert json.loads(world.folder.held[listed])[1:] == [
        predicted_key("abalone", "monday"), predicted_key("abalone", "tuesday"),
    ]  # fmt: skip


def test_no_more_than_the_latest_runs_are_judged():
    world = World()
    for number in range(JUDGED_RUNS + 2):
        world.predicted(f"r{number:02}", NOON - (99 - number) * DAY)
    found = world.starter.predicted.files("abalone")
    assert len(found) == JUDGED_RUNS
    assert predicted_key("abalone", "r01") not in found


def test_ground_truth_waits_for_predictions_that_are_being_made():
    world = World()
    world.predicted("old", NOON - DAY)
    world.predicted("new", NOON, done=False)
    world.intake.take_in(ref("ground-truth/abalone/t.csv"), NOON)
    assert world.starter.start(NOON + 9 * MINUTE) == "nothing"
    world.predicted("new", NOON)
    assert world.starter.start(NOON + 14 * MINUTE) == "started"
    (told,) = world.started.runs.values()
    assert "new" in world.folder.held[told["Predictions"].removeprefix(f"s3://{BUCKET}/")].decode()


def test_ground_truth_waits_for_files_that_came_with_it():
    world = World()
    world.predicted("old", NOON - DAY)
    world.intake.take_in(ref("ground-truth/abalone/t.csv"), NOON)
    world.intake.take_in(ref("inference/abalone/a.csv"), NOON + 2 * MINUTE)
    world.starter.start(NOON + 3 * MINUTE)
    assert world.started.runs == {}, "truth is quiet, and what it may be of is not"
    world.starter.start(NOON + 9 * MINUTE)
    assert next(iter(world.started.runs.values()))["Truth"] == "none"


def test_ground_truth_does_not_wait_for_ever():
    world = World()
    world.predicted("old", NOON - DAY)
    world.intake.take_in(ref("ground-truth/abalone/t.csv"), NOON)
    world.predicted("stuck", NOON, done=False)
    assert world.starter.start(NOON + PATIENCE - MINUTE) == "nothing"
    assert world.starter.start(NOON + PATIENCE) == "started"


def test_ground_truth_of_nothing_is_told_once_and_blocks_nobody():
    world = World()
    world.intake.take_in(ref("ground-truth/abalone/t.csv"), NOON)
    world.starter.start(NOON + 9 * MINUTE)
    world.starter.start(NOON + 14 * MINUTE)
    (event,) = world.bus.heard
    assert event.detail_type() == "PipelineRefused"
    assert "nothing was predicted for abalone yet" in event.message
    (mail,) = world.topic.messages
    assert mail.attributes["owner"] == "owner@example.com"
    assert mail.attributes["status"] == "Refused"
    assert mail.subject == "abalone: files that came started no run - Action Required"
    assert "put files under inference/abalone/ first" in mail.body
    assert event.inputs_key in mail.body
    assert not world.started.runs
    assert not world.table.opened


def test_truth_that_keeps_coming_does_not_wait_for_ever_either():
    world = World()
    world.predicted("monday", NOON - DAY)
    for hour in range(8):  # as do files to predict for
        at = NOON + hour * 60 * MINUTE
        world.intake.take_in(ref(f"ground-truth/abalone/{hour}.csv"), at)
        world.intake.take_in(ref(f"inference/abalone/{hour}.csv"), at + 9 * MINUTE)
        world.starter.start(at + 9 * MINUTE)
    (run,) = (run for pipeline, _, run in world.started.runs if pipeline == "batch")
    assert world.files(run) == [f"ground-truth/abalone/{hour}.csv" for hour in range(7)]


@pytest.mark.parametrize("fails", range(1, 9))
def test_power_fails_while_refusing_and_the_owner_hears_of_it(fails):
    """At worst the mail goes out twice: where the power fails between the topic and the note of it."""
    fuse = Fuse()
    world = World(fuse)
    world.intake.take_in(ref("ground-truth/abalone/t.csv"), NOON)
    fuse.at = fuse.steps + fails
    for minute in range(9, 40, 5):
        try:
            world.starter.start(NOON + minute * MINUTE)
        except Crash:
            continue
    assert 1 <= len(world.topic.messages) <= 2
    assert len({each.body for each in world.topic.messages}) == 1
    assert {event.detail_type() for event in world.bus.heard} == {"PipelineRefused"}
    assert not world.table.opened


def test_a_pipeline_that_is_not_there_is_told_once_and_blocks_nobody():
    world = World()
    start = world.started.start

    def failing(pipeline, workload, run, parameters):
        if workload.name == "abalone":
            raise NotDeployed("pipeline signalbox-train does not exist; deploy template.yaml again")
        return start(pipeline, workload, run, parameters)

    world.started.start = failing
    for name in ("abalone", "air_quality"):
        world.intake.take_in(ref(f"training/{name}/a.csv"), NOON)
    assert world.starter.start(NOON + 9 * MINUTE) == "started"
    assert world.starter.start(NOON + 14 * MINUTE) == "nothing"
    assert [name for _, name, _ in world.started.runs] == ["air_quality"]
    refused, started = world.bus.heard
    assert (refused.detail_type(), refused.workload) == ("PipelineRefused", "abalone")
    assert started.workload == "air_quality"
    (mail,) = world.topic.messages
    assert (mail.attributes["status"], mail.attributes["owner"]) == ("Refused", "owner@example.com")
    assert "signalbox-train does not exist" in mail.body
    assert "copy the files of abalone to their place again" in mail.body
    assert ("training", "abalone") not in world.past.held, "nothing was consumed by it"
    assert not world.table.opened


@given(
    st.permutations([(name, k) for name in ("a", "b", "c") for k in range(2)]),
    st.integers(1, 40),
)
def test_power_fails_at_any_call_and_every_file_is_in_one_run(arrivals, fails):
    fuse = Fuse()
    world = World(fuse)
    for minute, (name, _) in enumerate(arrivals):
        world.intake.take_in(ref(f"training/abalone/{name}.csv"), NOON + minute * MINUTE)
    fuse.at = fuse.steps + fails
    for minute in range(9, 60, 5):
        try:
            world.starter.start(NOON + minute * MINUTE)
        except Crash:
            continue
    assert world.consumed() == [f"training/abalone/{name}.csv" for name in "abc"]
    assert not world.table.opened
    assert {event.run for event in world.bus.heard} == {run for *_, run in world.started.runs}


def test_one_workloads_trouble_is_not_anothers():
    world = World()
    for name in ("abalone", "air_quality"):
        world.intake.take_in(ref(f"training/{name}/a.csv"), NOON)
    start = world.started.start

    def failing(pipeline, workload, run, parameters):
        if workload.name == "abalone":
            raise Transient("throttled")
        return start(pipeline, workload, run, parameters)

    world.started.start = failing
    with pytest.raises(Transient):
        world.starter.start(NOON + 9 * MINUTE)
    assert [name for _, name, _ in world.started.runs] == ["air_quality"]
