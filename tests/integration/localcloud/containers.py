"""A container of the tests: a small HTTP server as SageMaker's hosting contract has it."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from textwrap import dedent

from localcloud.images import Image

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/serve:1"
ROLE_ARN = "arn:aws:iam::123456789012:role/signalbox-Role"
DATA = "signalbox-bucket"

# what a request's body makes it do is in the body: "bad", "broken", "slow", "die"
SERVER = """
import http.server
import json
import os
import pathlib
import sys
import threading

from shipped import words

ROOT = pathlib.Path(os.environ["SIGNALBOX_ML_ROOT"])
MODEL = (ROOT / "model" / "word").read_text() if (ROOT / "model" / "word").exists() else "none"
assert sys.argv[1:] == ["serve"], sys.argv
if MODEL == "crash":
    sys.exit("the model is broken")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/ping":
            return self.answer(503 if MODEL == "sick" else 200, b"")
        if self.path == "/execution-parameters" and MODEL == "tells":
            told = {"MaxConcurrentTransforms": 2, "BatchStrategy": "SINGLE_RECORD"}
            return self.answer(200, json.dumps(told).encode())
        self.answer(404, b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        sys.stdout.write(f"asked {self.path} {len(body)}\\n")  # one write: others write too
        if b"bad" in body:
            return self.answer(400, b"cannot read this")
        if b"broken" in body:
            return self.answer(500, b"no luck")
        if b"die" in body:
            os._exit(3)
        if b"slow" in body:
            threading.Event().wait(600)
        self.answer(200, words.said(MODEL, body, self.headers))

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", self.headers.get("Accept") or "text/plain")
        given = self.headers.get("X-Amzn-SageMaker-Custom-Attributes")
        if given:
            self.send_header("X-Amzn-SageMaker-Custom-Attributes", given)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *about):
        pass


print("environment", json.dumps({
    name: value for name, value in os.environ.items() if name.startswith("SAGEMAKER_")
}), os.environ.get("LEVEL"), os.getpid(), flush=True)
where = (os.environ["SIGNALBOX_HOST"], int(os.environ["SIGNALBOX_PORT"]))
http.server.ThreadingHTTPServer(where, Handler).serve_forever()
"""

# answers each line with the model's word before it; the house's own modules are not to be seen
WORDS = """
import importlib.util

SEEN = [name for name in ("signalbox", "cycles", "localcloud", "tests")
        if importlib.util.find_spec(name)]


def said(word, body, headers):
    assert SEEN == [], SEEN
    if headers.get("Accept") == "application/octet-stream":
        return body
    return b"".join(word.encode() + b":" + line + b"\\n" for line in body.splitlines())
"""


def image(folder: Path) -> Image:
    """The image, its code written to a folder of its own."""
    code = folder / "image"
    for name, text in {
        "shipped/__init__.py": "", "shipped/server.py": SERVER, "shipped/words.py": WORDS,
    }.items():  # fmt: skip
        path = code / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
    return Image(("python3", "-m", "shipped.server"), code)


def archive(word: str) -> bytes:
    """A model.tar.gz whose model is a word."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        body = word.encode()
        about = tarfile.TarInfo("word")
        about.size = len(body)
        tar.addfile(about, io.BytesIO(body))
    return made.getvalue()
