import pytest

from functions.on_backfill import app
from signalbox.contracts.backfill import Manifest
from signalbox.domain.backfill import Backfill
from signalbox.errors import Transient
from tests.fakes import (
    Crash,
    Fuse,
    HeardBus,
    InMemoryClaims,
    InMemoryJob,
    InMemoryManifests,
    KeptRejections,
    LambdaContext,
    sample,
    workload,
)

EVENT = sample("aws.s3/object-created.manifest.json")
MANIFEST = Manifest(workload="hvac", keys=["history/hvac/a.csv"])


@pytest.fixture
def world(monkeypatch):
    manifests = InMemoryManifests({"backfill/hvac-2025.json": MANIFEST})
    backfill = Backfill(
        {"hvac": workload()}, manifests, InMemoryClaims(), InMemoryJob(), HeardBus()
    )
    monkeypatch.setattr(app, "backfill", lambda: backfill)
    monkeypatch.setitem(app.handler.__dict__, "rejections", KeptRejections(backfill.bus))
    return backfill


def test_a_manifest_starts_one_run(world):
    for _ in range(2):
        app.handler(EVENT, LambdaContext())
    assert len(world.job.runs) == 1
    assert [event.detail_type() for event in world.bus.heard] == ["BackfillStarted"]


def test_a_manifest_that_is_none_is_parked(world):
    world.manifests.manifests.clear()
    app.handler(EVENT, LambdaContext())
    (event,) = world.bus.heard
    assert (event.detail_type(), event.workload, event.reason) == (
        "FileRejected",
        None,
        "bad-manifest",
    )
    assert world.job.runs == []


def test_right_after_a_crash_the_platform_is_asked_to_come_again(world):
    world.job.fuse = Fuse(2)  # the run started, but nobody noted it
    with pytest.raises(Crash):
        app.handler(EVENT, LambdaContext())
    with pytest.raises(Transient, match="lease"):
        app.handler(EVENT, LambdaContext())
    assert len(world.job.runs) == 1
