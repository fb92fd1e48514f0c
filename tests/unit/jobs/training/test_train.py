"""Learning: the same from equal seeds, gone on from a checkpoint of the same run only, stopped early."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from cycles.errors import BadHistory
from jobs.training.train import Epoch, draw, train
from signalbox.contracts.prediction import Prediction
from tests.pumps import TRAINING, dataset


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return dataset(tmp_path_factory.mktemp("data"))


def prediction(data, **training):
    told = Prediction.model_validate(data.manifest["prediction"])
    return told.model_copy(update={"training": told.training.model_copy(update=training)})


def run(data, checkpoint, seed=0, stop=None, **training):
    """Train; ``stop`` kills it as it hears of that epoch."""
    heard = []

    def hear(epoch):
        heard.append(epoch)
        if epoch.number == stop:
            raise KeyboardInterrupt

    try:
        learning = train(data, prediction(data, **training), seed, checkpoint, hear)
    except KeyboardInterrupt:
        return None, heard
    return learning, heard


def bits(learning):
    return {name: value.numpy().tobytes() for name, value in learning.model.state_dict().items()}


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """A run that nobody interrupted, and its checkpoint."""
    checkpoint = tmp_path_factory.mktemp("whole") / "checkpoint.pt"
    return *run(data, checkpoint), checkpoint


def test_equal_seeds_give_equal_weights_bit_for_bit(data, whole, tmp_path):
    again, heard = run(data, tmp_path / "checkpoint.pt")
    assert bits(again) == bits(whole[0])
    assert heard == whole[1]


def test_another_seed_gives_other_weights(data, whole, tmp_path):
    assert bits(run(data, tmp_path / "checkpoint.pt", seed=1)[0]) != bits(whole[0])


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_a_run_that_was_stopped_goes_on_to_the_same_weights(data, whole, tmp_path, stop):
    run(data, tmp_path / "checkpoint.pt", stop=stop)
    torch.rand(5)  # another process has had other luck
    learning, heard = run(data, tmp_path / "checkpoint.pt")
    assert bits(learning) == bits(whole[0])
    assert heard == whole[1]  # what came before is told again
    assert learning.best_epoch == whole[0].best_epoch


def test_a_finished_run_is_not_run_again(data, whole):
    before = whole[2].read_bytes()
    learning, heard = run(data, whole[2])
    assert bits(learning) == bits(whole[0])
    assert len(heard) == TRAINING["epochs"]
    assert whole[2].read_bytes() == before


@pytest.mark.parametrize("damage", ["cut", "noise", "empty", "other"])
def test_a_damaged_checkpoint_is_named_and_what_to_do_about_it(whole, data, tmp_path, damage):
    held = whole[2].read_bytes()
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(
        {"cut": held[: len(held) // 2], "noise": b"\x80\x02" + b"abc" * 99}.get(damage, b"")
    )
    if damage == "other":
        torch.save({"run": "x"}, path)
    with pytest.raises(BadHistory, match=r"checkpoint\.pt is .*remove it"):
        run(data, path)


@pytest.mark.parametrize("change", [{"seed": 1}, {"learning_rate": 0.02}, {"digest": "another"}])
def test_a_checkpoint_of_another_run_is_not_used(data, tmp_path, change):
    change = dict(change)
    first = data
    if "digest" in change:
        manifest = dict(data.manifest) | {"digest": change.pop("digest")}
        first = replace(data, manifest=manifest)
    run(first, tmp_path / "taken.pt", stop=1, **change)
    learning, heard = run(data, tmp_path / "taken.pt", epochs=1)
    fresh, expected = run(data, tmp_path / "fresh.pt", epochs=1)
    assert bits(learning) == bits(fresh)
    assert heard == expected


def test_the_model_is_that_of_its_best_epoch(whole):
    learning, heard, _ = whole
    ranks = [epoch.validation_auc for epoch in heard]
    assert learning.best_epoch == int(np.argmax(ranks)) + 1
    for name, value in learning.model.state_dict().items():
        assert torch.equal(value, learning.best[name])
    assert max(ranks) > 0.7


def test_it_stops_when_validation_has_not_risen_for_some_epochs(data, tmp_path):
    # a step that moves nothing: the ranks stay as they were in the first epoch
    learning, heard = run(
        data, tmp_path / "checkpoint.pt", learning_rate=1e-30, patience=2, epochs=9
    )
    assert learning.best_epoch == 1
    assert [epoch.number for epoch in heard] == [1, 2, 3]
    again, reheard = run(
        data, tmp_path / "checkpoint.pt", learning_rate=1e-30, patience=2, epochs=9
    )
    assert (again.best_epoch, reheard) == (1, heard)


def test_learning_that_diverges_says_so(data, tmp_path):
    with pytest.raises(BadHistory) as problem:
        run(data, tmp_path / "checkpoint.pt", learning_rate=1e38)
    assert problem.value.reason == "diverged"
    assert "learning_rate" in problem.value.message


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_split_without_a_known_label_is_refused(data, tmp_path, split):
    labels = data.labels.copy()
    for unit in data.members(split):
        labels[data.span(unit)] = -1
    empty = replace(data, labels=labels)
    with pytest.raises(BadHistory) as problem:
        run(empty, tmp_path / "checkpoint.pt")
    assert problem.value.reason == "empty-split"
    assert split in problem.value.message


def test_each_unit_of_a_split_is_drawn_equally_often_the_short_ones_too(data):
    told = prediction(data)
    for split in ("train", "validation", "test"):
        units, rows = draw(data, told, split, np.random.default_rng(0))
        count = dict(zip(*np.unique(units, return_counts=True), strict=True))
        assert set(count) == set(data.members(split))
        assert set(count.values()) == {told.samples}
        assert (data.labels[rows] >= 0).all()


def test_a_line_reads_as_metric_definitions_read_it():
    line = Epoch(7, 0.123456789, 1e-9, 0.9876543).line()
    found = {
        name: float(re.search(f"{name}=(.*?);", line)[1])
        for name in ("train_loss", "validation_loss", "validation_auc")
    }
    assert found == {"train_loss": 0.123457, "validation_loss": 0.0, "validation_auc": 0.987654}
    assert line.startswith("epoch=7; ")
