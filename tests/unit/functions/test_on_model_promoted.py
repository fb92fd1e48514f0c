import pytest

from functions.on_model_promoted import app
from tests.fakes import LambdaContext, sample
from tests.unit.signalbox.domain.test_deploying import Called


@pytest.mark.parametrize(
    ("answers", "said"), [([None], ["DeployCalled"]), (["no"], ["DeployCallFailed"])]
)
def test_the_pipeline_of_a_promoted_model_is_called_once(monkeypatch, answers, said):
    world = Called(answers)
    monkeypatch.setattr(app, "deploying", lambda: world.deploying)
    for _ in range(2):
        app.handler(sample("signalbox/ModelPromoted.json"), LambdaContext())
    assert len(world.calls) == 1
    assert world.said() == said
