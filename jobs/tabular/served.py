"""A trained model as it comes from a training job: model.tar.gz, or a folder, run by ONNX Runtime."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import ValidationError

from jobs.tabular.features import matrix
from signalbox.contracts.complaints import complaint
from signalbox.contracts.gate import Problem
from signalbox.contracts.model_schema import FILE, ONNX
from signalbox.contracts.tabular_model import INPUT, TabularModel
from signalbox.errors import Rejected

ARCHIVE = "model.tar.gz"
BATCH = 65_536


@dataclass(frozen=True)
class Served:
    """A session and which problem it answers."""

    session: Any
    problem: Problem

    @classmethod
    def open(cls, path: Path, problem: Problem) -> Served:
        """Load ``model.onnx``.

        Raises:
            Rejected: it does not load.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as damage:  # onnxruntime's errors share no class of their own
            raise Rejected("bad-model", f"{path.name} does not load: {damage}") from damage
        return cls(session, problem)

    def answers(self, shown: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Numbers, or probabilities of class 1.

        Args:
            shown: (n, F).

        Returns:
            (n,).
        """
        parts = [
            self.session.run(None, {INPUT: shown[k : k + BATCH]})[0][:, -1]
            for k in range(0, len(shown), BATCH)
        ]
        return np.concatenate(parts).astype(np.float64) if parts else np.empty(0)


@dataclass(frozen=True)
class Model:
    """A model and what it was made from."""

    told: TabularModel
    served: Served

    def answers(self, table: pa.Table) -> npt.NDArray[np.float64]:
        """Answers for the rows of a table.

        Raises:
            Rejected: columns are missing, or hold no numbers.
        """
        return self.served.answers(matrix(table, self.told.columns))


@contextmanager
def opened(folder: Path, workload: str) -> Iterator[Model]:
    """Lend the model that lies in a folder, as an archive or unpacked.

    Raises:
        Rejected: there is none, it is damaged, or of another workload.
    """
    with unpacked(folder) as place:
        told = _told(place)
        if told.workload != workload:
            raise Rejected(
                "other-workload",
                f"model {told.version} is of workload {told.workload!r}, not of {workload!r}",
            )
        yield Model(told, Served.open(place / ONNX, told.problem))


@contextmanager
def unpacked(folder: Path) -> Iterator[Path]:
    """Lend a folder with model.json and model.onnx: this one, or what its archive holds.

    Raises:
        Rejected: the archive is damaged, or lacks one of them.
    """
    if not (folder / ARCHIVE).is_file():
        yield folder
        return
    with TemporaryDirectory() as made:
        _unpack(folder / ARCHIVE, Path(made))
        yield Path(made)


def _unpack(archive: Path, place: Path) -> None:
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for name in (FILE, ONNX):
                member = next((m for m in tar if m.name.removeprefix("./") == name), None)
                source = tar.extractfile(member) if member is not None else None
                if source is None:
                    raise Rejected("bad-model", f"{archive.name} holds no {name}")
                (place / name).write_bytes(source.read())
    except (OSError, EOFError, tarfile.TarError) as problem:
        raise Rejected("bad-model", f"{archive.name} cannot be unpacked: {problem}") from problem


def _told(place: Path) -> TabularModel:
    if not (place / FILE).is_file() or not (place / ONNX).is_file():
        raise Rejected("no-model", f"{place} holds no model ({ARCHIVE}); train one first")
    try:
        return TabularModel.model_validate_json((place / FILE).read_bytes())
    except ValidationError as problem:
        raise Rejected("bad-model", f"{FILE}: {complaint(problem)}") from None
