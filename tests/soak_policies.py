"""Takes away one policy statement of template.yaml after the other: each must be missed at once.

`python -m tests.soak_policies [WORD...]` prints what was denied for each, and ends with 1 if one was not
missed, or something else was denied. It runs the scenario of the main jobs, or the loop of models where only
that needs the statement; what neither needs is said, the end-to-end tests use it. Statements on the reviewed
list stay. With words only the places that begin with one of them are tried, such as OnScoresRole.
"""

from __future__ import annotations

import copy
import json
import multiprocessing
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cli.chain import LOCAL
from cli.loop_day import ACCOUNTS, LoopDay
from cli.ship import ship
from localcloud import Cloud, DeployError
from localcloud.deploy.template import read_template
from localcloud.iam import Grant
from localcloud.iam.conditions import matches
from tests.conftest import BUILD
from tests.recordings import hvac_recording
from tests.reviewed_grants import DENY, reason
from tests.scenario import Scenario, denials

Way = Literal["scenario", "loop"]

_DOCUMENTS = {
    "AWS::KMS::Key": ("KeyPolicy",),
    "AWS::S3::BucketPolicy": ("PolicyDocument",),
    "AWS::SNS::TopicPolicy": ("PolicyDocument",),
    "AWS::SQS::QueuePolicy": ("PolicyDocument",),
    "AWS::IAM::Role": ("AssumeRolePolicyDocument",),
}


@dataclass(frozen=True)
class Loss:
    """What came of taking a statement away: `problem` is empty if it was missed as it should."""

    where: str
    how: str
    denied: tuple[tuple[str, str], ...]
    problem: str


def documents(template: dict[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """(place, statements) of every policy in the template; the lists are the template's own.

    Statements under a condition are left out of them: here there are no network, no key and no other
    accounts, so they are not deployed, and those after them count one less.
    """
    for where, found in _written(template):
        found[:] = [each for each in found if "Effect" in each]
        yield where, found


def _written(template: dict[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for name, body in template["Resources"].items():
        props = body.get("Properties") or {}
        for prop in _DOCUMENTS.get(body["Type"], ()):
            yield f"{name}.{prop}", props[prop]["Statement"]
        if body["Type"] == "AWS::IAM::Role":
            for place, policy in enumerate(props.get("Policies", [])):
                yield f"{name}.Policies[{place}]", policy["PolicyDocument"]["Statement"]


def statements(template: dict[str, Any]) -> dict[str, str]:
    """Place of every statement -> its effect."""
    return {
        f"{where}.Statement[{place}]": each["Effect"]
        for where, found in documents(template)
        for place, each in enumerate(found)
    }


def without(build: Path, where: str, folder: Path) -> Path:
    """A build like this one, its folders shared, whose template lacks a statement."""
    template = copy.deepcopy(read_template(build / "template.yaml")[0])
    for document, found in documents(template):
        for place in reversed(range(len(found))):
            if f"{document}.Statement[{place}]" == where:
                del found[place]
    for path in build.iterdir():
        if path.name != "template.yaml":
            (folder / path.name).symlink_to(path)
    (folder / "template.yaml").write_text(json.dumps(template), encoding="utf-8")
    return folder


def deployed(cloud: Cloud) -> None:
    """Deploy the template with stages for cards, as the loop wants them."""
    shipped = ship(cloud.client("s3"), cloud.packages)
    cloud.deploy({"ArtifactBucket": cloud.packages, **LOCAL, **ACCOUNTS, **shipped})


def steps_of(way: Way, cloud: Cloud) -> Sequence[Callable[[], None]]:
    """What is done to a cloud, in order."""
    if way == "loop":
        return (LoopDay(cloud).go,)
    return Scenario(cloud, hvac_recording()).steps


def whole(way: Way) -> tuple[list[Grant], frozenset[str]]:
    """What the template grants as it stands, and the places of what is used of it."""
    with Cloud(BUILD) as cloud:
        deployed(cloud)
        for step in steps_of(way, cloud):
            step()
            cloud.run_until_idle()
        return list(cloud.granted), frozenset(each.where for each in cloud.used)


def lost(where: str, grants: Sequence[Grant], way: Way) -> Loss:
    """Take a statement away and see what is denied; `grants` are those of the statement."""
    with tempfile.TemporaryDirectory(prefix="policies-") as place:
        build = without(BUILD, where, Path(place))
        with Cloud(build) as cloud:
            try:
                deployed(cloud)
            except DeployError as error:
                return _refused(where, grants, error)
            return _ran(where, grants, way, cloud)


def _refused(where: str, grants: Sequence[Grant], error: DeployError) -> Loss:
    text = str(error)
    for each in grants:
        named = each.resource if each.resource != "*" else where.partition(".")[0]
        if each.action.lower().rstrip("*") in text.lower() and named in text:
            return Loss(where, "deploy", ((each.action, named),), "")
    return Loss(where, "deploy", (), f"the refusal is about something else: {text}")


def _ran(where: str, grants: Sequence[Grant], way: Way, cloud: Cloud) -> Loss:
    for step in steps_of(way, cloud):
        step()
        cloud.run_until_idle()
        denied = tuple(dict.fromkeys(denials(cloud.journal)))
        if denied:
            other = [each for each in denied if not any(_fits(grant, *each) for grant in grants)]
            problem = f"also denied, though still granted: {other}" if other else ""
            return Loss(where, step.__name__, denied, problem)
    return Loss(where, "", (), "nobody missed it")


def _fits(grant: Grant, action: str, resource: str) -> bool:
    return matches(grant.action.lower(), action.lower()) and matches(grant.resource, resource)


def main(wanted: tuple[str, ...] = ("",)) -> int:
    """Try every statement whose place begins with one of these words, two at a time."""
    grants, by_scenario = whole("scenario")
    _, by_loop = whole("loop")
    found = statements(read_template(BUILD / "template.yaml")[0])
    tried: dict[str, tuple[list[Grant], Way]] = {}
    kept: dict[str, str] = {}
    for where, effect in ((w, e) for w, e in found.items() if w.startswith(wanted)):
        own = [each for each in grants if each.where == where]
        why = DENY if effect == "Deny" else reason(own[0]) if all(map(reason, own)) else ""
        trusts = (
            "AssumeRolePolicyDocument" in where
        )  # missed when it is deployed, or by whoever it is for
        if not why and not trusts and where not in by_scenario | by_loop:
            why = "neither the scenario nor the loop needs it"
        if why:
            kept[where] = why
        else:
            tried[where] = own, "loop" if where in by_loop - by_scenario else "scenario"
    context = multiprocessing.get_context("spawn")  # one cloud a process, none inherited
    losses: list[Loss] = []
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        ways = [way for _, way in tried.values()]
        for loss in pool.map(lost, tried, [own for own, _ in tried.values()], ways):
            action, resource = loss.denied[0] if loss.denied else ("", "")
            said = f"{loss.where:<56} {loss.how:<12} {action:<22} {resource} {loss.problem}"
            print(f"{len(losses) + 1}/{len(tried)} {said}", flush=True)
            losses.append(loss)
    for where, why in kept.items():
        print(f"{where:<56} stays: {why}")
    wrong = [loss for loss in losses if loss.problem]
    print(f"{len(losses)} statements taken away, {len(wrong)} not missed as they should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(tuple(sys.argv[1:]) or ("",)))
