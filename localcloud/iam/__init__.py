"""Who may do what: policies, judged as AWS judges them, on every request and every delivery."""

from localcloud.iam.evaluate import Decision, Grant
from localcloud.iam.guard import Guard

__all__ = ["Decision", "Grant", "Guard"]
