"""Deploy pipelines over real HTTP: a server on this machine that answers as told."""

import json
import logging
from contextlib import ExitStack
from urllib.parse import parse_qs

import pytest

from signalbox.adapters.deploy_pipelines import ATTEMPT_S, ATTEMPTS, BACKOFF_S, DeployPipelines
from signalbox.adapters.secrets import Tokens
from signalbox.contracts.operations import Deploy
from signalbox.errors import Misconfigured, Transient
from tests.integration.adapters.test_promoted_endpoints import Service, refused
from tests.promoted import DEPLOY
from tests.services import serving

TOKEN = "glptt-5up3r53cr3t"
VARIABLES = {"SIGNALBOX_PROMOTION": "signalbox-hvac-3-400918ae", "SIGNALBOX_WORKLOAD": "hvac"}


@pytest.fixture
def service():
    with ExitStack() as stack:
        yield lambda *statuses: stack.enter_context(serving(*statuses))


def deploy(host, **changes):
    return Deploy.model_validate(DEPLOY | {"host": host} | changes)


def called(server, **changes):
    pipelines = DeployPipelines(attempt_s=0.3, backoff_s=0.01)
    return pipelines.call(deploy(server.host, **changes), TOKEN, VARIABLES)


def test_gitlab_is_sent_a_form(service):
    server = service(201)
    assert called(server, project="group/forecasts") is None
    ((path, headers, body),) = server.asked
    assert path == "/api/v4/projects/group%2Fforecasts/trigger/pipeline"
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(body.decode()) == {
        "token": [TOKEN], "ref": ["main"],
        "variables[SIGNALBOX_PROMOTION]": ["signalbox-hvac-3-400918ae"],
        "variables[SIGNALBOX_WORKLOAD]": ["hvac"],
    }  # fmt: skip


def test_github_is_sent_inputs_and_a_bearer_token(service):
    server = service(204)
    assert called(server, service="github", project="example/forecasts", ref="live") is None
    ((path, headers, body),) = server.asked
    assert path == "/repos/example/forecasts/actions/workflows/deploy.yml/dispatches"
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert json.loads(body) == {
        "ref": "live",
        "inputs": {
            "signalbox_promotion": "signalbox-hvac-3-400918ae", "signalbox_workload": "hvac",
        },
    }  # fmt: skip


def test_server_errors_are_tried_again(service):
    server = service(500, 503, 201)
    assert called(server) is None
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("statuses", "asked", "words"),
    [
        ((500,), ATTEMPTS, "answered 500, tried 4 times"),
        ((None,), ATTEMPTS, "did not answer (ReadTimeoutError), tried 4 times"),
        ((302,), 1, "answered 302; redirects are not followed"),
        ((307,), 1, "answered 307; redirects are not followed"),
        ((401,), 1, "answered 401; is the token right?"),
        ((404,), 1, "answered 404; is there such a project"),
        ((422,), 1, "answered 422; does the workflow take these inputs"),
        ((418,), 1, "answered 418; it does not take this call"),
    ],
)
def test_what_does_not_work_is_said_without_the_token(service, caplog, statuses, asked, words):
    caplog.set_level(logging.DEBUG)
    server = service(*statuses)
    why = called(server)
    assert words in why
    assert server.host in why
    assert len(server.asked) == asked
    assert {path for path, _, _ in server.asked} == {"/api/v4/projects/42/trigger/pipeline"}
    assert TOKEN not in why + caplog.text


def test_nobody_at_home(service):
    server = service(201)
    host = server.host
    server.server_close()
    why = DeployPipelines(attempt_s=0.3, backoff_s=0.01).call(deploy(host), TOKEN, VARIABLES)
    assert why == f"{host} did not answer (NewConnectionError), tried 4 times"


def test_elsewhere_only_with_tls():
    from signalbox.adapters import deploy_pipelines

    assert deploy_pipelines._address("gitlab.example.com") == "https://gitlab.example.com"
    assert deploy_pipelines._address("127.0.0.1.example.com") == "https://127.0.0.1.example.com"
    assert deploy_pipelines._address("127.0.0.1:80") == "http://127.0.0.1:80"


def test_all_attempts_fit_into_the_doors_time(template):
    pauses = BACKOFF_S * sum(2**n for n in range(1, ATTEMPTS - 1))
    door = template["Resources"]["OnModelPromoted"]["Properties"]
    limit = door.get("Timeout", template["Globals"]["Function"]["Timeout"])
    assert ATTEMPTS * ATTEMPT_S + pauses < limit - 10


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("ResourceNotFoundException", "does it exist"),
        ("AccessDeniedException", "does the role"),
        ("InvalidRequestException", "scheduled for deletion"),
        ("DecryptionFailure", "cannot be decrypted"),
    ],
)
def test_a_token_that_no_retry_brings_is_the_deployments_fault(code, words):
    secrets = Service("secretsmanager")
    secrets.refusals["GetSecretValue"] = refused(code)
    with pytest.raises(Misconfigured, match=words):
        Tokens(secrets).read("signalbox/gitlab")


def test_a_token_that_comes_later_is_waited_for():
    secrets = Service("secretsmanager")
    secrets.refusals["GetSecretValue"] = refused("InternalServiceError")
    with pytest.raises(Transient):
        Tokens(secrets).read("signalbox/gitlab")
