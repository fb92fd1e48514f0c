"""The Runtime API over a real socket: requests in any pieces, answers to what was asked."""

from __future__ import annotations

import json
import selectors
import socket
from collections.abc import Iterator

import pytest

from localcloud.runtime.runtime_api import RuntimeApi

NEXT = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n"


class Talk:
    """A runtime's side of the connection, and the loop on ours."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.api = RuntimeApi(self.selector)
        host, port = self.api.address.split(":")
        self.runtime = socket.create_connection((host, int(port)))
        self.turn()

    def turn(self) -> None:
        for key, _ in self.selector.select():
            key.data()

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.runtime.sendall(piece)
            self.turn()

    def close(self) -> None:
        self.runtime.close()
        self.api.close()
        self.selector.close()


@pytest.fixture
def talk() -> Iterator[Talk]:
    talk = Talk()
    yield talk
    talk.close()


def post(path: str, body: bytes) -> bytes:
    head = f"POST /2018-06-01/runtime/{path} HTTP/1.1\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def test_an_invocation_comes_and_goes_in_any_pieces(talk: Talk) -> None:
    talk.send(NEXT[:10], NEXT[10:])
    talk.api.hand_over("id-1", b'{"a": 1}', {"Lambda-Runtime-Deadline-Ms": "5"})
    told = talk.runtime.recv(4096).decode()
    assert told.startswith("HTTP/1.1 200 OK\r\n")
    assert "Lambda-Runtime-Aws-Request-Id: id-1\r\n" in told
    assert "Lambda-Runtime-Deadline-Ms: 5\r\n" in told
    assert told.endswith('\r\n\r\n{"a": 1}')
    answer = post("invocation/id-1/response", b"[1, 2, 3]")
    talk.send(answer[:-4], answer[-4:] + NEXT)  # the next request in the same packet
    assert talk.api.answer is not None
    assert talk.api.answer.body == b"[1, 2, 3]"
    assert talk.api.answer.error is None
    assert talk.api.waiting is not None
    assert talk.runtime.recv(4096).startswith(b"HTTP/1.1 202 Accepted\r\n")


def test_an_answer_to_another_invocation_is_refused(talk: Talk) -> None:
    talk.send(NEXT)
    talk.api.hand_over("id-2", b"{}", {})
    talk.runtime.recv(4096)
    talk.send(post("invocation/id-1/response", b"1"))
    assert talk.api.answer is None
    assert talk.runtime.recv(4096).startswith(b"HTTP/1.1 400 Bad Request\r\n")


@pytest.mark.parametrize("path", ["init/error", "invocation/id/error"])
def test_errors_are_told_with_their_trace(talk: Talk, path: str) -> None:
    talk.send(NEXT)
    talk.api.hand_over("id", b"{}", {})
    told = {"errorType": "Odd", "errorMessage": "so", "stackTrace": ["one\n", "two"]}
    talk.send(post(path, json.dumps(told).encode()))
    assert talk.api.answer is not None
    error = talk.api.answer.error
    assert error is not None
    assert (error.type, error.message, error.trace) == ("Odd", "so", ("one", "two"))


def test_a_runtime_that_is_gone_takes_no_invocation(talk: Talk) -> None:
    talk.send(NEXT)
    talk.runtime.close()
    talk.turn()
    with pytest.raises(ConnectionError, match="does not ask"):
        talk.api.hand_over("id", b"{}", {})
