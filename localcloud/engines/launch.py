"""Starts a job's script in its own process, seeing only what was shipped.

Run as `python launch.py SCRIPT ARGUMENT...` or `python launch.py -m MODULE ARGUMENT...`. The
virtual environment may hold an editable install of the very repository the script was shipped
from; a job that runs only thanks to it would fail on AWS. So everything is taken off the path but
PYTHONPATH, the standard library and site-packages.

It imports the standard library only: it is no part of the cloud's process.
"""

import os
import runpy
import sys
import sysconfig
from pathlib import Path


def shipped_path(path: list[str], shipped: list[str]) -> list[str]:
    """The entries of a module path that a job may use."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    python = {sysconfig.get_path(name) for name in names}
    return [
        entry
        for entry in path
        if entry in shipped or entry in python or Path(entry).parent.as_posix() in python
    ]


def main(arguments: list[str]) -> None:
    """Run the script or module as the main program, with the arguments that follow it."""
    module, script = arguments[0] == "-m", arguments[0]
    shipped = os.environ.get("PYTHONPATH", "").split(":")  # noqa: TID251 - what Python itself read
    sys.path[:] = [
        str(Path.cwd() if module else Path(script).parent),
        *shipped_path(sys.path, [each for each in shipped if each]),
    ]
    sys.argv[:] = arguments[1:] if module else arguments
    if module:
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        return
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
