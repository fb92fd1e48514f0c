"""The thin end to end: a file in S3 sets off a rule, a queue, a function and its own event."""

from __future__ import annotations

from pathlib import Path

from localcloud import Cloud
from localcloud.trace import causes_of, roots, tree
from tests.integration.localcloud.builds import chain_build


def test_a_file_goes_through_the_chain(tmp_path: Path) -> None:
    with Cloud(build=chain_build(tmp_path)) as cloud:
        cloud.deploy()
        bucket, s3 = cloud.physical_id("Bucket"), cloud.client("s3")
        s3.put_object(Bucket=bucket, Key="raw/a b.csv", Body=b"1,2")
        s3.put_object(Bucket=bucket, Key="elsewhere/a.csv", Body=b"1,2")
        cloud.run_until_idle()
        done = s3.get_object(Bucket=bucket, Key="done/raw/a b.csv")["Body"].read()
        assert done == b"1,2 from the layer/python/signalbox"
        first, second = roots(cloud.journal)
        path, node = [], tree(cloud.journal, first.id, lambda _, effect: effect.kind != "call")
        while node.effects:
            path.append((node.record.kind, node.record.name))
            node = node.effects[0]
        assert path == [
            ("event", "Object Created"),
            ("rule", "signalbox-Raw"),
            ("delivery", "signalbox-Queue"),
            ("invocation", "signalbox-Door"),
        ]
        invocation = next(record for record in cloud.journal if record.kind == "invocation")
        caused = [record for record in cloud.journal if invocation.id in causes_of(record)]
        calls = [record.name for record in caused if record.kind == "call"]
        assert calls == [
            "s3:GetObject", "s3:PutObject", "events:PutEvents",
            "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents",
        ]  # fmt: skip
        caused = [record for record in caused if record.kind != "call"]
        assert [(record.kind, record.name) for record in caused] == [
            ("log", "signalbox-Door"),
            ("event", "Object Created"),
            ("event", "Done"),
        ]
        assert caused[2].detail["bus"] == "signalbox-bus"
        assert caused[2].detail["detail"] == {"key": "raw/a b.csv", "function": "signalbox-Door"}
        assert tree(cloud.journal, second.id).effects == []


def test_a_second_run_of_equal_steps_leaves_an_equal_journal(tmp_path: Path) -> None:
    build, told = chain_build(tmp_path), []
    for _ in range(2):
        with Cloud(build=build) as cloud:
            cloud.deploy()
            assert len(cloud.journal) == 0
            for key in ("raw/1", "raw/bad", "raw/2"):
                cloud.client("s3").put_object(Bucket=cloud.physical_id("Bucket"), Key=key)
            cloud.run_until_idle()
            told.append([(r.id, r.cause, r.kind, r.name, r.status) for r in cloud.journal])
    assert told[0] == told[1]
    assert len(told[0]) > 20
