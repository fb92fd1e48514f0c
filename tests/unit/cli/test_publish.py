"""Models going into service: packed the same way each time, never replaced, never by halves."""

import io
import json
import tarfile

import pytest

from cli.publish import packed, publish
from cli.whereabouts import BadUse
from signalbox.contracts.keys import current_model_key, model_key
from signalbox.contracts.scoring import CurrentModel
from tests.fakes import BUCKET
from tests.integration.adapters.conftest import aws, s3, template
from tests.standin import model_folder

__all__ = ["aws", "s3", "template"]


@pytest.fixture
def folder(tmp_path):
    return model_folder(tmp_path / "model")


def stored(s3, key):
    return s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()


def test_a_model_is_packed_the_same_way_each_time(folder, tmp_path):
    assert packed(folder) == packed(model_folder(tmp_path / "again"))
    with tarfile.open(fileobj=io.BytesIO(packed(folder))) as archive:
        assert archive.getnames() == ["model.json", "model.onnx"]
        assert archive.extractfile("model.onnx").read() == (folder / "model.onnx").read_bytes()


def test_the_pointer_names_the_archive(s3, folder):
    pointer = publish(s3, BUCKET, folder, "hvac")
    key = model_key("hvac", "v1")
    assert pointer.model_data == f"s3://{BUCKET}/{key}"
    assert stored(s3, key) == packed(folder)
    assert CurrentModel.model_validate_json(stored(s3, current_model_key("hvac"))) == pointer
    assert publish(s3, BUCKET, folder) == pointer


def test_a_model_of_cycles_that_come_ready_is_refused_with_the_way_out(s3, folder):
    told = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(told | {"workload": "turbofan"}))
    with pytest.raises(BadUse, match="predict by its pipelines, or with `signalbox score`"):
        publish(s3, BUCKET, folder)
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0


def test_a_version_stays_what_it_was(s3, folder, tmp_path):
    pointer = publish(s3, BUCKET, folder)
    (folder / "model.onnx").write_bytes(b"other")
    with pytest.raises(BadUse, match="version 'v1' of 'hvac' was published with other content"):
        publish(s3, BUCKET, folder)
    assert CurrentModel.model_validate_json(stored(s3, current_model_key("hvac"))) == pointer
    assert publish(s3, BUCKET, model_folder(tmp_path / "next", "v2")).schema_.version == "v2"


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("model.onnx", None, "has no model.onnx"),
        ("model.json", None, "has no model.json"),
        ("model.json", "{", "is not JSON"),
        ("model.json", json.dumps({"workload": "hvac"}), "version: Field required"),
    ],
)
def test_a_folder_without_a_model_publishes_nothing(s3, folder, name, content, why):
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_text(content)
    with pytest.raises(BadUse, match=why):
        publish(s3, BUCKET, folder)
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET, Prefix="models/")


def test_a_model_of_another_workload_is_refused(s3, folder):
    with pytest.raises(BadUse, match="of workload 'hvac', not of 'pumps'"):
        publish(s3, BUCKET, folder, "pumps")
