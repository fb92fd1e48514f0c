"""A deploy pipeline is called at most once for each promotion, and what became of it is told."""

import pytest

from signalbox.contracts.own import ModelPromoted
from signalbox.domain.claims import LEASE
from signalbox.domain.deploying import Deploying, hosts_of
from signalbox.errors import Misconfigured, Transient
from tests.fakes import NOON, Crash, Fuse, HeardBus, sample
from tests.promoted import DEPLOY, HeardTopic, InMemoryPromotions, operations

TOKEN = "glptt-5up3r53cr3t"
PROMOTED = ModelPromoted.model_validate(sample("signalbox/ModelPromoted.json")["detail"])


class Called:
    """Pipelines that answer as told, and everything around them."""

    def __init__(self, answers=(None,), fuse=None, deploy=DEPLOY):
        self.fuse = fuse or Fuse()
        self.answers, self.calls, self.tokens = list(answers), [], {"signalbox/gitlab": TOKEN}
        self.table = InMemoryPromotions(self.fuse)
        self.topic, self.bus = HeardTopic(self.fuse), HeardBus(self.fuse)
        self.operations = {"hvac": operations(deploy=deploy)}
        self.hosts, self.now = hosts_of("gitlab.example.com"), NOON

    @property
    def deploying(self):
        return Deploying(self.operations, self.hosts, self.table, self, self, self.topic, self.bus)

    def read(self, name):
        if self.tokens is None:
            raise Transient("throttled")
        if name not in self.tokens:
            raise Misconfigured(f"secret {name} does not exist")
        return self.tokens[name]

    def call(self, deploy, token, variables):
        with self.fuse.around():
            self.calls.append((token, dict(variables)))
        return self.answers[min(len(self.calls), len(self.answers)) - 1]

    def said(self):
        return list(dict.fromkeys(each.detail_type() for each in self.bus.heard))

    def deploy(self, promoted=PROMOTED):
        return self.deploying.deploy(promoted, self.now)


def test_a_promotion_calls_its_pipeline_with_its_name_once():
    world = Called()
    assert [world.deploy(), world.deploy()] == ["called", "repeated"]
    ((token, variables),) = world.calls
    assert token == TOKEN
    assert variables == {
        "SIGNALBOX_PROMOTION": "signalbox-hvac-3-400918ae", "SIGNALBOX_WORKLOAD": "hvac",
        "SIGNALBOX_PACKAGE": PROMOTED.package, "SIGNALBOX_VERSION": "3",
        "SIGNALBOX_ENDPOINT": "signalbox-hvac",
    }  # fmt: skip
    assert (world.said(), world.topic.messages) == (["DeployCalled"], [])


def test_the_same_package_promoted_again_later_is_another_promotion():
    world = Called()
    world.deploy()
    assert world.deploy(PROMOTED.model_copy(update={"began": NOON})) == "called"
    assert len(world.calls) == 2


def test_workloads_without_a_pipeline_and_unknown_ones_call_nobody():
    world = Called(deploy=None)
    assert world.deploy() == "nothing"
    assert world.deploy(PROMOTED.model_copy(update={"workload": "pumps"})) == "nothing"
    assert (world.calls, world.table.claims) == ([], {})


def test_a_call_that_failed_is_told_once_and_not_repeated():
    world = Called(["gitlab.example.com answered 500, tried 4 times", None])
    assert [world.deploy(), world.deploy()] == ["failed", "repeated"]
    assert world.said() == ["DeployCallFailed"]
    (mail,) = world.topic.messages
    assert "answered 500" in mail.body
    assert "signalbox-hvac-3-400918ae" in mail.body
    assert mail.attributes["status"] == "DeployCallFailed"
    assert TOKEN not in mail.model_dump_json() + world.bus.heard[0].model_dump_json()


def test_a_host_that_is_not_allowed_is_refused_and_its_token_never_read():
    world = Called()
    world.hosts, world.tokens = hosts_of(""), {}
    assert world.deploy() == "failed"
    assert world.calls == []
    assert "DeployHosts" in world.bus.heard[0].reason


def test_a_token_that_is_missing_is_told_once_as_any_call_that_failed():
    world = Called()
    world.tokens = {}
    assert [world.deploy(), world.deploy()] == ["failed", "repeated"]
    assert (world.calls, world.said(), world.topic.statuses()) == (
        [], ["DeployCallFailed"], ["DeployCallFailed"],
    )  # fmt: skip
    assert "secret signalbox/gitlab does not exist" in world.topic.messages[0].body


def test_a_token_that_cannot_be_read_right_now_leaves_the_call_to_be_made():
    world = Called()
    tokens, world.tokens = world.tokens, None
    with pytest.raises(Transient, match="throttled"):
        world.deploy()
    world.tokens = tokens
    assert world.deploy() == "called"


def test_two_at_once():
    world = Called()
    attempt = f"{PROMOTED.promotion}#{PROMOTED.began.isoformat()}"
    world.table.claim("promotion#hvac", f"deploy#{attempt}", NOON)
    with pytest.raises(Transient, match="is being called"):
        world.deploy()
    assert world.calls == []


def test_the_power_may_fail_at_any_step_and_nothing_is_called_twice():
    calm = Called()
    calm.deploy()
    for at in range(1, calm.fuse.steps + 1):
        world = Called(fuse=Fuse(at))
        with pytest.raises(Crash):
            world.deploy()
        world.now += LEASE
        world.deploy()
        assert len(world.calls) <= 1
        assert len(world.said()) == 1
        if world.said() == ["DeployCallFailed"]:  # nobody can know whether it came through
            assert "is not known" in world.bus.heard[0].reason
            assert len(world.topic.messages) == 1
