"""Manifests that start one run each, however often and however badly they are delivered."""

from datetime import timedelta

import pytest

from signalbox.contracts.backfill import Manifest, RunReport
from signalbox.contracts.glue import JobStateChange
from signalbox.contracts.keys import report_key, run_key
from signalbox.contracts.objects import ObjectRef
from signalbox.domain.backfill import (
    LEASE,
    Backfill,
    Claim,
    Debrief,
    arguments_of,
    claim_id,
    next_step,
)
from signalbox.errors import Misconfigured, Rejected, Transient
from tests.fakes import (
    BUCKET,
    NOON,
    Crash,
    Fuse,
    HeardBus,
    InMemoryClaims,
    InMemoryJob,
    InMemoryManifests,
    InMemoryRuns,
    KeptRejections,
    ref,
    sample,
    workload,
)

SOURCE = ref("backfill/hvac-2025.json", "a1", "v1")
RUN = run_key(BUCKET, SOURCE.key, "v1")
FILES = Manifest(workload="hvac", keys=["history/hvac/a.csv", "history/hvac/b.csv"])
HVAC = {"hvac": workload()}
LATER = NOON + LEASE


class World:
    def __init__(self, manifest: Manifest | None = FILES, fuse: Fuse | None = None) -> None:
        fuse = fuse or Fuse()
        self.manifests = InMemoryManifests({SOURCE.key: manifest} if manifest else {})
        self.claims = InMemoryClaims(fuse)
        self.job = InMemoryJob(fuse)
        self.bus = HeardBus(fuse)
        self.backfill = Backfill(HVAC, self.manifests, self.claims, self.job, self.bus)


def test_a_manifest_starts_its_run_and_says_so():
    world = World()
    assert world.backfill.start(SOURCE, NOON) == "start"
    assert world.job.runs == [
        {
            "--manifest-bucket": BUCKET,
            "--manifest-key": SOURCE.key,
            "--manifest-version": "v1",
            "--run-key": RUN,
        }
    ]
    (event,) = world.bus.heard
    assert (event.run_key, event.job_run_id, event.files, event.source) == (RUN, "jr_1", 2, SOURCE)


def test_a_repeat_does_nothing_and_needs_no_manifest():
    world = World()
    world.backfill.start(SOURCE, NOON)
    world.manifests.manifests.clear()
    assert world.backfill.start(SOURCE, NOON) == "nothing"
    assert len(world.job.runs) == len(world.bus.heard) == 1


def test_a_new_version_of_a_manifest_is_a_run_of_its_own():
    world = World()
    world.backfill.start(SOURCE, NOON)
    world.backfill.start(ref(SOURCE.key, "a2", "v2"), NOON)
    assert len({told["--run-key"] for told in world.job.runs}) == 2


def test_an_unversioned_bucket_tells_the_run_no_version():
    source = ref(SOURCE.key, "a1", None)
    claim = Claim(source, "hvac", RUN, 1, NOON)
    assert "--manifest-version" not in arguments_of(claim)
    assert claim_id(source) == f"{BUCKET}/{SOURCE.key}/"


def test_a_prefix_is_counted_when_the_run_starts():
    world = World(Manifest(workload="hvac", prefix="history/hvac/"))
    world.backfill.start(SOURCE, NOON)
    assert world.bus.heard[0].files == 3


@pytest.mark.parametrize(
    ("manifest", "files", "reason"),
    [
        (None, 3, "bad-manifest"),
        (Manifest(workload="pumps", prefix="history/pumps/"), 3, "unknown-workload"),
        (Manifest(workload="hvac", prefix="history/hvac/"), 0, "empty-manifest"),
    ],
)
def test_a_manifest_that_can_never_run_claims_nothing(manifest, files, reason):
    world = World(manifest)
    world.manifests.files = files
    with pytest.raises(Rejected) as problem:
        world.backfill.start(SOURCE, NOON)
    assert problem.value.reason == reason
    assert world.claims.items == {}


def test_steps_follow_from_the_claim_that_stands():
    claim = Claim(SOURCE, "hvac", RUN, 2, NOON)
    assert next_step(claim, mine=True, now=NOON) == "start"
    assert next_step(claim, mine=False, now=LATER) == "look-and-start"
    with pytest.raises(Transient, match="lease ends after 90 s"):
        next_step(claim, mine=False, now=LATER - timedelta(microseconds=1))
    started = Claim(SOURCE, "hvac", RUN, 2, NOON, "jr_1")
    assert next_step(started, mine=False, now=NOON) == "announce"
    announced = Claim(SOURCE, "hvac", RUN, 2, NOON, "jr_1", announced=True)
    assert next_step(announced, mine=False, now=LATER) == "nothing"


def test_of_two_that_take_over_one_wins():
    world = World()
    stale = Claim(SOURCE, "hvac", RUN, 2, NOON)
    world.claims.items[claim_id(SOURCE)] = stale
    world.claims.renew(stale, LATER)
    with pytest.raises(Transient):
        world.claims.renew(stale, LATER + LEASE)


def test_of_two_that_claim_at_once_one_starts():
    world = World()
    claim = Claim(SOURCE, "hvac", RUN, 2, NOON)

    class Slow(InMemoryManifests):
        """Reads so slowly that the other one claims meanwhile."""

        def manifest(self, source):
            world.claims.items[claim_id(SOURCE)] = claim
            return super().manifest(source)

    slow = Backfill(HVAC, Slow({SOURCE.key: FILES}), world.claims, world.job, world.bus)
    with pytest.raises(Transient):
        slow.start(SOURCE, NOON)
    assert world.job.runs == []


