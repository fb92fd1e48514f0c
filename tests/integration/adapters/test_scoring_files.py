"""Pointers, requests and manifests of scoring runs in a real bucket."""

import json

import pytest

from signalbox.adapters.objects import Objects
from signalbox.adapters.scoring_files import ModelShelf, RequestFolder, WindowsFolder
from signalbox.contracts.keys import current_model_key, request_key, windows_manifest_key
from signalbox.contracts.scoring import ScoringRequest
from signalbox.errors import Misconfigured
from tests.fakes import BUCKET, NOON, model_in_service, windows_manifest

RUN = "0" * 32


@pytest.fixture
def objects(s3):
    return Objects(BUCKET)


def test_the_model_in_service_is_what_the_pointer_says(objects):
    shelf, model = ModelShelf(objects), model_in_service()
    assert shelf.current("hvac") is None
    objects.put(current_model_key("hvac"), model.model_dump_json(by_alias=True).encode())
    assert shelf.current("hvac") == model


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "points to no model: .*publish the model again"),
        (b"[]", "points to no model"),
        (b'{"model_data": "model.tar.gz"}', "points to no model"),
        (
            model_in_service("pumps").model_dump_json(by_alias=True).encode(),
            "model v1 of another workload, 'pumps'",
        ),
    ],
)
def test_a_pointer_that_is_none_is_a_wrong_deployment(objects, content, why):
    objects.put(current_model_key("hvac"), content)
    with pytest.raises(Misconfigured, match=why):
        ModelShelf(objects).current("hvac")


def test_a_request_is_read_as_it_was_written(objects):
    request = ScoringRequest(
        workload="hvac", run=RUN, units=None, model=model_in_service(), at=NOON
    )
    RequestFolder(objects).write(request)
    content = objects.read(request_key("hvac", RUN))
    assert ScoringRequest.model_validate_json(content) == request
    assert "schema" in json.loads(content)["model"]


def test_a_manifest_is_read_or_refused(objects):
    folder, key = WindowsFolder(objects), windows_manifest_key("hvac", RUN)
    assert folder.manifest("hvac", RUN) is None
    objects.put(key, windows_manifest().model_dump_json(by_alias=True).encode())
    assert folder.manifest("hvac", RUN) == windows_manifest()
    objects.put(key, b"{}")
    with pytest.raises(Misconfigured, match="of different versions"):
        folder.manifest("hvac", RUN)
