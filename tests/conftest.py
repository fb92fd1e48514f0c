"""What every test may lean on: real data where it is, a clean environment, hypothesis profiles."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.least import LeastPrivilege
from tests.pace import SOAK

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # a shell lets jobs in its background ignore Ctrl-C, and what they start inherits it
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".aws-sam" / "build"

settings.register_profile(
    "default", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "soak", deadline=None, max_examples=500, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(LeastPrivilege(), "least-privilege")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave what is marked soak to `make soak`."""
    left = [] if SOAK else [each for each in items if each.get_closest_marker("soak")]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [each for each in items if each not in set(left)]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--executor",
        choices=("inprocess", "ric", "some", "both"),
        default="both" if SOAK else "some",
        help="who runs the functions in end-to-end tests: this process, Lambda's runtime client, the "
        "latter for those marked ric (the default), or each in turn (the default of the soak)",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "executor" in metafunc.fixturenames:
        asked = metafunc.config.getoption("--executor")
        ric = metafunc.definition.get_closest_marker("ric") is not None
        one = ("ric",) if ric else ("inprocess",)
        both = one if asked == "some" else ("inprocess", "ric")
        metafunc.parametrize("executor", both if asked in ("some", "both") else (asked,))


def data_dir() -> Path:
    return Path(os.environ.get("SIGNALBOX_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def real_data():
    """Path of a file of the real data; skips, naming the set, where it is missing."""

    def path(relative: str) -> Path:
        found = data_dir() / relative
        if not found.exists():
            pytest.skip(f"real data {relative} is not at {data_dir()}; point SIGNALBOX_DATA at it")
        return found

    return path


@pytest.fixture(scope="session")
def build() -> Path:
    """The artefact of `make build`."""
    if not (BUILD / "template.yaml").exists():
        pytest.fail("no built artefact: run `make build` (make test does it)")
    return BUILD


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [
        n for n in os.environ if n.startswith(("AWS_", "POWERTOOLS_", "SIGNALBOX_LAMBDA"))
    ]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
