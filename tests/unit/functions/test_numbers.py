"""Numbers of the template that only work together with each other or with the code."""

from datetime import timedelta

from localcloud.deploy.template import read_template
from signalbox.contracts.workload import Recording
from signalbox.domain.backfill import LEASE
from signalbox.runtime.once import EXPIRES_AFTER_S
from tests.conftest import ROOT

TEMPLATE, _ = read_template(ROOT / "template.yaml")


def properties(name):
    return TEMPLATE["Resources"][name]["Properties"]


def test_a_message_stays_hidden_for_six_times_the_doors_time_out():
    """Lambda Developer Guide, "Configuring a queue to use with Lambda"."""
    assert (
        properties("RawFileQueue")["VisibilityTimeout"] >= 6 * properties("OnSensorFile")["Timeout"]
    )


def test_what_was_done_is_remembered_as_long_as_a_message_can_live():
    for queue in ("RawFileQueue", "RawFileDeadLetters"):
        assert properties(queue)["MessageRetentionPeriod"] <= EXPIRES_AFTER_S


def test_a_claims_lease_outlives_its_door_and_ends_before_the_last_retry():
    timeout = timedelta(seconds=TEMPLATE["Globals"]["Function"]["Timeout"])
    assert "Timeout" not in properties("OnBackfill")
    assert properties("OnBackfill")["EventInvokeConfig"]["MaximumRetryAttempts"] == 2
    assert timeout < LEASE < timedelta(minutes=1 + 2)


def test_the_largest_file_fits_beside_its_fragment_where_it_is_cut():
    disk = properties("OnSensorFile")["EphemeralStorage"]["Size"] * 1024**2
    assert disk >= 2 * Recording.model_fields["max_bytes"].default
