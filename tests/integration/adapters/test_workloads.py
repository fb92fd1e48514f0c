import json

import pytest

from signalbox.adapters.objects import Objects
from signalbox.adapters.workloads import shipped_workloads
from signalbox.errors import Misconfigured
from tests.fakes import BUCKET, workload


def test_all_workloads_come_in_one_object(aws):
    objects = Objects(BUCKET)
    told = {name: workload(name).mapping() for name in ("hvac", "pumps")}
    objects.put("workloads.json", json.dumps(told).encode())
    found = shipped_workloads(objects, "workloads.json")
    assert found == {name: workload(name) for name in told}


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (None, "is not there; run make package"),
        (b"{", "not a JSON object"),
        (b"[]", "not a JSON object"),
        (b'{"hvac": {"name": "hvac"}}', "description: Field required"),
    ],
)
def test_what_was_not_shipped_is_a_wrong_deployment(aws, content, what):
    objects = Objects(BUCKET)
    if content is not None:
        objects.put("workloads.json", content)
    with pytest.raises(Misconfigured, match=what):
        shipped_workloads(objects, "workloads.json")
