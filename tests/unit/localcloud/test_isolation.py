"""Functions in this process beside threads that import what they need."""

from __future__ import annotations

import sys
import threading
from types import ModuleType

from localcloud.runtime.isolation import _take_rooms


def test_others_may_import_while_a_function_is_prepared():
    stop = threading.Event()

    def importing() -> None:
        count = 0
        while not stop.is_set():
            name = f"imported_meanwhile_{count % 50}"
            count += 1
            if sys.modules.pop(name, None) is None:
                sys.modules[name] = ModuleType(name)

    before, switching = dict(sys.modules), sys.getswitchinterval()
    thread = threading.Thread(target=importing)
    sys.setswitchinterval(1e-6)
    thread.start()
    try:
        for _ in range(200):
            sys.modules.update(_take_rooms())
    finally:
        stop.set()
        thread.join()
        sys.setswitchinterval(switching)
        for name in set(sys.modules) - set(before):
            del sys.modules[name]
        sys.modules.update(before)
