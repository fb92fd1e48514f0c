"""The only package that touches moto's internals.

moto keeps state and speaks the APIs. What it does wrong or not at all (delivery, invocations, job
runs: see docs/localcloud.md) is cut out here, a module a service, and handed to `Hooks`. Each cut is one
line of `SEAMS`, pinned to the signature it replaces, so that another moto fails loudly and readably.
"""

from localcloud.seams.messages import Messages
from localcloud.seams.metrics import Monitoring
from localcloud.seams.model_cards import Cards
from localcloud.seams.objects import Objects, other_ids
from localcloud.seams.permissions import Permissions
from localcloud.seams.running import (
    MOTO_VERSION,
    SEAMS,
    QuietHandler,
    application,
    moto_running,
)
from localcloud.seams.state import State
from localcloud.seams.topics import subscriptions
from localcloud.seams.whole import MotoShelf

__all__ = [
    "MOTO_VERSION",
    "SEAMS",
    "Cards",
    "Messages",
    "Monitoring",
    "MotoShelf",
    "Objects",
    "Permissions",
    "QuietHandler",
    "State",
    "application",
    "moto_running",
    "other_ids",
    "subscriptions",
]
