"""Learning: weighted NLL over cycles drawn anew each epoch, stopped early, resumed exactly.

Each epoch draws its luck from seed and epoch alone, and what it left is written in one step, so a
run that was killed anywhere goes on from its last whole epoch and ends in the same weights.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.nn import functional

from cycles.errors import BadHistory
from cycles.history import Sequences, sample
from jobs.training.model import ARCHITECTURE, FaultModel
from signalbox.contracts.prediction import ASKED, Prediction

JUDGED_BATCH = 64
WARM_UP = 0.15  # of all steps
CLIP = 1.0  # norm of the gradient
SAME_ORDER = ("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
"""Without it cuBLAS may add up in another order each time, and torch refuses to be deterministic on a GPU.
Source: pytorch.org/docs/stable/generated/torch.use_deterministic_algorithms.html"""

HELD = {"run", "model", "best", "optimizer", "schedule", "epochs", "best_epoch"}
"""What a checkpoint holds."""


@dataclass(frozen=True)
class Epoch:
    """What an epoch came to; losses are mean negative log-likelihoods, the training one weighted."""

    number: int
    train_loss: float
    validation_loss: float
    validation_auc: float

    def line(self) -> str:
        """As a metric definition reads it: ``validation_auc=(.*?);``."""
        told = {name: f"{value:.6f}" for name, value in asdict(self).items() if name != "number"}
        return f"epoch={self.number}; " + " ".join(f"{name}={v};" for name, v in told.items())


Heard = Callable[[Epoch], None]


@dataclass
class Learning:
    """Everything that an epoch changes: what a checkpoint holds.

    Attributes:
        model, optimizer, schedule: as they stand.
        epochs: those done.
        best: the weights of the best epoch by validation AUC, and which it was.
    """

    model: FaultModel
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    epochs: list[Epoch] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)
    best_epoch: int = 0

    def save(self, path: Path, run: str) -> None:
        """Write in one step: another process sees this checkpoint, or the one before it."""
        held = {
            "run": run, "model": self.model.state_dict(), "best": self.best,
            "optimizer": self.optimizer.state_dict(), "schedule": self.schedule.state_dict(),
            "epochs": [asdict(epoch) for epoch in self.epochs], "best_epoch": self.best_epoch,
        }  # fmt: skip
        fresh = path.with_suffix(".fresh")
        with fresh.open("wb") as file:
            torch.save(held, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)

    def load(self, path: Path, run: str) -> bool:
        """Go on from a checkpoint; False if it is of another run (data, seed or settings differ).

        Raises:
            BadHistory: the file is damaged.
        """
        held = read_checkpoint(path)
        if held["run"] != run:
            return False
        self.model.load_state_dict(held["model"])
        self.optimizer.load_state_dict(held["optimizer"])
        self.schedule.load_state_dict(held["schedule"])
        self.epochs = [Epoch(**told) for told in held["epochs"]]
        self.best, self.best_epoch = held["best"], held["best_epoch"]
        return True


def read_checkpoint(path: Path) -> dict[str, Any]:
    """What :meth:`Learning.save` wrote, whole.

    Raises:
        BadHistory: the file is damaged.
    """
    try:
        with zipfile.ZipFile(path) as kept:  # what torch.save writes; every part has its checksum
            damaged = kept.testzip()
    except zipfile.BadZipFile:
        damaged = path.name
    if damaged is not None:
        raise BadHistory(
            "bad-checkpoint", f"{path} is damaged; remove it and train from the beginning"
        )
    held = torch.load(path, weights_only=True, map_location="cpu")
    if not isinstance(held, dict) or not held.keys() >= HELD:
        raise BadHistory("bad-checkpoint", f"{path} is no checkpoint of this program; remove it")
    return held


def train(
    data: Sequences, prediction: Prediction, seed: int, checkpoint: Path, heard: Heard
) -> Learning:
    """Train until validation AUC has not risen for ``patience`` epochs, or the ceiling is reached.

    Args:
        data: the dataset.
        prediction: the workload's section, with network and training.
        seed: equal seeds give equal weights on one kind of machine.
        checkpoint: file to resume from and to write after every epoch.
        heard: told of every epoch, those of an earlier process included.

    Raises:
        BadHistory: there is nothing to learn from or to judge by, or learning diverges.
    """
    os.environ.setdefault(*SAME_ORDER)  # noqa: TID251  (cuBLAS reads no other place)
    torch.use_deterministic_algorithms(mode=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    learning = begun(data, prediction, seed, device)
    run = f"{ARCHITECTURE}/{data.manifest['digest']}/{seed}/{prediction.model_dump_json(exclude=set(ASKED))}"
    if checkpoint.is_file() and learning.load(checkpoint, run):
        for epoch in learning.epochs:
            heard(epoch)
    settings = prediction.training
    while len(learning.epochs) < settings.epochs:
        number = len(learning.epochs) + 1
        if number - learning.best_epoch > settings.patience and learning.best_epoch:
            break
        loss = _epoch(learning, data, prediction, seed, number, device)
        judged = judge(learning.model, data, prediction, "validation", seed, device)
        if not np.isfinite([loss, judged.loss]).all():
            raise BadHistory(
                "diverged", f"epoch {number}: the loss is no number any more; lower learning_rate"
            )
        auc = _auc(judged.labels, judged.probabilities)
        epoch = Epoch(number, loss, judged.loss, auc)
        if not learning.best_epoch or auc > learning.epochs[learning.best_epoch - 1].validation_auc:
            learning.best_epoch = number
            learning.best = {k: v.clone() for k, v in learning.model.state_dict().items()}
        learning.epochs.append(epoch)
        learning.save(checkpoint, run)
        heard(epoch)
    learning.model.load_state_dict(learning.best)
    learning.model.eval()
    return learning


def begun(data: Sequences, prediction: Prediction, seed: int, device: torch.device) -> Learning:
    """A model that has learned nothing yet."""
    torch.manual_seed(seed)
    settings = prediction.training
    model = FaultModel(
        data.features.shape[1], prediction.window, **prediction.network.model_dump()
    ).to(device)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    members = data.members("train")
    steps = max(1, -(-len(members) * prediction.samples // settings.batch))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.learning_rate, total_steps=steps * settings.epochs + 1,
        pct_start=WARM_UP,
    )  # fmt: skip
    return Learning(model, optimizer, schedule)


def _epoch(
    learning: Learning, data: Sequences, prediction: Prediction, seed: int, number: int,
    device: torch.device,
) -> float:  # fmt: skip
    """Go once through cycles drawn for this epoch; the mean loss."""
    rng = np.random.default_rng([seed, number])
    torch.manual_seed(int(rng.integers(2**62)))  # dropout's luck
    _, rows = draw(data, prediction, "train", rng)
    order = rng.permutation(len(rows))
    weight = torch.tensor([1.0, prediction.training.positive_weight], device=device)
    learning.model.train()
    total, count = 0.0, 0
    for part in _slices(order, prediction.training.batch):
        windows, valid, labels = _batch(data, rows[part], prediction.window, device)
        with _precision(device):
            told = learning.model(windows, valid)
        loss = functional.nll_loss(told, labels, weight=weight)
        learning.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learning.model.parameters(), CLIP)
        learning.optimizer.step()
        learning.schedule.step()
        total, count = total + float(loss.detach()) * len(part), count + len(part)
    return total / count


@dataclass(frozen=True)
class Judged:
    """A split as the model sees it: (n,) unit, row, label and probability of each drawn cycle."""

    units: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int8]
    probabilities: npt.NDArray[np.float64]
    loss: float


def judge(
    model: FaultModel, data: Sequences, prediction: Prediction, split: str, seed: int,
    device: torch.device,
) -> Judged:  # fmt: skip
    """Look at the cycles drawn of a split, the same ones every time.

    Raises:
        BadHistory: the split has no cycle whose label is known.
    """
    units, rows = draw(data, prediction, split, np.random.default_rng([seed, 0]))
    model.eval()
    told: list[Tensor] = []
    with torch.inference_mode():
        for part in _slices(np.arange(len(rows)), JUDGED_BATCH):
            windows, valid, _ = _batch(data, rows[part], prediction.window, device)
            told.append(model(windows, valid).cpu())
    log = torch.cat(told)
    labels = data.labels[rows]
    loss = functional.nll_loss(log, torch.from_numpy(labels.astype(np.int64)))
    return Judged(units, rows, labels, log[:, 1].double().exp().numpy(), float(loss))


def draw(
    data: Sequences, prediction: Prediction, split: str, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Units and rows drawn of a split.

    Raises:
        BadHistory: there is none whose label is known.
    """
    units, rows = sample(
        data.labels, data.eligible, data.offsets, data.members(split), prediction.samples, rng
    )
    if not len(rows):
        raise BadHistory(
            "empty-split", f"{split}: no unit has a cycle whose label is known; give more units"
        )
    return units, rows


def _batch(
    data: Sequences, rows: npt.NDArray[np.int64], window: int,
    device: torch.device,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """(B, T, F) windows, widened on the device, (B,) valid and (B,) labels."""
    windows, valid = data.windows(rows, window)
    labels = torch.from_numpy(data.labels[rows].astype(np.int64))
    return (
        torch.from_numpy(windows).to(device).float(),
        torch.from_numpy(valid).to(device),
        labels.to(device),
    )


def _slices(order: npt.NDArray[np.int64], size: int) -> Iterator[npt.NDArray[np.int64]]:
    for first in range(0, len(order), size):
        yield order[first : first + size]


def _precision(device: torch.device) -> Any:
    """Half the bits on a GPU, where bfloat16 needs no loss scaling; plain on a CPU."""
    return torch.autocast("cuda", torch.bfloat16) if device.type == "cuda" else nullcontext()


def _auc(
    labels: Sequence[int] | npt.NDArray[np.int8], probabilities: npt.NDArray[np.float64]
) -> float:
    """ROC-AUC; a half where one class is missing, since nothing can be ranked then."""
    if len(np.unique(labels)) < 2:
        return 0.5
    return float(roc_auc_score(labels, probabilities))
