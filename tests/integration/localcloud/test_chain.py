"""The thin end to end: a file in S3 sets off a rule, a queue, a function and its own event."""

from __future__ import annotations

from pathlib import Path

import pytest

from localcloud import Cloud
from tests.integration.localcloud.builds import chain_build


def test_a_file_goes_through_the_chain(tmp_path: Path) -> None:
    with Cloud(build=chain_build(tmp_path)) as cloud:
        cloud.deploy()
        bucket, s3 = cloud.physical_id("Bucket"), cloud.client("s3")
        s3.put_object(Bucket=bucket, Key="raw/a b.csv", Body=b"1,2")
        cloud.run_until_idle()
        done = s3.get_object(Bucket=bucket, Key="done/raw/a b.csv")["Body"].read()
        assert done == b"1,2 from the layer/python/signalbox"
        for record in cloud.journal:
            print(record)


def test_two_clouds_one_after_the_other_share_nothing(tmp_path: Path) -> None:
    build = chain_build(tmp_path)
    for _ in range(2):
        with Cloud(build=build) as cloud:
            cloud.deploy()
            assert "Contents" not in cloud.client("s3").list_objects_v2(
                Bucket=cloud.physical_id("Bucket")
            )
            assert len(cloud.journal) == 0
    with Cloud(build=build), pytest.raises(RuntimeError, match="another local cloud"):
        Cloud(build=build).__enter__()
