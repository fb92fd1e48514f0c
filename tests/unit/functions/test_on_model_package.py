import pytest

from functions.on_model_package import app
from signalbox.contracts.packages import APPROVED, PENDING, REJECTED
from tests.fakes import KeptRejections, LambdaContext, sample
from tests.promoted import World, arn


@pytest.fixture
def world(monkeypatch):
    world = World()
    world.register(3)
    monkeypatch.setattr(app, "approval", lambda: world.approval)
    world.rejections = KeptRejections(world.bus)
    monkeypatch.setitem(app.handler.__dict__, "rejections", world.rejections)
    return world


@pytest.mark.parametrize(
    ("name", "approval", "mails", "said"),
    [
        ("model-package-state-change", PENDING, [PENDING], ["ModelPendingApproval 3"]),
        ("model-package-state-change.approved", APPROVED, [], ["ModelPromoted 3"]),
        ("model-package-state-change.rejected", REJECTED, [], []),
    ],
)
def test_a_package_meets_what_its_status_asks_for(world, name, approval, mails, said):
    world.packages.set(arn(3), approval=approval)
    for _ in range(2):
        app.handler(sample(f"aws.sagemaker/{name}.json"), LambdaContext())
    assert (world.topic.statuses(), world.said()) == (mails, said)


def test_the_pages_own_sample_names_its_source_as_a_list(world):
    event = sample("aws.sagemaker/model-package-state-change.json") | {"source": ["aws.sagemaker"]}
    app.handler(event, LambdaContext())
    assert world.topic.statuses() == [PENDING]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"ModelPackageArn": "arn:aws:sagemaker:eu-west-1:1:model-package/x"},
            "no-versioned-package",
        ),
        ({"ModelPackageArn": None}, "unreadable-event"),
    ],
)
def test_what_is_no_versioned_package_is_parked(world, change, reason):
    event = sample("aws.sagemaker/model-package-state-change.json")
    event["detail"] |= change
    app.handler(event, LambdaContext())
    assert [each.reason for each in world.rejections.events.values()] == [reason]
