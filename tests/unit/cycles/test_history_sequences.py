"""A dataset on disk: what is written is read, what is damaged is refused, no window is stored."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cycles.errors import BadHistory
from cycles.history import Sequences, Standard
from cycles.history.sequences import CYCLES, FEATURES, LIMIT, MANIFEST


def sequences(cycles=200, width=6):
    rng = np.random.default_rng(2)
    return Sequences(
        features=rng.normal(size=(cycles, width)).astype(np.float16),
        offsets=np.array([0, 50, 50 + cycles // 4, cycles]),
        times=rng.random(cycles) * 100,
        labels=rng.integers(-1, 2, cycles).astype(np.int8),
        eligible=rng.random(cycles) < 0.5,
        faults=(np.array([3.5, 9.0]), np.empty(0), np.array([80.25])),
        manifest={
            "units": ["a", "b", "c"],
            "split": ["train", "test", "train"],
            "standard": {"centre": [1.5] * width, "scale": [0.25] * width},
        },
    )


def refused(folder):
    with pytest.raises(BadHistory) as problem:
        Sequences.read(folder)
    return problem.value.reason


def same(one, other):
    for name in ("features", "offsets", "times", "labels", "eligible"):
        a, b = getattr(one, name), getattr(other, name)
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    assert [each.tolist() for each in one.faults] == [each.tolist() for each in other.faults]


def test_what_was_written_is_read(tmp_path):
    written = sequences()
    written.write(tmp_path / "new" / "folder")
    read = Sequences.read(tmp_path / "new" / "folder")
    same(read, written)
    assert read.units == ["a", "b", "c"]
    assert read.members("train").tolist() == [0, 2]
    assert read.span(1) == slice(50, 100)
    assert read.standard.centre.tolist() == [1.5] * 6
    assert isinstance(read.features, np.memmap)


def test_a_fleet_without_a_unit_can_be_kept(tmp_path):
    empty = Sequences(
        np.empty((1, 2), np.float16), np.array([0]), np.empty(0), np.empty(0, np.int8),
        np.empty(0, bool), (), {"units": [], "split": []},
    )  # fmt: skip
    empty.write(tmp_path)
    assert Sequences.read(tmp_path).faults == ()


@pytest.mark.parametrize("linked", [False, True])
def test_a_dataset_can_be_written_over_itself(tmp_path, linked):
    sequences().write(tmp_path / "data")
    place = tmp_path / "data"
    if linked:
        place = tmp_path / "link"
        place.symlink_to(tmp_path / "data")
    Sequences.read(place).write(tmp_path / "data")
    same(Sequences.read(place), sequences())
    Sequences.read(tmp_path / "data").write(place)
    same(Sequences.read(place), sequences())


@pytest.mark.parametrize("name", [FEATURES, CYCLES])
def test_one_damaged_byte_is_noticed(tmp_path, name):
    sequences().write(tmp_path)
    for place in (0, 200, -1):
        whole = (tmp_path / name).read_bytes()
        harmed = bytearray(whole)
        harmed[place] ^= 1
        (tmp_path / name).write_bytes(harmed)
        assert refused(tmp_path) == "damaged"
        (tmp_path / name).write_bytes(whole)
    (tmp_path / name).write_bytes(whole[:-10])
    assert refused(tmp_path) == "damaged"
    (tmp_path / name).unlink()
    assert refused(tmp_path) == "damaged"


@pytest.mark.parametrize("manifest", [None, "", "{", "[]", "{}", '{"format": 2}'])
def test_a_folder_without_a_manifest_that_holds_is_no_dataset(tmp_path, manifest):
    sequences().write(tmp_path)
    (tmp_path / MANIFEST).unlink()
    if manifest is not None:
        (tmp_path / MANIFEST).write_text(manifest)
    assert refused(tmp_path) == "no-dataset"


def test_a_folder_that_is_not_there_is_no_dataset(tmp_path):
    assert refused(tmp_path / "nowhere") == "no-dataset"


def test_while_it_is_written_it_is_no_dataset(tmp_path):
    sequences().write(tmp_path)
    broken = sequences()
    broken.manifest["what"] = object()  # the manifest comes last, and cannot be written
    with pytest.raises(TypeError):
        broken.write(tmp_path)
    assert refused(tmp_path) == "no-dataset"


def test_on_disk_it_is_the_array_and_its_labels_and_no_window(tmp_path):
    cycles, width = 20_000, 66
    sequences(cycles, width).write(tmp_path)
    held = sum(path.stat().st_size for path in tmp_path.iterdir())
    array, labels = cycles * width * 2, cycles * (8 + 1 + 1)  # times, labels, eligible
    assert held <= 1.01 * (array + labels)
    assert set(json.loads((tmp_path / MANIFEST).read_text())["sha256"]) == {FEATURES, CYCLES}


@given(hnp.arrays(np.float32, (7, 3), elements=st.floats(-1e6, 1e6, width=32)))
def test_features_are_centred_scaled_limited_and_narrowed(values):
    standard = Standard.of([5, -1e4, 0], [2, 1e3, 0])
    found = standard.apply(values)
    assert found.dtype == np.float16
    for i in range(7):
        for k, (centre, spread) in enumerate([(5, 2), (-1e4, 1e3)]):
            z = (float(values[i, k]) - centre) / spread
            assert found[i, k] == pytest.approx(min(max(z, -LIMIT), LIMIT), rel=2e-3, abs=2e-3)
        assert found[i, 2] == 0  # what never changed says nothing
