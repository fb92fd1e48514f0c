"""Whether a function's handler can be imported: tried in a process of its own, as a cold start would.

AWS takes a function whose handler does not exist and fails each invocation with Runtime.ImportModuleError
or Runtime.HandlerNotFound ("Lambda function handler in Python"); here it is told before the first event.

Functions with the same layers share a process that imports what they all need of them once, and tries
each handler in a fork of it: the doors of one template differ in little else.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from localcloud.runtime.base import FunctionSpec

_LONGEST_S = 60
_TRY = """
import importlib, json, os, signal, sys, sysconfig
from contextlib import suppress

python = {sysconfig.get_path(n) for n in ("stdlib", "platstdlib", "purelib", "platlib")}
own = [p for p in sys.path if p.endswith(".zip") or p in python or p.rpartition("/")[0] in python]
longest_s, layers, tasks = json.load(sys.stdin)

def attempt(handler, folders, environment):
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:] = folders + own
    module, _, name = handler.rpartition(".")
    try:
        found = getattr(importlib.import_module(module.replace("/", ".")), name)
        return "" if callable(found) else f"{handler} is not a function"
    except AttributeError as error:
        return f"{handler} is not there: {error}"
    except BaseException as error:
        return f"{handler} cannot be imported: {type(error).__name__}: {error}"

def forked(handler, folders, environment):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(2, 1)  # what a handler says is no answer
        signal.alarm(longest_s)
        trouble = attempt(handler, folders, environment)
        files = {name: getattr(m, "__file__", None) or "" for name, m in list(sys.modules.items())}
        loaded = [name for name, file in files.items() if file.startswith(tuple(layers))]
        with os.fdopen(write, "w") as answer:
            json.dump([trouble, loaded], answer)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        said = answer.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == -signal.SIGALRM:
        return [f"{handler} is not imported after {longest_s} s", []]
    return json.loads(said) if said else [f"{handler} ended with status {status}", []]

troubles = []
for task in tasks:
    trouble, loaded = forked(*task)
    troubles.append(trouble)
    sys.path[:] = layers + own
    for name in loaded if task is not tasks[-1] else ():
        with suppress(Exception):  # then each imports it for itself, and says why it cannot
            importlib.import_module(name)
print(json.dumps(troubles))
"""


def import_troubles(specs: Iterable[FunctionSpec]) -> dict[str, str]:
    """By function name, why its handler cannot be imported; empty if all can."""
    alike: dict[tuple[Path, ...], list[FunctionSpec]] = defaultdict(list)
    for spec in specs:
        alike[tuple(spec.folders[1:])].append(spec)
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="local-cloud-import") as pool:
        found = pool.map(_troubles, alike.values())
        return {name: trouble for each in found for name, trouble in each.items() if trouble}


def _troubles(specs: list[FunctionSpec]) -> dict[str, str]:
    layers = [str(folder) for folder in specs[0].folders[1:]]
    tasks = [
        (spec.handler, [str(folder) for folder in spec.folders], dict(spec.environment))
        for spec in specs
    ]
    tried = subprocess.run(
        [sys.executable, "-I", "-c", _TRY], input=json.dumps([_LONGEST_S, layers, tasks]),
        env={}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: list[str] = json.loads(tried.stdout.splitlines()[-1])
    return {spec.name: trouble for spec, trouble in zip(specs, found, strict=True)}
