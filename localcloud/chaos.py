"""Faults added to a run on purpose: what at-least-once delivery and distributed work do on a bad day.

A `Chaos` says which; its `Disorder` deals them out, the same ones for the same seed. The end must be the
same as without: nothing lost, nothing done twice.

Citations: "Idempotency and duplicate events" of the Lambda Developer Guide (events come at least once, and
in no order); "Amazon SQS at-least-once delivery" and "Amazon SQS visibility timeout" of the SQS Developer
Guide; "Error retries and exponential backoff in AWS" of the AWS General Reference.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

KILLED = "killed"
# In each service's own words; in those of most where it is not here.
THROTTLED = {"s3": "SlowDown", "sns": "Throttled", "sqs": "RequestThrottled"}
FAILED = {
    "events": "InternalException", "glue": "InternalServiceException", "s3": "InternalError",
    "sns": "InternalError", "sqs": "InternalError",
}  # fmt: skip
_SERVICES = ("dynamodb", "events", "glue", "s3", "sns", "sqs")
_WORDS = "twice, shuffle, delay=SECONDS, throttle=SERVICE:N, fail=SERVICE:N, kill=N, visibility"


@dataclass(frozen=True)
class Chaos:
    """Which faults to add; none by default.

    Attributes:
        seed: of everything drawn at random.
        twice: every delivery comes twice: of events to targets, of messages to functions, of asynchronous
            invocations.
        shuffle: what is due at the same instant comes in an order drawn by the seed.
        delay: s; every delivery is late by up to this much.
        throttle, fail: by service, the number of the call by a function that is refused, with every repeat of
            it in the same invocation: as throttled, or with an error of the service's own.
        kill: number of the call by a function at which the function's process is killed, before the call.
        visibility: every message is visible again while its function is at work, and delivered once more,
            within one of that invocation's first calls.
    """

    seed: int = 0
    twice: bool = False
    shuffle: bool = False
    delay: float = 0.0
    throttle: dict[str, int] = field(default_factory=dict)
    fail: dict[str, int] = field(default_factory=dict)
    kill: int | None = None
    visibility: bool = False

    @classmethod
    def parse(cls, text: str, seed: int = 0) -> Self:
        """Read a list like ``twice,shuffle,delay=30,throttle=s3:3,fail=dynamodb:2,kill=4,visibility``.

        Raises:
            ValueError: says which word is not understood, and what there is.
        """
        values: dict[str, Any] = {"seed": seed, "throttle": {}, "fail": {}}
        for word in filter(None, (part.strip() for part in text.split(","))):
            name, _, value = word.partition("=")
            if name in ("twice", "shuffle", "visibility") and not value:
                values[name] = True
            elif name == "delay":
                values[name] = _number(word, value, float)
            elif name == "kill":
                values[name] = _number(word, value, int)
            elif name in ("throttle", "fail"):
                service, _, count = value.partition(":")
                if service not in _SERVICES:
                    known = ", ".join(_SERVICES)
                    raise ValueError(f"chaos {word!r}: the service is one of {known}")
                values[name][service] = _number(word, count or "1", int)
            else:
                raise ValueError(f"chaos {word!r} is not known; there are {_WORDS}")
        return cls(**values)

    def __str__(self) -> str:
        """As `parse` reads it, and the seed."""
        words = [name for name in ("twice", "shuffle", "visibility") if getattr(self, name)]
        words += [f"delay={self.delay:g}"] if self.delay else []
        for name in ("throttle", "fail"):
            words += [f"{name}={service}:{n}" for service, n in getattr(self, name).items()]
        words += [f"kill={self.kill}"] if self.kill is not None else []
        return f"{','.join(words) or 'none'} (seed {self.seed})"


def _number(word: str, value: str, kind: type[int] | type[float]) -> float:
    try:
        number = kind(value)
    except ValueError:
        number = kind(-1)
    if not 0 < number < math.inf:
        raise ValueError(f"chaos {word!r}: a number above zero is wanted, not {value!r}")
    return number


class Disorder:
    """What a `Chaos` does to one run.

    Attributes:
        chaos: what is asked for.
        dealt: how many faults of each kind were dealt out.
    """

    def __init__(self, chaos: Chaos) -> None:
        self.chaos = chaos
        self.dealt: Counter[str] = Counter()
        self._random = random.Random(chaos.seed)  # noqa: S311 - repeatable, not secret
        self._calls: Counter[str] = Counter()
        self._struck: dict[tuple[str, int | None], str] = {}
        self._meanwhile: tuple[int, Callable[[], bool]] | None = None

    @property
    def calls(self) -> int:
        """How many calls functions have made so far."""
        return self._calls["any"]

    def copies(self) -> int:
        """How often a delivery comes."""
        self.dealt["twice"] += self.chaos.twice
        return 2 if self.chaos.twice else 1

    def lateness(self) -> float:
        """By how many seconds a delivery is late."""
        self.dealt["delay"] += self.chaos.delay > 0
        return self._random.uniform(0, self.chaos.delay) if self.chaos.delay else 0.0

    def rank(self) -> float:
        """The place among what is due at the same instant; lowest first, equal ones in sequence."""
        self.dealt["shuffle"] += self.chaos.shuffle
        return self._random.random() if self.chaos.shuffle else 0.0

    def meanwhile(self, redeliver: Callable[[], bool]) -> None:
        """Have messages delivered once more while the next invocation is at work.

        Args:
            redeliver: does it, within one of the invocation's first calls; says whether there were any.
        """
        if self.chaos.visibility:
            self._meanwhile = (self._random.randint(1, 6), redeliver)

    def unheard(self) -> None:
        """The invocation is over."""
        self._meanwhile = None

    def strikes(self, service: str, operation: str, invocation: int | None) -> str | None:
        """What a function's call gets instead of being served; None lets it through.

        Args:
            service: such as s3.
            operation: such as GetObject.
            invocation: the journal's number of the invocation that calls.

        Returns:
            An error code of the service, or `KILLED`: the function's process is to be killed here.
        """
        self._interrupt()
        self._calls[service] += 1
        self._calls["any"] += 1
        if self._calls["any"] == self.chaos.kill:
            self.dealt["kill"] += 1
            return KILLED
        call = (f"{service}:{operation}", invocation)
        for kind, code in (
            ("throttle", THROTTLED.get(service, "ThrottlingException")),
            ("fail", FAILED.get(service, "InternalServerError")),
        ):
            if self._calls[service] == getattr(self.chaos, kind).get(service):
                self.dealt[kind] += 1
                self._struck[call] = code
        return self._struck.get(call)

    def _interrupt(self) -> None:
        if self._meanwhile is None:
            return
        calls, redeliver = self._meanwhile
        self._meanwhile = (calls - 1, redeliver) if calls > 1 else None
        if calls == 1 and redeliver():
            self.dealt["visibility"] += 1
