"""The cloud's clock inside a function that runs in this process.

`time.time`, `time.time_ns`, `datetime.now` and their kin are moved for the whole process (they are
C functions that every module has already), which is right as long as one function runs at a time:
moto and the SDK then see the function's time too. The monotonic clock goes on as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import time_machine


@contextmanager
def travelling(at: datetime) -> Iterator[None]:
    """Wall-clock time starts at this instant and goes on in real time; about 2 µs."""
    # a number, since an aware datetime would set TZ as well
    with time_machine.travel(at.timestamp()):
        yield
