"""Every seam still fits the moto that is installed, and moto is the one they were cut for."""

from __future__ import annotations

from dataclasses import replace
from importlib import metadata

import pytest

from localcloud import Cloud, seams
from localcloud.cuts import Seam, misfit
from tests.integration.localcloud.conftest import Deploy


def test_moto_is_the_pinned_version() -> None:
    assert metadata.version("moto") == seams.MOTO_VERSION == "5.2.5"


@pytest.mark.parametrize("seam", seams.SEAMS, ids=lambda seam: f"{seam.owner}.{seam.name}")
def test_the_replaced_name_exists_with_the_signature_we_replace(seam: Seam) -> None:
    assert misfit(seam, seams.MOTO_VERSION) is None


def test_a_seam_that_no_longer_fits_says_so_readably() -> None:
    seam = seams.SEAMS[0]
    gone = replace(seam, name="sent_event")
    assert misfit(gone, "9.9") == "moto.s3.notifications.sent_event is gone in version 9.9"
    changed = replace(seam, signature="(event)")
    assert misfit(changed, "9.9") == (
        "moto.s3.notifications.send_event is (account_id, event_name, bucket, key) in version 9.9, "
        "the seam expects (event)"
    )
    there = replace(seam, signature=None)
    assert misfit(there, "9.9") == (
        "moto.s3.notifications.send_event is there in version 9.9, cut it instead"
    )


def test_everything_is_put_back_when_the_cloud_closes(deploy: Deploy) -> None:
    before = [getattr(seam.holder(), seam.name, None) for seam in seams.SEAMS]
    cloud = deploy("  Queue: {Type: AWS::SQS::Queue}")
    during = [getattr(seam.holder(), seam.name, None) for seam in seams.SEAMS]
    assert not any(one is two for one, two in zip(before, during, strict=True))
    cloud.close()
    after = [getattr(seam.holder(), seam.name, None) for seam in seams.SEAMS]
    assert all(one is two for one, two in zip(before, after, strict=True))


def test_addresses_that_moto_lacks_are_there_while_the_cloud_is(deploy: Deploy) -> None:
    paths = seams.running.ram.urls.url_paths
    before = dict(paths)
    cloud = deploy("  Queue: {Type: AWS::SQS::Queue}")
    assert "{0}/listresources$" in paths
    with pytest.raises(RuntimeError, match="listresources"), seams.running.ram.routed():
        pass
    cloud.close()
    assert paths == before


def test_a_moto_of_another_version_is_refused(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seams.running.moto, "__version__", "6.0.0")
    with pytest.raises(RuntimeError, match=r"the seams fit moto 5\.2\.5, not 6\.0\.0"):
        deploy("  Queue: {Type: AWS::SQS::Queue}")


def test_the_queue_internals_the_state_reads_are_there(deploy: Deploy) -> None:
    cloud = deploy("  Queue: {Type: AWS::SQS::Queue}")
    state = seams.State("123456789012", "eu-west-1")
    arn = cloud.stack.attribute("Queue", "Arn")
    url = cloud.physical_id("Queue")
    for body in ("one", "two", "x" * 50):
        cloud.client("sqs").send_message(QueueUrl=url, MessageBody=body)
    assert len(state.waiting(arn)) == 3
    taken, moved = state.receive(arn, 10, 30, 20)
    assert [each.body for each in taken] == ["one", "two"]
    assert moved == []
    assert taken[0].attributes["ApproximateReceiveCount"] == "1"
    state.delete(arn, taken[0].receipt_handle)
    state.delete(arn, taken[0].receipt_handle)
    assert len(state.waiting(arn)) == 2
    assert state.receive("arn:aws:sqs:eu-west-1:123456789012:none", 10, 30, 20) == ([], [])


def test_a_second_cloud_in_the_process_is_refused(deploy: Deploy, tmp_path) -> None:  # type: ignore[no-untyped-def]
    deploy("  Queue: {Type: AWS::SQS::Queue}")
    with pytest.raises(RuntimeError, match="another local cloud runs in this process"):
        Cloud(build=tmp_path).__enter__()


def test_ids_are_equal_from_run_to_run(tmp_path) -> None:  # type: ignore[no-untyped-def]
    versions = []
    for _ in range(2):
        with Cloud(build=tmp_path) as cloud:
            s3 = cloud.client("s3")
            s3.put_bucket_versioning(
                Bucket=cloud.packages, VersioningConfiguration={"Status": "Enabled"}
            )
            versions.append(s3.put_object(Bucket=cloud.packages, Key="a")["VersionId"])
    assert versions[0] == versions[1]
