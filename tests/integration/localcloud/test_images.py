"""Container images that a template declares: their programs, and the code that they hold."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from cli.build import BUILD, sources_digest
from cli.images import UnclearImage, assemble, dockerfiles, read_recipe
from cli.workloads import ROOT
from localcloud import Cloud, DeployError
from localcloud.deploy.template import read_template
from localcloud.images import Image, declared_images, named
from tests.integration.localcloud.builds import BUCKET, ROLE, write_build
from tests.integration.localcloud.conftest import START, Deploy
from tests.integration.localcloud.containers import ROLE_ARN

URI = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/greet"
HEAD = """
Parameters:
  GreetImage: {Type: String, Default: URI}
  OtherImage: {Type: String, Default: ""}
Metadata:
  Images:
    GreetImage: {Dockerfile: containers/greet/Dockerfile, Program: [python3, -m, greet.main]}
    OtherImage: {Dockerfile: containers/greet/Dockerfile, Program: []}
""".replace("URI", URI)
MAIN = """
import importlib.util, json, os, sys
import greet.words
print(greet.words.HELLO, sys.argv[1:], importlib.util.find_spec("localcloud"))
"""
CODE = {
    "images/greet/greet/__init__.py": "",
    "images/greet/greet/main.py": MAIN,
    "images/greet/greet/words.py": "HELLO = 'hello'",
}


def lines(cloud: Cloud) -> list[str]:
    return [record.detail["line"] for record in cloud.journal if record.kind == "log"]


def process(cloud: Cloud, name: str, image: str, *entrypoint: str) -> dict[str, Any]:
    app: dict[str, Any] = {"ImageUri": image, "ContainerArguments": ["you"]}
    if entrypoint:
        app["ContainerEntrypoint"] = list(entrypoint)
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    sagemaker = cloud.client("sagemaker")
    sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=ROLE_ARN,
        AppSpecification=app,
        ProcessingResources={"ClusterConfig": cluster},
    )
    cloud.run_until_idle()
    return dict(sagemaker.describe_processing_job(ProcessingJobName=name))


def test_a_declared_image_starts_its_program_from_what_was_built(deploy: Deploy) -> None:
    cloud = deploy(BUCKET + ROLE, CODE, head=HEAD)
    assert process(cloud, "one", f"{URI}:7")["ProcessingJobStatus"] == "Completed"
    assert lines(cloud) == ["hello ['you'] None"]


def test_where_the_program_is_empty_the_request_says_it(deploy: Deploy) -> None:
    other = "elsewhere/other:1"
    cloud = deploy(BUCKET + ROLE, CODE, {"OtherImage": other}, HEAD)
    done = process(cloud, "one", other, "python3", "-m", "greet.main")
    assert done["ProcessingJobStatus"] == "Completed"
    assert lines(cloud) == ["hello ['you'] None"]
    assert "knows no program for image" in process(cloud, "two", other)["FailureReason"]


def test_an_image_given_to_the_cloud_comes_first(deploy: Deploy) -> None:
    cloud = deploy(BUCKET + ROLE, CODE, head=HEAD, images={URI: ["/bin/echo", "other"]})
    assert process(cloud, "one", URI)["ProcessingJobStatus"] == "Completed"
    assert lines(cloud) == ["other you"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("GreetImage: {Dockerfile", "NoImage: {Dockerfile"), "NoImage: is no parameter"),
        (("Program: []", "Porgram: []"), "OtherImage: must say Dockerfile and Program"),
        (("Program: []", "Program: serve"), "OtherImage.Program: must be a list"),
        (("containers/greet/", "greet/"), r"Dockerfile: must be containers/<name>/Dockerfile"),
        (("containers/greet/", "containers/none/"), "none is not there: run `make build`"),
    ],
)
def test_a_wrong_declaration_is_refused(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    build = write_build(tmp_path, BUCKET, CODE, HEAD.replace(*change))
    with (
        Cloud(build=build, start=START) as cloud,
        pytest.raises(DeployError, match=rf"Metadata\.Images\..*{message}"),
    ):
        cloud.deploy()


def test_an_image_is_known_with_and_without_its_tag() -> None:
    image = Image(("serve",))
    assert named({URI: image}, f"{URI}:1") is image
    assert named({URI: image}, f"{URI}:1@sha256:0") is image
    assert named({f"{URI}:1": image}, f"{URI}:2") is None
    assert named({"localhost:5000/a": image}, "localhost:5000/a") is image


DOCKERFILE = """
# about it
FROM python:3.11
RUN pip install \\
    # these
    one two