@pytest.mark.parametrize("at", range(1, 12))
def test_power_may_fail_at_any_point_and_one_run_starts(at):
    """Steps: claim, StartJobRun, note the run, emit, note the announcement; each before and after."""
    whole = World()
    whole.backfill.start(SOURCE, NOON)
    world = World(fuse=Fuse(at))
    if at <= 10:
        with pytest.raises(Crash):
            world.backfill.start(SOURCE, NOON)
    # Lambda's two retries: one minute later, two minutes after that
    for minutes in (1, 3):
        try:
            world.backfill.start(SOURCE, NOON + timedelta(minutes=minutes))
            break
        except Transient:
            assert minutes == 1
    assert world.job.runs == whole.job.runs
    assert world.bus.said() == whole.bus.said()
    known = world.claims.items[claim_id(SOURCE)]
    assert (known.job_run_id, known.announced) == ("jr_1", True)


TOLD = arguments_of(Claim(SOURCE, "hvac", RUN, 2, NOON))


def report(**changes):
    done = {
        "source": ref("history/hvac/a.csv", "1"), "output_key": "fragments/x", "units": ["u1"],
        "cycles": 2, "rows": 9, "start": NOON, "end": NOON,
    }  # fmt: skip
    bad = {
        "source": ref("history/hvac/b.csv", "1"), "reason": "no-such-column", "message": "no ts",
        "column": "ts",
    }  # fmt: skip
    told = {
        "workload": "hvac", "run_key": RUN, "files": 2, "done": [done], "rejected": [bad],
        "units": ["u2", "u1"], "cycles": 2, "rows": 9, "start": NOON, "end": NOON,
    }  # fmt: skip
    return RunReport.model_validate(told | changes)


def change(state: str = "SUCCEEDED", run: str = "jr_1") -> JobStateChange:
    event = sample("aws.glue/glue-job-state-change.json")
    event["detail"] |= {"state": state, "jobRunId": run}
    return JobStateChange.model_validate(event)


class Ended:
    def __init__(self, fuse: Fuse | None = None, told: dict[str, str] = TOLD) -> None:
        fuse = fuse or Fuse()
        self.bus = HeardBus(fuse)
        self.claims = InMemoryClaims(fuse)
        self.claims.items[claim_id(SOURCE)] = Claim(SOURCE, "hvac", RUN, 2, NOON, "jr_1")
        self.runs = InMemoryRuns({"jr_1": told, "jr_2": told}, {RUN: report()})
        self.rejections = KeptRejections(self.bus, fuse)
        self.debrief = Debrief(self.runs, self.claims, self.rejections, self.bus)


def test_a_run_that_ended_well_is_told_file_by_file():
    ended = Ended()
    assert ended.debrief.tell(change()) == "ready"
    rejected, ready = ended.bus.heard
    assert (rejected.detail_type(), rejected.workload, rejected.column) == (
        "FileRejected",
        "hvac",
        "ts",
    )
    assert (ready.origin, ready.units, ready.source) == ("backfill", ["u1", "u2"], SOURCE)
    assert ready.output_key == report_key("hvac", RUN)
    assert ended.rejections.files["history/hvac/b.csv"].at == change().time


def test_a_run_that_accepted_nothing_announces_no_features():
    ended = Ended()
    files = report().rejected
    ended.runs.reports[RUN] = report(files=1, done=[], rejected=files, start=None, end=None)
    ended.debrief.tell(change())
    assert [event.detail_type() for event in ended.bus.heard] == ["FileRejected"]


@pytest.mark.parametrize("state", ["FAILED", "TIMEOUT", "STOPPED", "EXPIRED"])
def test_a_run_that_ended_badly_is_told_once(state):
    ended = Ended()
    assert ended.debrief.tell(change(state)) == "failed"
    assert ended.debrief.tell(change(state)) == "ignored"
    (event,) = ended.bus.heard
    assert (event.state, event.run_key, event.source) == (state, RUN, SOURCE)


def test_a_run_started_again_by_hand_is_told_too():
    ended = Ended()
    ended.debrief.tell(change("FAILED", "jr_1"))
    assert ended.debrief.tell(change("SUCCEEDED", "jr_2")) == "ready"


def test_somebody_elses_run_of_the_job_is_no_backfill_of_ours():
    assert Ended(told={}).debrief.tell(change()) == "ignored"
    ended = Ended(told={})
    assert ended.debrief.tell(change("FAILED")) == "failed"
    (event,) = ended.bus.heard
    assert (event.source, event.run_key, event.job_run_id) == (None, None, "jr_1")


def test_success_without_a_report_is_an_alarm():
    ended = Ended()
    ended.runs.reports.clear()
    with pytest.raises(Misconfigured, match="jr_1"):
        ended.debrief.tell(change())


@pytest.mark.parametrize("at", range(1, 10))
def test_power_may_fail_while_telling(at):
    whole = Ended()
    whole.debrief.tell(change())
    ended = Ended(Fuse(at))
    if at <= 8:  # park, FileRejected, CycleFeaturesReady, the note: each before and after
        with pytest.raises(Crash):
            ended.debrief.tell(change())
    ended.debrief.tell(change())
    assert ended.bus.said() == whole.bus.said()
    assert ended.rejections.files == whole.rejections.files
    assert ended.claims.items == whole.claims.items


def test_claims_are_told_apart_by_bucket_key_and_version():
    assert claim_id(ObjectRef(bucket="b", key="k", version_id="v", sequencer="1")) == "b/k/v"
