"""What can go wrong in the local cloud itself, as opposed to in what runs on it.

LocalCloudError
├── DeployError       the template asks for something that cannot be honoured here
├── DeliveryError     one event could not be handed to one target
├── StateError        a state folder cannot be used
└── RestlessError     the cloud kept working past its bound: a loop in the chain
"""

from botocore.exceptions import ClientError

_THROTTLED = frozenset(
    {"RequestThrottled", "ThrottledException", "Throttling", "ThrottlingException",
     "TooManyRequestsException"}
)  # fmt: skip


def server_side(error: ClientError) -> bool:
    """Whether a service failed or was too busy, so that trying again makes sense: a status of 500
    and above, or throttling.
    """
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))
    return status >= 500 or error.response["Error"]["Code"] in _THROTTLED


class LocalCloudError(Exception):
    """Root of the errors the local cloud raises about itself."""


class DeployError(LocalCloudError):
    """The template cannot be deployed as it stands.

    Attributes:
        logical_id: the resource, parameter or output at fault, or None for the template as a whole.
        prop: dotted path of the property at fault, or None for the resource as a whole.
        line: line in the built template (1-based) where the resource or property stands, if known.
    """

    def __init__(
        self,
        message: str,
        *,
        logical_id: str | None = None,
        prop: str | None = None,
        line: int | None = None,
    ) -> None:
        place = ".".join(part for part in (logical_id, prop) if part)
        where = f" (template line {line})" if line else ""
        super().__init__(f"{place}: {message}{where}" if place else f"{message}{where}")
        self.message = message
        self.logical_id = logical_id
        self.prop = prop
        self.line = line


class DeliveryError(LocalCloudError):
    """A target did not take an event.

    Attributes:
        code: the error code a dead letter carries, such as NO_PERMISSIONS.
        retryable: False where trying again cannot help (no permission, no such target);
            EventBridge sends those to the dead-letter queue at once.
    """

    def __init__(self, code: str, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.retryable = retryable


class StateError(LocalCloudError):
    """A state folder is damaged, in use, or of something else; the message names the file."""


class RestlessError(LocalCloudError):
    """`run_until_idle` went past its bound: some reaction keeps causing itself."""
