"""What the command asks of a running cloud and AWS has no API for, beside moto's own application.

Only paths below ``/_localcloud/``: ``GET dead-letters``, ``POST redrive`` with ``{"queue", "most"}``.
A page of another site cannot ask: a request must carry the header ``X-Localcloud``, which browsers send to
other origins only after asking, and nobody here answers that question.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

ROOM = "/_localcloud/"
HEADER = "X-Localcloud"

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


def _said(start_response: Any, status: str, answer: Any) -> list[bytes]:
    body = json.dumps(answer, default=str).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response(status, headers)
    return [body]
