"""What scoring runs read and write in the data bucket: models in service, requests, windows."""

from __future__ import annotations

from pydantic import ValidationError

from signalbox.adapters.objects import Objects
from signalbox.contracts.complaints import complaint
from signalbox.contracts.keys import current_model_key, request_key, windows_manifest_key
from signalbox.contracts.scoring import CurrentModel, ScoringRequest, WindowsManifest
from signalbox.errors import Misconfigured


class ModelShelf:
    """The pointers ``models/<workload>/current.json``."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def current(self, workload: str) -> CurrentModel | None:
        """Return the model that scores a workload now, or None if there is none.

        Raises:
            Misconfigured: what stands there is none, or one of another workload.
        """
        key = current_model_key(workload)
        content = self._objects.find(key)
        if content is None:
            return None
        try:
            found = CurrentModel.model_validate_json(content)
        except ValidationError as problem:
            raise Misconfigured(
                f"{key!r} points to no model: {complaint(problem)}; publish the model again"
            ) from None
        if found.schema_.workload != workload:
            raise Misconfigured(
                f"{key!r} points to model {found.schema_.version} of another workload, "
                f"{found.schema_.workload!r}; publish one that was trained for {workload!r}"
            )
        return found


class RequestFolder:
    """The requests ``scoring/<workload>/<run>/request.json``."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def write(self, request: ScoringRequest) -> None:
        """Write what a run is asked for."""
        content = request.model_dump_json(by_alias=True, indent=1).encode()
        self._objects.put(request_key(request.workload, request.run), content)


class WindowsFolder:
    """What the windows program wrote under ``windows/<workload>/<run>/``."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def manifest(self, workload: str, run: str) -> WindowsManifest | None:
        """Return a run's manifest, or None if it wrote none (or it is gone).

        Raises:
            Misconfigured: it is not what this door understands.
        """
        key = windows_manifest_key(workload, run)
        content = self._objects.find(key)
        if content is None:
            return None
        try:
            return WindowsManifest.model_validate_json(content)
        except ValidationError as problem:
            raise Misconfigured(
                f"{key!r}: {complaint(problem)}; program and doors are of different versions: "
                "make package and deploy"
            ) from None
