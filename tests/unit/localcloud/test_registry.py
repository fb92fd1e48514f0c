"""The supported types, the list of exceptions, and that the one knows of the other."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from localcloud import exceptions
from localcloud.deploy import supported
from localcloud.deploy.engine import Deployment
from localcloud.deploy.registry import resource_types
from localcloud.errors import DeployError
from localcloud.exceptions import EXCEPTIONS


def test_there_are_types_and_all_have_properties() -> None:
    types = supported()
    assert len(types) >= 20
    assert all(types.values())


def test_the_list_of_exceptions_is_exactly_what_is_kept_without_effect() -> None:
    kept = {(name, prop) for name, known in resource_types().items() for prop in known.kept}
    assert {(each.resource_type, each.prop) for each in EXCEPTIONS} == kept
    assert len(kept) == len(EXCEPTIONS)


def test_every_exception_gives_a_reason_and_names_a_property_there_is() -> None:
    for each in EXCEPTIONS:
        assert len(each.reason) > 10
        assert each.prop == "*" or each.prop in supported()[each.resource_type]


def test_a_line_taken_off_the_list_makes_its_property_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fewer = tuple(each for each in EXCEPTIONS if each.prop != "MessageRetentionPeriod")
    monkeypatch.setattr(exceptions, "EXCEPTIONS", fewer)
    properties = {"MessageRetentionPeriod": 60}
    queue = {"Type": "AWS::SQS::Queue", "Properties": properties}
    text = yaml.safe_dump({"Resources": {"Queue": queue}})
    (tmp_path / "template.yaml").write_text(text, encoding="utf-8")
    deployment = Deployment(
        tmp_path, {}, stack_name="s", account="1", region="eu-west-1", packages="p"
    )
    with pytest.raises(DeployError, match=r"Queue\.MessageRetentionPeriod: is not supported"):
        deployment.run()
