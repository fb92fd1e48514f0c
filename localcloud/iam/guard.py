"""The guard: every request of a role, and every delivery of a service, is judged here.

Requests of administrators and of keys that belong to no role are not judged, save those that name what
another account may have shared with theirs. A role of another account that does not exist here is its
account's administrator: what it may do elsewhere is for the resource's policy to say. A role of this
account that does not exist has no policies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from localcloud.iam.errors import UnknownAction
from localcloud.iam.evaluate import Decision, Grant, Principal, Question, judge
from localcloud.iam.needs import Need
from localcloud.iam.operations import KEY_USE, SHARED
from localcloud.iam.requests import key_used, needs, through
from localcloud.iam.standing import Standing
from localcloud.seams import Permissions
from localcloud.wiring import Call, Refused, Session

if TYPE_CHECKING:
    from localcloud.world import World

_CODES = {
    "cloudwatch": "AccessDenied", "iam": "AccessDenied", "s3": "AccessDenied",
    "sns": "AuthorizationError", "sqs": "AccessDenied", "sts": "AccessDenied",
}  # fmt: skip
_FORBIDDEN = {
    "bedrock",
    "bedrock-runtime",
    "lambda",
    "sagemaker-runtime",
    "scheduler",
}  # 403, not 400


class Guard:
    """Judges by the policies as they stand at that moment.

    Args:
        world: the cloud.

    Attributes:
        standing: the policies as they stand.
        used: what was made use of so far.
        fault: called for every request of a role once it is allowed, before it is served; what it
            raises as `Refused` is the answer. Here faults come in.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._known = Permissions()
        self.standing = Standing(world, self._known)
        self._sessions: dict[str, Session] = {}
        self.used: set[Grant] = set()
        self.fault: Callable[[Call, Principal], None] = lambda _call, _principal: None

    @property
    def callbacks(self) -> dict[str, str]:
        """By token, the ARN of the pipeline execution that waits for it."""
        return self._known.callbacks

    @contextmanager
    def called(self, call: Call, cause: int | None) -> Iterator[None]:
        """Judge a request, let it be served inside, and write down what came of it.

        Raises:
            Refused: it is not allowed.
        """
        known = call.access_key in self._world.administrators  # most requests; nothing to look up
        session = None if known else self._session(call)
        if session is None:
            self._administrator(call, cause)
            yield
            return
        principal = Principal("AWS", session.role_arn, session.account, session.arn)
        first = Need(f"{call.service}:{call.operation()}", "*")
        try:
            wanted = self._needs(call, session)
        except UnknownAction as error:
            self._note(first, call.operation(), principal, "denied", Decision(False), cause)
            raise Refused("NotImplemented", str(error), 501) from error
        grants: list[Grant] = []
        for need in wanted:
            decision = self._judged(principal, need)
            if not decision.allowed:
                self._note(need, call.operation(), principal, "denied", decision, cause)
                raise self._refused(call, principal, need, decision)
            grants += decision.grants
        self.used.update(grants)
        first = wanted[0] if wanted else first
        given, status = Decision(True, tuple(grants)), "failed"
        try:
            self.fault(call, principal)
            yield
            status = "ok" if call.status < 400 else "failed"
        finally:
            self._note(first, call.operation(), principal, status, given, cause)

    def _administrator(self, call: Call, cause: int | None) -> None:
        """Who may do everything in an account may do elsewhere what is shared with the account.

        Raises:
            Refused: the request names what another account did not share.
        """
        if call.service == "s3" and call.account == self._world.account:
            return  # most requests; other accounts share no buckets here
        if not any(call.service == each and name in call.operation() for each, name in SHARED):
            return
        arn = f"arn:aws:iam::{call.account}:root"
        principal = Principal("AWS", arn, call.account, arn)
        for need in needs(call, self._known):
            owner = self._owner(need.resource)
            if owner in {"", call.account} or need.resource == "*":
                continue
            context = {**self._context(principal, owner), **need.context}
            question = Question(principal, need.action, need.resource, context, owner)
            decision = judge(question, None, self.standing.of_resource(need.resource))
            if not decision.allowed:
                self._note(need, call.operation(), principal, "denied", decision, cause)
                raise self._refused(call, principal, need, decision)
            self.used.update(decision.grants)

    def _needs(self, call: Call, session: Session) -> list[Need]:
        if session.policy:
            raise UnknownAction("a session with a policy of its own is not played")
        return needs(call, self._known)

    def judge_service(
        self, service: str, action: str, resource: str, context: Mapping[str, str] | None = None
    ) -> Decision:
        """Whether a resource's policy, and that of its key, let an AWS service do something.

        Args:
            service: such as events.amazonaws.com.
            action: such as sqs:SendMessage.
            resource: ARN.
            context: condition keys of the delivery, such as aws:SourceArn, in any case.
        """
        own = {key.lower(): value for key, value in (context or {}).items()}
        return self._all(Principal("Service", service), Need(action, resource, own))

    def judge_role(
        self,
        role_arn: str,
        action: str,
        resource: str,
        context: Mapping[str, str] | None = None,
        *,
        use: bool = True,
    ) -> Decision:
        """Whether a role may do something; `use` says whether it now does, for the unused grants."""
        own = {key.lower(): value for key, value in (context or {}).items()}
        principal = Principal("AWS", role_arn, role_arn.split(":")[4])
        return self._all(principal, Need(action, resource, own), use=use)

    def act(
        self, role_arn: str, action: str, resource: str, *, by: str, cause: int | None = None
    ) -> Decision:
        """Judge and write down what a service does in a role's name, such as polling a queue.

        Args:
            role_arn: whose permission it takes.
            action: such as sqs:ReceiveMessage.
            resource: ARN.
            by: the service that does it, such as lambda.amazonaws.com.
            cause: the record behind it, if not the current one.
        """
        decision = self.judge_role(role_arn, action, resource)
        status = "ok" if decision.allowed else "denied"
        principal = Principal("AWS", role_arn, role_arn.split(":")[4])
        self._note(Need(action, resource), by, principal, status, decision, cause)
        return decision

    def _session(self, call: Call) -> Session | None:
        key = call.access_key or ""
        if key not in self._sessions:
            found = self._known.session(key, call.account)
            if found is None:
                return None
            self._sessions[key] = found
        return self._sessions[key]

    def _all(self, principal: Principal, need: Need, *, use: bool = True) -> Decision:
        """The verdict on a need, and on what it takes to use its resource's key."""
        decision = self._judged(principal, need)
        grants = list(decision.grants)
        key = key_used(need, self._known) if need.action in KEY_USE else ""
        for action in KEY_USE[need.action] if key and decision.allowed else ():
            context = {**need.context, **through(need, key)}
            decision = self._judged(principal, Need(action, key, context))
            if not decision.allowed:
                reason = f"it takes {action} on its key {key}: {decision.reason}"
                return Decision(False, reason=reason)
            grants += decision.grants
        if decision.allowed and use:
            self.used.update(grants)
        return Decision(True, tuple(grants)) if decision.allowed else decision

    def _judged(self, principal: Principal, need: Need) -> Decision:
        owner = self._owner(need.resource)
        context = {**self._context(principal, owner), **need.context}
        question = Question(principal, need.action, need.resource, context, owner)
        identity = self.standing.of_role(principal.name) if principal.kind == "AWS" else None
        if identity is None and principal.account == self._world.account:
            identity = ()
        return judge(question, identity, self.standing.of_resource(need.resource))

    def _owner(self, resource: str) -> str:
        parts = resource.split(":", 5)
        if len(parts) < 6 or parts[2] == "ram":  # an invitation has its sender's account in its ARN
            return ""
        return (
            self._known.bucket_owner(parts[5].partition("/")[0]) if parts[2] == "s3" else parts[4]
        )

    def _context(self, principal: Principal, owner: str) -> dict[str, str]:
        now = self._world.clock.now()
        shared = {
            "aws:currenttime": now.isoformat(),
            "aws:epochtime": str(int(now.timestamp())),
            "aws:requestedregion": self._world.region,
            "aws:resourceaccount": owner or self._world.account,
            "aws:securetransport": "true",  # this machine's own address counts as TLS
            "aws:viaawsservice": "false",
            "s3:resourceaccount": owner or self._world.account,  # S3's older name of the same
        }
        if principal.kind == "Service":
            return shared | {
                "aws:principalisawsservice": "true",
                "aws:principalservicename": principal.name,
            }
        return shared | {
            "aws:principalaccount": principal.account,
            "aws:principalarn": principal.name,
            "aws:principalisawsservice": "false",
            "aws:principaltype": "AssumedRole",
            "aws:sourceip": "127.0.0.1",
            "kms:calleraccount": principal.account,
        }

    def _refused(self, call: Call, principal: Principal, need: Need, decision: Decision) -> Refused:
        role = principal.name.rpartition("/")[2]
        message = (
            f"User: {principal.session} is not authorized to perform: {need.action} on resource: "
            f"{need.resource} because no statement of role {role} or of the resource allows it; "
            f"{decision.reason}"
        )
        if role.endswith(":root"):
            message = message.replace(
                f"no statement of role {role} or of the resource allows it",
                f"it is not shared with account {principal.account} for that",
            )
        if decision.reason.endswith("denies it"):
            message = message.partition(" because ")[0] + f" because {decision.reason}"
        code = _CODES.get(call.service, "AccessDeniedException")
        return Refused(
            code, message, 403 if call.service in _CODES | dict.fromkeys(_FORBIDDEN) else 400
        )

    def _note(
        self,
        need: Need,
        operation: str,
        principal: Principal,
        status: str,
        decision: Decision,
        cause: int | None,
    ) -> None:
        detail: dict[str, Any] = {
            "operation": operation,
            "resource": need.resource,
            "principal": principal.session or principal.name,
            "role": self._world.stack.logical_id(
                "AWS::IAM::Role", principal.name.rpartition("/")[2]
            ),
            "grants": [[each.where, each.action, each.resource] for each in decision.grants],
        }
        if decision.reason:
            detail["message"] = decision.reason
        self._world.journal.add("call", need.action, status, cause=cause, **detail)
