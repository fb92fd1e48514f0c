import pytest

from functions.on_endpoint_change import app
from signalbox.contracts.registry import group_of
from tests.fakes import LambdaContext, sample
from tests.promoted import World


@pytest.mark.parametrize(
    ("name", "healthy", "said"),
    [
        ("endpoint-state-change", True, ["ModelPromoted 3"]),
        ("endpoint-state-change.failed", False, ["PromotionFailed 3"]),
    ],
)
def test_an_endpoint_that_came_to_rest_is_judged(monkeypatch, name, healthy, said):
    world = World(endpoint=True)
    monkeypatch.setattr(app, "promoting", lambda: world.promoting)
    world.register(3)
    world.approve(3)
    world.endpoints.rest(group_of("hvac"), healthy=healthy)
    for _ in range(2):
        app.handler(sample(f"aws.sagemaker/{name}.json"), LambdaContext())
    assert world.said() == said
