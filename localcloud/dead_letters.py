"""Dead letters: what lies in dead-letter queues, why, and sending it back.

Citations: "Using dead-letter queues in Amazon SQS" and StartMessageMoveTask of the SQS API
Reference (a message goes back to the queue it came from, oldest first, as a new message with a new
id; only for queues whose sources are queues); "Using dead-letter queues to process undelivered
events" of the EventBridge User Guide (attributes RULE_ARN, TARGET_ARN, ERROR_CODE, ERROR_MESSAGE);
"Capturing records of Lambda asynchronous invocations" of the Lambda Developer Guide. For events of
rules and functions AWS offers no way back; here they go to the same target once more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from localcloud.bus import Bus
from localcloud.control import Answers
from localcloud.invocations import Invocations
from localcloud.letters import DeadLetter, is_record, letter_of
from localcloud.pollers import Pollers
from localcloud.seams import Messages
from localcloud.wiring import HeldMessage
from localcloud.world import World


@dataclass(frozen=True)
class Redriven:
    """What came of a redrive: messages sent back, by where they went, and those that stay, with why."""

    moved: Mapping[str, int]
    stays: Mapping[str, str]


class DeadLetters:
    """Every dead-letter queue of the cloud.

    Args:
        world: the cloud.
        bus: delivers events of rules again.
        invocations: invokes functions again.
        pollers: knows which record each message came from.
    """

    def __init__(self, world: World, bus: Bus, invocations: Invocations, pollers: Pollers) -> None:
        self._world = world
        self._bus = bus
        self._invocations = invocations
        self._pollers = pollers
        self._messages = Messages(world.account, world.region)

    def queues(self) -> dict[str, list[str]]:
        """ARN of every dead-letter queue, and of the queues, rules' targets and functions it serves."""
        found: dict[str, list[str]] = {}
        for source, dead in self._messages.queues().items():
            if dead is not None:
                found.setdefault(dead, []).append(source)
        stack = self._world.stack
        for rule in stack.of_type("AWS::Events::Rule"):
            for stored in self._world.state.rules(rule.facts.get("bus", "default")):
                for target in stored.targets if stored.name == rule.facts.get("name") else ():
                    if dead := target.get("DeadLetterConfig", {}).get("Arn"):
                        found.setdefault(str(dead), []).append(str(target["Arn"]))
        for function in stack.of_type("AWS::Lambda::Function"):
            if dead := function.facts.get("dead_letter_arn"):
                found.setdefault(str(dead), []).append(function.attributes["Arn"])
        for config in stack.of_type("AWS::Lambda::EventInvokeConfig"):
            failed = config.facts.get("destinations", {}).get("OnFailure", {})
            dead = str(failed.get("Destination", ""))
            if dead.split(":")[2:3] == ["sqs"]:
                arn = self._world.arn("lambda", f"function:{config.facts['function']}")
                found.setdefault(dead, []).append(arn)
        return {arn: list(dict.fromkeys(sources)) for arn, sources in sorted(found.items())}

    def waiting(self, queue: str | None = None) -> list[DeadLetter]:
        """Every message of every dead-letter queue, or of one (by name), oldest first."""
        records = list(self._world.journal)
        return [
            letter_of(arn, sources, message, records, self._pollers.causes.get(message.message_id))
            for arn, sources in self.queues().items()
            if queue is None or arn.rsplit(":", 1)[-1] == queue
            for message in self._messages.held(arn)
        ]

    def redrive(self, queue: str | None = None, most: int | None = None) -> Redriven:
        """Send dead letters back to where they came from; what is in flight stays.

        Args:
            queue: name of one dead-letter queue; all if not given.
            most: at most so many messages.
        """
        moved: dict[str, int] = {}
        stays: dict[str, str] = {}
        for letter in self.waiting(queue):
            if most is not None and sum(moved.values()) >= most:
                break
            trouble = self._send_back(letter)
            if trouble:
                stays[letter.message_id] = trouble
            else:
                moved[letter.back] = moved.get(letter.back, 0) + 1
        return Redriven(moved, stays)

    def _send_back(self, letter: DeadLetter) -> str:
        """Send one back; returns why it stays, or nothing."""
        arn = self._world.arn("sqs", letter.queue)
        held = {each.message_id: each for each in self._messages.held(arn)}
        message = held.get(letter.message_id)
        now = self._world.clock.now().timestamp() * 1000
        if message is None or message.visible_at_ms > now:
            return "somebody has received it just now"
        if not letter.back:
            return "where it came from is not known"
        journal = self._world.journal
        with journal.entry("redrive", letter.queue, cause=self._cause(letter.message_id)) as entry:
            entry.detail.update(message_id=letter.message_id, target=letter.back)
            if letter.rule:
                event = json.loads(message.body)
                if not self._bus.deliver_again(letter.rule, letter.back, event, entry.id):
                    entry.status = "failed"
                    return f"the rule {letter.rule} has no target {letter.back} any more"
            elif letter.back.split(":")[2] == "lambda":
                body = json.loads(message.body)
                payload = body["requestPayload"] if is_record(body) else body
                self._invocations.later(letter.back.split(":")[6], payload, entry.id)
            else:
                self._send(letter.back, message, entry.id)
            self._messages.remove(arn, letter.message_id)
        return ""

    def _send(self, queue_arn: str, message: HeldMessage, cause: int) -> None:
        name = queue_arn.rsplit(":", 1)[-1]
        url = f"https://sqs.{self._world.region}.amazonaws.com/{self._world.account}/{name}"
        kept = ("DataType", "StringValue", "BinaryValue")
        typed = {
            key: {part: value[part] for part in kept if value.get(part) is not None}
            for key, value in message.message_attributes.items()
        }
        with self._world.journal.entry("delivery", name, cause=cause) as entry:
            sqs = self._world.client("sqs")
            sent = sqs.send_message(QueueUrl=url, MessageBody=message.body, MessageAttributes=typed)
            entry.detail.update(target=queue_arn, message_id=sent["MessageId"])

    def _cause(self, message_id: str) -> int | None:
        """The record that made this a dead letter."""
        for record in reversed(list(self._world.journal)):
            if record.kind == "dead-letter" and record.detail.get("message_id") == message_id:
                return record.id
        return self._pollers.causes.get(message_id)


def answers(letters: DeadLetters) -> Answers:
    """What `signalbox` asks a running cloud of its dead letters (`localcloud.control`)."""
    return {
        ("GET", "dead-letters"): lambda _: {
            "queues": letters.queues(),
            "letters": [asdict(each) for each in letters.waiting()],
        },
        ("POST", "redrive"): lambda asked: asdict(
            letters.redrive(asked.get("queue"), asked.get("most"))
        ),
    }
