"""A promoted fault model scores from then on, only forward, and what is none does not."""

from __future__ import annotations

import io
import tarfile

import pytest

from signalbox.contracts.keys import current_model_key
from signalbox.contracts.model_schema import FILE, ONNX
from signalbox.contracts.packages import PENDING, REJECTED
from signalbox.contracts.scoring import CurrentModel
from signalbox.domain.in_service import InService
from signalbox.errors import Transient
from tests.fakes import BUCKET, model_in_service
from tests.promoted import World, arn

POINTER = current_model_key("hvac")


def archive(version: str, workload: str = "hvac", *names: str) -> bytes:
    """A model.tar.gz as a training job leaves it."""
    schema = model_in_service(workload, version).schema_.model_dump_json().encode()
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as tar:
        for name in names or (f"./{FILE}", ONNX, "training.json"):
            content = schema if name.endswith(FILE) else b"graph"
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return target.getvalue()


class Foretelling(World):
    """A world whose workload predicts faults."""

    def __init__(self) -> None:
        super().__init__()
        self.scored = frozenset({"hvac"})

    def made(self, version: int, content: bytes | None = None) -> None:
        key = f"packages/hvac/{version}/model.tar.gz"
        self.files.put(key, archive(f"v{version}") if content is None else content)
        self.register(version, artifacts=(f"s3://{BUCKET}/{key}",))

    def scoring(self) -> CurrentModel | None:
        content = self.files.find(POINTER)
        return None if content is None else CurrentModel.model_validate_json(content)


def test_what_is_promoted_scores_and_the_next_one_takes_over():
    world = Foretelling()
    for version in (1, 2):
        world.made(version)
        assert world.approve(version) == "promoted"
        found = world.scoring()
        assert (found.package, found.schema_.version) == (arn(version), f"v{version}")
        key = found.model_data.removeprefix(f"s3://{BUCKET}/")
        assert world.files.find(key) == archive(f"v{version}")
    assert world.said() == ["ModelPromoted 1", "ModelPromoted 2"]


def test_a_promotion_that_is_late_or_comes_again_changes_nothing():
    world = Foretelling()
    for version in (1, 2):
        world.made(version)
        world.approve(version)
    service = InService(world.scored, world.packages, world.files)
    for version in (1, 2, 2):
        assert service.put("hvac", world.packages.find(arn(version))) is None
    assert world.scoring().package == arn(2)
    assert len(world.files.versions[POINTER]) == 2


def test_going_back_is_rejecting_the_newer_one():
    world = Foretelling()
    for version in (1, 2):
        world.made(version)
        world.approve(version)
    assert world.deliver(world.packages.set(arn(2), approval=REJECTED)) == "promoted"
    assert world.scoring().package == arn(1)


def test_where_no_other_counts_what_scores_goes_on_scoring():
    world = Foretelling()
    for version in (1, 2):
        world.made(version)
        world.approve(version)
    world.deliver(world.packages.set(arn(1), approval=PENDING))
    world.deliver(world.packages.set(arn(2), approval=REJECTED))
    assert world.scoring().package == arn(2)
    assert world.approve(1) == "promoted"
    assert world.scoring().package == arn(1)


def test_of_two_at_the_same_time_one_begins_again():
    world = Foretelling()
    world.made(1)

    class Overtaken(type(world.files)):
        """Somebody writes the pointer between look and write."""

        def tagged(self, key):
            found = super().tagged(key)
            self.put(key, b"{}")
            return found

    files = Overtaken(versions=world.files.versions)
    with pytest.raises(Transient):
        InService(world.scored, world.packages, files).put("hvac", world.packages.find(arn(1)))
    world.approve(1)
    assert world.scoring().package == arn(1), "a pointer that is none stands in nobody's way"


def test_a_model_published_by_hand_gives_way_to_a_promoted_one():
    world = Foretelling()
    by_hand = model_in_service(version="by-hand")
    world.files.put(POINTER, by_hand.model_dump_json(by_alias=True).encode())
    world.made(1)
    world.approve(1)
    assert world.scoring().package == arn(1)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no archive", "cannot be unpacked"),
        (archive("v1", "hvac", ONNX), f"holds no {FILE}"),
        (archive("v1", "hvac", FILE), f"holds no {ONNX}"),
        (archive("v1", "pumps"), "is a model of 'pumps', not of 'hvac'"),
    ],
)
def test_what_is_no_fault_model_fails_its_promotion_with_the_reason(content, reason):
    world = Foretelling()
    world.made(1, content)
    assert world.approve(1) == "failed"
    assert reason in world.bus.heard[-1].reason
    assert world.topic.statuses() == ["PromotionFailed"]
    assert world.scoring() is None


def test_an_archive_that_is_gone_and_a_workload_of_tables():
    world = Foretelling()
    world.register(1, artifacts=(f"s3://{BUCKET}/packages/hvac/gone.tar.gz",))
    assert world.approve(1) == "failed"
    assert "gone.tar.gz, is not in" in world.bus.heard[-1].reason
    world = World()
    world.register(1)
    assert world.approve(1) == "promoted"
    assert world.files.find(POINTER) is None
