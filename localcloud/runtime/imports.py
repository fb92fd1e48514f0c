"""Whether a function's handler can be imported: tried in a process of its own, as a cold start would.

AWS takes a function whose handler does not exist and fails each invocation with Runtime.ImportModuleError
or Runtime.HandlerNotFound ("Lambda function handler in Python"); here it is told before the first event.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from localcloud.runtime.base import FunctionSpec

_LONGEST_S = 60
_TRY = """
import importlib, sys, sysconfig
handler, *folders = sys.argv[1:]
python = {sysconfig.get_path(n) for n in ("stdlib", "platstdlib", "purelib", "platlib")}
own = [p for p in sys.path if p.endswith(".zip") or p in python or p.rpartition("/")[0] in python]
sys.path[:] = folders + own
module, _, name = handler.rpartition(".")
try:
    found = getattr(importlib.import_module(module.replace("/", ".")), name)
    trouble = "" if callable(found) else f"{handler} is not a function"
except AttributeError as error:
    trouble = f"{handler} is not there: {error}"
except BaseException as error:
    trouble = f"{handler} cannot be imported: {type(error).__name__}: {error}"
print(trouble, file=sys.stderr, end="")
sys.exit(1 if trouble else 0)
"""


def import_troubles(specs: Iterable[FunctionSpec]) -> dict[str, str]:
    """By function name, why its handler cannot be imported; empty if all can."""
    held = list(specs)
    with ThreadPoolExecutor(max_workers=4, thread_name_prefix="local-cloud-import") as pool:
        found = zip(held, pool.map(_trouble, held), strict=True)
        return {spec.name: trouble for spec, trouble in found if trouble}


def _trouble(spec: FunctionSpec) -> str:
    folders = [str(folder) for folder in spec.folders]
    try:
        tried = subprocess.run(
            [sys.executable, "-I", "-c", _TRY, spec.handler, *folders],
            env=dict(spec.environment), capture_output=True, text=True, timeout=_LONGEST_S,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"{spec.handler} is not imported after {_LONGEST_S} s"
    if tried.returncode == 0:
        return ""
    lines = tried.stderr.strip().splitlines() or [f"ended with status {tried.returncode}"]
    return next((line for line in lines if line.startswith(spec.handler)), lines[-1])
