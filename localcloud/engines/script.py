"""Training in script mode: what the SageMaker Training Toolkit does inside its images.

Citation: README and ENVIRONMENT_VARIABLES.md of the SageMaker Training Toolkit.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from localcloud.engines.base import Program, RunError
from localcloud.engines.ml import HOSTS, MlFolder
from localcloud.engines.python import check_modules, command_of


def channels(facts: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """A training job's channels, as inputdataconfig.json has them."""
    return {
        channel["ChannelName"]: {
            "TrainingInputMode": "File",
            "S3DistributionType": channel["DataSource"]["S3DataSource"].get(
                "S3DataDistributionType", "FullyReplicated"
            ),
            "RecordWrapperType": "None",
            **({"ContentType": channel["ContentType"]} if "ContentType" in channel else {}),
        }
        for channel in facts.get("InputDataConfig") or []
    }


def script(ml: MlFolder, facts: Mapping[str, Any], environment: dict[str, str]) -> Program:
    """The program that the hyperparameters sagemaker_program and sagemaker_submit_directory name.

    Raises:
        RunError: it is not there, or wants modules that are not here.
    """
    values = {name: _decoded(text) for name, text in facts["HyperParameters"].items()}
    source = str(values.get("sagemaker_submit_directory", "/opt/ml/code"))
    place = "/opt/ml/code"
    if source.startswith("s3://"):
        ml.unpack(source, place)
    else:
        place = source
    code = ml.path(place)
    program = code / str(values["sagemaker_program"])
    if not program.is_file() or program.suffix != ".py":
        message = f"{values['sagemaker_program']} is no Python script in {source}"
        raise RunError(f"ClientError: sagemaker_program: {message}")
    required = code / "requirements.txt"
    if required.is_file():
        lines = required.read_text(encoding="utf-8").splitlines()
        check_modules("requirements.txt", (line.partition("#")[0] for line in lines))
    reserved = ("sagemaker_", "_tuning_objective_metric")
    own = {name: each for name, each in values.items() if not name.startswith(reserved)}
    arguments = [part for name, each in sorted(own.items()) for part in (f"--{name}", _text(each))]
    told = _told(ml, facts, own, arguments) | {
        "SM_MODULE_DIR": source,
        "SM_MODULE_NAME": program.stem,
        "SM_USER_ENTRY_POINT": program.name,
        "PYTHONPATH": str(code),
    }
    command = command_of(["python3", str(program), *arguments])
    return Program(command, {**told, **environment}, code)


def _told(
    ml: MlFolder, facts: Mapping[str, Any], own: Mapping[str, Any], arguments: list[str]
) -> dict[str, str]:
    """The toolkit's SM_ variables."""
    known = channels(facts)
    told = {
        "SM_CHANNELS": json.dumps(sorted(known)),
        "SM_CURRENT_HOST": HOSTS["current_host"],
        "SM_HOSTS": json.dumps(HOSTS["hosts"]),
        "SM_HPS": json.dumps(own),
        "SM_INPUT_CONFIG_DIR": ml.here("/opt/ml/input/config"),
        "SM_INPUT_DATA_CONFIG": json.dumps(known),
        "SM_INPUT_DIR": ml.here("/opt/ml/input"),
        "SM_LOG_LEVEL": "20",
        "SM_MODEL_DIR": ml.here("/opt/ml/model"),
        "SM_NETWORK_INTERFACE_NAME": "lo",
        "SM_NUM_CPUS": str(os.cpu_count() or 1),
        "SM_NUM_GPUS": "0",
        "SM_OUTPUT_DATA_DIR": ml.here("/opt/ml/output/data"),
        "SM_OUTPUT_DIR": ml.here("/opt/ml/output"),
        "SM_RESOURCE_CONFIG": json.dumps(HOSTS),
        "SM_USER_ARGS": json.dumps(arguments),
    }
    told |= {f"SM_HP_{name.upper()}": _text(each) for name, each in own.items()}
    places = {name: ml.here(f"/opt/ml/input/data/{name}") for name in known}
    return {key: str(each) for key, each in told.items()} | {
        f"SM_CHANNEL_{name.upper()}": place for name, place in places.items()
    }


def _decoded(text: str) -> Any:
    """The SDK writes hyperparameters of script mode as JSON; others are plain text."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict | list) else str(value)
