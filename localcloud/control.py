"""What the command asks of a running cloud and AWS has no API for, beside moto's own application.

Only paths below ``/_localcloud/``: ``GET dead-letters``, ``POST redrive`` with ``{"queue", "most"}``; a
request must carry the header ``X-Localcloud``.

Nothing is served to a page in a browser: moto lets any site read its answers and has an API of its own
that resets everything, and a site may give its own name this machine's address. So a request is refused
that comes from a page (headers ``Origin`` and ``Sec-Fetch-Site`` of the Fetch standard), that names
another host than this one, or that wants moto's own API.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

ROOM = "/_localcloud/"
HEADER = "X-Localcloud"
_MOTO_ROOM = "/moto-api"
_OTHER_SITES = ("cross-site", "same-site")

Answers = Mapping[tuple[str, str], Callable[[Mapping[str, Any]], Any]]
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def controlled(application: Application, answers: Answers) -> Application:
    """The application with the room of our own in front.

    Args:
        application: everything else.
        answers: by (method, name), what takes the request's JSON and gives the answer's.
    """

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = str(environ.get("PATH_INFO", ""))
        if refusal := _refusal(environ, path):
            return _said(start_response, "403 Forbidden", {"error": refusal})
        if not path.startswith(ROOM):
            return application(environ, start_response)
        answer = answers.get((str(environ["REQUEST_METHOD"]), path.removeprefix(ROOM)))
        if answer is None or "HTTP_X_LOCALCLOUD" not in environ:
            return _said(start_response, "404 Not Found", {"error": f"there is no {path}"})
        length = int(environ.get("CONTENT_LENGTH") or 0)
        try:
            request = json.loads(environ["wsgi.input"].read(length)) if length else {}
            return _said(start_response, "200 OK", answer(request))
        except (KeyError, ValueError) as error:
            return _said(start_response, "400 Bad Request", {"error": str(error)})

    return serve


def _refusal(environ: Mapping[str, Any], path: str) -> str | None:
    """Why a request is not served at all; None if it is."""
    host = str(environ.get("HTTP_HOST", "")).lower()
    name = host.rpartition(":")[0] if ":" in host else host
    if name not in ("127.0.0.1", "localhost") and not name.endswith(".localhost"):
        return f"the local cloud answers as 127.0.0.1 or localhost, not as {host or 'no host'}"
    if "HTTP_ORIGIN" in environ or environ.get("HTTP_SEC_FETCH_SITE") in _OTHER_SITES:
        return "the local cloud answers programs on this machine, not pages in a browser"
    if path.lstrip("/").startswith(_MOTO_ROOM.lstrip("/")):
        return f"{_MOTO_ROOM} is not served: it would change the cloud behind its own back"
    return None


def _said(start_response: Any, status: str, answer: Any) -> list[bytes]:
    body = json.dumps(answer, default=str).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response(status, headers)
    return [body]
