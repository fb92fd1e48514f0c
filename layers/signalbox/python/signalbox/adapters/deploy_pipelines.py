"""Deploy pipelines of GitLab and GitHub, called over HTTP.

Source: GitLab's API docs, "Trigger a pipeline with a token" (pipeline triggers); GitHub's REST API docs,
"Create a workflow dispatch event". Neither has a key by which repeats are dropped.

Tokens go in the form or in a header, never into an address, and nothing of them is told.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import quote, urlencode

import urllib3
from urllib3.util import Retry, Timeout

from signalbox.contracts.operations import Deploy

ATTEMPTS = 4
ATTEMPT_S = 9.0
BACKOFF_S = 1.0
"""At most 4 x 9 s and pauses of 2 + 4 s after the second and third: less than the door's 60 s."""

_AGENT = "signalbox"
_LOCAL = "127.0.0.1"


class DeployPipelines:
    """Callers of both services.

    Args:
        attempt_s: seconds that one attempt may take, connecting and answering.
        backoff_s: seconds of pause, doubled with each attempt.
    """

    def __init__(self, attempt_s: float = ATTEMPT_S, backoff_s: float = BACKOFF_S) -> None:
        retry = Retry(
            total=ATTEMPTS - 1,
            redirect=0,
            status_forcelist=(500, 502, 503, 504),
            allowed_methods=frozenset({"POST"}),
            backoff_factor=backoff_s,
            raise_on_redirect=False,
            raise_on_status=False,
            respect_retry_after_header=False,  # how long it may take is ours to say
        )
        self._http = urllib3.PoolManager(retries=retry, timeout=Timeout(total=attempt_s))

    def call(self, deploy: Deploy, token: str, variables: Mapping[str, str]) -> str | None:
        """Start a pipeline; return why that did not work, or None. The token is in neither."""
        address, headers, body = (
            _gitlab(deploy, token, variables)
            if deploy.service == "gitlab"
            else _github(deploy, token, variables)
        )
        try:
            answer = self._http.request(
                "POST", address, body=body, redirect=False, preload_content=False,
                headers={"User-Agent": _AGENT, **headers},
            )  # fmt: skip
        except urllib3.exceptions.HTTPError as problem:
            reason = getattr(problem, "reason", None) or problem
            return f"{deploy.host} did not answer ({type(reason).__name__}), tried {ATTEMPTS} times"
        answer.close()
        return _why(answer.status, deploy.host)


def _gitlab(
    deploy: Deploy, token: str, variables: Mapping[str, str]
) -> tuple[str, dict[str, str], bytes]:
    form = {"token": token, "ref": deploy.ref}
    form |= {f"variables[{name}]": value for name, value in variables.items()}
    path = f"/api/v4/projects/{quote(deploy.project, safe='')}/trigger/pipeline"
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    return _address(deploy.host) + path, headers, urlencode(form).encode()


def _github(
    deploy: Deploy, token: str, variables: Mapping[str, str]
) -> tuple[str, dict[str, str], bytes]:
    path = f"/repos/{quote(deploy.project)}/actions/workflows/{quote(deploy.workflow, safe='')}/dispatches"
    inputs = {name.lower(): value for name, value in variables.items()}
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "Content-Type": "application/json",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    return (
        _address(deploy.host) + path,
        headers,
        json.dumps({"ref": deploy.ref, "inputs": inputs}).encode(),
    )


def _address(host: str) -> str:
    """Without TLS only on this machine, where tests and demos listen."""
    return f"{'http' if host.partition(':')[0] == _LOCAL else 'https'}://{host}"


def _why(status: int, host: str) -> str | None:
    if 200 <= status < 300:
        return None
    hints = {
        401: "is the token right?",
        403: "may the token start pipelines?",
        404: "is there such a project, and may the token see it?",
        422: "does the workflow take these inputs, on this ref?",
    }
    if 300 <= status < 400:
        return f"{host} answered {status}; redirects are not followed"
    if status >= 500:
        return f"{host} answered {status}, tried {ATTEMPTS} times"
    return f"{host} answered {status}; {hints.get(status, 'it does not take this call')}"
