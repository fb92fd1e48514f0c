from functions.mend_shares import app
from tests.fakes import LambdaContext, sample
from tests.shared_cards import ACCOUNTS
from tests.unit.signalbox.domain.test_cards import CARD
from tests.unit.signalbox.domain.test_sharing import world_with


def test_an_hour_mends_what_somebody_changed(monkeypatch):
    world = world_with("Draft")
    monkeypatch.setattr(app, "sharing", lambda: world.sharing)
    for _ in range(2):
        app.handler(sample("aws.scheduler/scheduled-event.json"), LambdaContext())
        assert list(world.shares.open_to()) == [f"{CARD}-dev"]
        world.shares.shares.clear()
    assert [mail.attributes["stage"] for mail in world.topic.mails] == ["dev"]
    world.accounts.clear()
    app.handler(sample("aws.scheduler/scheduled-event.json"), LambdaContext())
    assert [(e.detail_type(), e.account) for e in world.bus.heard] == [
        ("ModelCardShared", ACCOUNTS["dev"]), ("ModelCardUnshared", ACCOUNTS["dev"]),
    ]  # fmt: skip
