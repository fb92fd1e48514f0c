"""At most once for each key: Powertools idempotency over a DynamoDB table.

What was done stays known for 14 days, the longest that SQS can hold a message back. While it is
being done others are turned away, but no longer than the invocation that does it can live.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyInconsistentStateError,
    IdempotencyPersistenceLayerError,
)
from botocore.exceptions import BotoCoreError, ClientError

from signalbox.adapters.aws import calling, connect
from signalbox.errors import Transient

EXPIRES_AFTER_S = 14 * 24 * 3600
REPEATED = "repeated"


class Once:
    """Runs a function once for each key; a repeat only says that it is one."""

    def __init__(self, door: str, table: str, client: Any = None) -> None:
        self._door = door
        self._table = table
        self._store = DynamoDBPersistenceLayer(
            table_name=table, boto3_client=client or connect("dynamodb")
        )
        self._config = IdempotencyConfig(
            expires_after_seconds=EXPIRES_AFTER_S,
            hash_function="sha256",
            response_hook=lambda _response, _record: REPEATED,
        )

    def expect(self, context: Any) -> None:
        """Tell how long the invocation at hand may live."""
        self._config.register_lambda_context(context)

    def run(self, key: str, work: Callable[[], str]) -> str:
        """Do ``work`` unless it is done, and return what became of it.

        Raises:
            Transient: somebody else is doing it right now, or the table does not answer.
            Misconfigured: the table cannot be used.
        """

        def done(*, key: str) -> str:  # noqa: ARG001 - Powertools reads it
            return work()

        guarded = idempotent_function(
            done,
            data_keyword_argument="key",
            persistence_store=self._store,
            config=self._config,
            key_prefix=self._door,
        )
        with calling("dynamodb:PutItem", f"table {self._table}"):
            try:
                return str(guarded(key=key))
            except (
                IdempotencyAlreadyInProgressError,
                IdempotencyInconsistentStateError,
            ) as problem:
                raise Transient(f"{key} is being done by another invocation") from problem
            except IdempotencyPersistenceLayerError as problem:
                if isinstance(problem.__cause__, ClientError | BotoCoreError):
                    raise problem.__cause__ from problem
                raise
