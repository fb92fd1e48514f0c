"""Where a command works: the cloud that `signalbox up` serves, or an AWS account by a profile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer

Profile = Annotated[
    str | None,
    typer.Option(help="Work on the AWS account of this profile instead of the local cloud."),
]
Region = Annotated[
    str | None, typer.Option(help="AWS region, else the profile's; only with --profile.")
]
Stack = Annotated[str, typer.Option(help="The stack's name; only with --profile.")]


@dataclass(frozen=True)
class Place:
    """One account and what is deployed in it."""

    profile: str | None = None
    region: str | None = None
    stack: str = "signalbox"

    def client(self, service: str) -> Any:
        """A boto3 client there.

        Raises:
            NotUp: no profile was given, and no local cloud is running.
        """
        if self.profile is None:
            from cli.whereabouts import client

            return client(service)
        import boto3

        return boto3.Session(profile_name=self.profile, region_name=self.region).client(service)

    def environment(self, function: str) -> dict[str, str]:
        """What the template tells a function, by its logical id.

        Raises:
            BadUse: there is no such function.
        """
        if self.profile is None:
            from cli.whereabouts import START, BadUse, noted

            found = noted()["functions"].get(function)
            if found is None:
                raise BadUse(f"the running cloud has no {function}; end it, then {START}")
        else:
            found = self.client("cloudformation").describe_stack_resource(
                StackName=self.stack, LogicalResourceId=function
            )["StackResourceDetail"]["PhysicalResourceId"]
        told = self.client("lambda").get_function_configuration(FunctionName=found)
        return dict(told["Environment"]["Variables"])

    def pipeline(self, name: str) -> str:
        """The name of a pipeline of the stack."""
        return f"{self.name}-{name}"

    def table(self, logical_id: str) -> str:
        """The name of a table of the stack.

        Raises:
            BadUse: what runs there was deployed from a template without it.
        """
        if self.profile is None:
            from cli.whereabouts import START, BadUse, noted

            found = noted().get("tables", {}).get(logical_id)
            if found is None:
                raise BadUse(f"the running cloud has no {logical_id}; end it, then {START}")
            return str(found)
        told = self.client("cloudformation").describe_stack_resource(
            StackName=self.stack, LogicalResourceId=logical_id
        )
        return str(told["StackResourceDetail"]["PhysicalResourceId"])

    @property
    def name(self) -> str:
        """The stack's name."""
        from cli.whereabouts import noted

        return self.stack if self.profile else str(noted().get("stack", self.stack))