COPY containers/greet/requirements.txt /tmp/
COPY --chown=1000 containers/greet /opt/program/greet
WORKDIR /opt/program
COPY layers/words.py layers/more.py ./
USER 1000:1000
ENTRYPOINT ["python3", "-m", "greet"]
CMD ["serve"]
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    files = ["containers/greet/main.py", "containers/greet/requirements.txt",
             "containers/greet/__pycache__/main.pyc", "layers/words.py", "layers/more.py",
             "layers/none.py", "template.yaml"]  # fmt: skip
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "containers/greet/Dockerfile").write_text(DOCKERFILE)
    return tmp_path


def test_a_build_holds_what_the_dockerfile_copies(repository: Path) -> None:
    build = repository / "build"
    (build / "images" / "stale").mkdir(parents=True)
    assemble(build, repository)
    found = {p.relative_to(build).as_posix() for p in build.rglob("*") if p.is_file()}
    assert found == {
        "images/greet/greet/Dockerfile",
        "images/greet/greet/main.py",
        "images/greet/greet/requirements.txt",
        "images/greet/words.py",
        "images/greet/more.py",
    }
    assert (build / "images/greet/words.py").read_text() == "layers/words.py"
    recipe = read_recipe(repository / "containers/greet/Dockerfile")
    assert recipe.entrypoint == ("python3", "-m", "greet")


def test_a_build_is_stale_once_something_that_an_image_holds_changes(repository: Path) -> None:
    before = sources_digest(repository)
    (repository / "layers/none.py").write_text("of no image, yet of a layer")
    changed = sources_digest(repository)
    (repository / "containers/greet/main.py").write_text("changed")
    assert len({before, changed, sources_digest(repository)}) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("FROM a\nFROM b\n", "line 2: has more than one stage"),
        ("WORKDIR program\n", "WORKDIR needs its whole path"),
        ("WORKDIR /opt/program\nADD layers/words.py ./\n", "ADD is not known here"),
        ("WORKDIR /opt/program\nCOPY layers/*.py ./\n", "plain paths"),
        ("WORKDIR /opt/program\nCOPY --from=one layers/words.py ./\n", "plain paths"),
        ("WORKDIR /opt/program\nCOPY ../words.py ./\n", "is not in the repository"),
        ("WORKDIR /opt/program\nCOPY layers/gone.py ./\n", "layers/gone.py is not there"),
        ("WORKDIR /opt/program\nCOPY layers/words.py /srv/\n", "not under WORKDIR /opt/program"),
        ("COPY layers/words.py ./\n", "not under WORKDIR /"),
        ("ENTRYPOINT python3 -m greet\n", "must be a list"),
    ],
)
def test_a_dockerfile_that_is_not_clear_is_an_error(
    repository: Path, text: str, message: str
) -> None:
    dockerfile = repository / "containers/greet/Dockerfile"
    dockerfile.write_text(dedent(text))
    with pytest.raises(UnclearImage, match=message):
        read_recipe(dockerfile)


def declared() -> dict[str, Any]:
    template, _ = read_template(ROOT / "template.yaml")
    found: dict[str, Any] = (template.get("Metadata") or {}).get("Images") or {}
    return found


def test_the_template_declares_what_the_dockerfiles_start() -> None:
    for parameter, body in declared().items():
        recipe = read_recipe(ROOT / body["Dockerfile"])
        assert tuple(body["Program"]) in {recipe.entrypoint, ()}, parameter


def test_every_dockerfile_can_be_read() -> None:
    for dockerfile in dockerfiles():
        assert read_recipe(dockerfile).sources, dockerfile


@pytest.mark.built
def test_the_build_has_every_declared_image() -> None:
    template, _ = read_template(BUILD / "template.yaml")
    assert (template.get("Metadata") or {}).get("Images", {}) == declared()
    values = {name: f"image/{name.lower()}" for name in declared()}
    images = declared_images(template, values, BUILD).values()
    for image in images:
        assert image.folder is not None
        assert image.program
    holds = {each.folder.name: any(each.folder.iterdir()) for each in images}
    # programs come with each job; their image holds libraries only
    assert holds == {"onnx_inference": True, "programs": False}
