from __future__ import annotations

from pathlib import Path

import pytest

from localcloud.engines.base import RunError
from localcloud.engines.ml import MlFolder, split

FOLDER = MlFolder(Path("/job"), None)


@pytest.mark.parametrize(
    ("text", "here"),
    [
        ("/opt/ml", "/job/opt/ml"),
        ("/opt/ml/model", "/job/opt/ml/model"),
        ("--out=/opt/ml/model", "--out=/job/opt/ml/model"),
        ("/opt/ml/a:/opt/ml/b", "/job/opt/ml/a:/job/opt/ml/b"),
        ("cat '/opt/ml/a' > x", "cat '/job/opt/ml/a' > x"),
        ("s3://bucket/opt/ml/x", "s3://bucket/opt/ml/x"),
        ("/opt/mlx", "/opt/mlx"),
        ("/srv/opt/ml/x", "/srv/opt/ml/x"),
        ("", ""),
    ],
)
def test_only_the_folder_of_the_container_moves(text: str, here: str) -> None:
    assert FOLDER.here(text) == here


@pytest.mark.parametrize("place", ["/etc/passwd", "/opt/ml/../../etc", "opt/ml", "/opt/mlx"])
def test_nothing_outside_of_it_has_a_place(place: str) -> None:
    with pytest.raises(RunError, match="is not under /opt/ml"):
        FOLDER.path(place)


def test_the_root_is_told() -> None:
    told = FOLDER.environment({"OUT": "/opt/ml/out", "N": "1"})
    assert told == {"OUT": "/job/opt/ml/out", "N": "1", "SIGNALBOX_ML_ROOT": "/job/opt/ml"}


@pytest.mark.parametrize(
    ("uri", "parts"),
    [("s3://b/k/x", ("b", "k/x")), ("s3://b", ("b", "")), ("s3://b/", ("b", ""))],
)
def test_uris_are_split(uri: str, parts: tuple[str, str]) -> None:
    assert split(uri) == parts


@pytest.mark.parametrize("uri", ["b/k", "https://b/k", "s3://", "s3:///k"])
def test_what_is_no_uri(uri: str) -> None:
    with pytest.raises(RunError, match="is not an S3 URI"):
        split(uri)
