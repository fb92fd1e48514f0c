"""Files, or a schedule, can become no run: an event and one mail to the owner say why, once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from signalbox.contracts.workload import Workload
from signalbox.domain.announce import Bus
from signalbox.domain.announce_models import pipeline_refused
from signalbox.domain.refusal_mail import compose
from signalbox.domain.telling import Ledger, Topic, once


@dataclass(frozen=True, slots=True)
class Refused:
    """A run that is not started: whose, its name, where its files are listed, and when it was opened or due.

    ``subject`` is that of the mail.
    """

    workload: Workload
    run: str
    bucket: str
    key: str
    came: datetime
    subject: str = "files that came started no run"


@dataclass(frozen=True, slots=True)
class Refusing:
    """Everything a refusal goes through."""

    bus: Bus
    ledger: Ledger
    topic: Topic

    def tell(self, refused: Refused, why: str, now: datetime) -> None:
        """Say once why a run is not started.

        Raises:
            Transient: somebody else may be telling it right now.
        """
        name, operations = refused.workload.name, refused.workload.operations
        with once(self.ledger, f"refused {name} {refused.run}", now) as new:
            if not new:
                return
            self.bus.emit(pipeline_refused(name, refused.run, refused.key, why))
            if operations is not None:
                inputs = f"s3://{refused.bucket}/{refused.key}"
                mail = compose(
                    name,
                    refused.run,
                    inputs,
                    why,
                    refused.came,
                    operations,
                    subject=refused.subject,
                )
                self.topic.publish(mail)
