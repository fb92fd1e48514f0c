"""Signatures, settings, batches and whose fault a failure is, without HTTP."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from containers.onnx_inference.batcher import Batcher
from containers.onnx_inference.model import Model, load
from containers.onnx_inference.records import Slice
from containers.onnx_inference.refusals import ModelFailed, Refused
from containers.onnx_inference.settings import BadSettingError, Settings
from containers.onnx_inference.signature import Signature, UnservableModelError
from tests.onnx_models import fault, many, records, save


@dataclass
class Node:
    name: str
    type: str
    shape: list


@dataclass
class Doubling:
    """A session that doubles ``x``; it refuses negative numbers, and everything while it is broken."""

    broken: bool = False
    sizes: list = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    entered: threading.Event = field(default_factory=threading.Event)

    def get_inputs(self):
        return [Node("x", "tensor(float)", ["batch"])]

    def get_outputs(self):
        return [Node("y", "tensor(float)", ["batch"])]

    def run(self, names, feed):
        self.entered.set()
        self.gate.wait(10)
        self.sizes.append(len(feed["x"]))
        if self.broken or (feed["x"] < 0).any():
            raise RuntimeError("Status Message: no")
        return [feed["x"] * 2]


@pytest.fixture
def session():
    return Doubling()


@pytest.fixture
def batcher(session):
    made = Batcher(Model(session, {}), batch=16, wait_ms=0)
    yield made
    session.gate.set()
    made.close()


def part(*numbers, first=0):
    return Slice({"x": np.array(numbers, np.float32)}, len(numbers), first)


def occupied(session, batcher):
    """A run that holds the model, so that what follows queues up."""
    held = batcher.submit(part(0))
    session.entered.wait(10)
    return held


def test_what_waits_while_a_batch_runs_makes_the_next_one(session, batcher):
    occupied(session, batcher)
    waiting = [batcher.submit(part(k, k)) for k in range(10)]
    session.gate.set()
    assert [future.result(10)["y"].tolist() for future in waiting] == [
        [2 * k] * 2 for k in range(10)
    ]
    assert session.sizes == [1, 16, 4]


def test_a_slice_is_never_split(session, batcher):
    occupied(session, batcher)
    waiting = [batcher.submit(part(*range(count))) for count in (10, 10, 6, 16)]
    session.gate.set()
    for future in waiting:
        future.result(10)
    assert session.sizes == [1, 10, 16, 16]


def test_a_bad_record_is_refused_alone_and_its_neighbours_are_answered(session, batcher):
    occupied(session, batcher)
    good, bad, other = (batcher.submit(p) for p in (part(1, 2), part(3, -1, first=40), part(4)))
    session.gate.set()
    assert good.result(10)["y"].tolist() == [2, 4]
    assert other.result(10)["y"].tolist() == [8]
    refused = bad.exception(10)
    assert isinstance(refused, Refused)
    assert (refused.status, refused.row) == (422, 41)


def test_a_model_that_fails_its_canary_is_at_fault_until_it_runs(session, batcher):
    session.gate.set()
    assert batcher.check().result(10)
    session.broken = True
    assert isinstance(batcher.submit(part(1)).exception(10), ModelFailed)
    assert not batcher.check().result(10)
    session.broken = False
    assert batcher.submit(part(1)).result(10)["y"].tolist() == [2]
    assert batcher.check().result(10)


def test_what_was_given_up_is_not_run(session, batcher):
    occupied(session, batcher)
    batcher.submit(part(1)).cancel()
    kept = batcher.submit(part(2))
    session.gate.set()
    kept.result(10)
    assert session.sizes == [1, 1]


def test_bound_memory_gives_what_run_gives(tmp_path):
    # the path of a GPU, here on the CPU: the same calls, without a device to copy to
    root = save(tmp_path, fault())
    given = records(5)
    plain = load(Settings(root=root)).run(given)
    session = onnxruntime.InferenceSession(
        str(root / "model" / "model.onnx"), providers=["CPUExecutionProvider"]
    )
    bound = Model(session, {}, bound=True)
    assert bound.check()
    assert np.array_equal(bound.run(given)["log_probabilities"], plain["log_probabilities"])


def test_bound_memory_holds_every_type_of_tensor(tmp_path):
    root = save(tmp_path, many())
    session = onnxruntime.InferenceSession(
        str(root / "model" / "model.onnx"), providers=["CPUExecutionProvider"]
    )
    given = {"x": np.array([[1.0, 2.0], [-5.0, 3.0]]), "flag": np.array([True, True])}
    outputs = Model(session, {}, bound=True).run(given)
    assert outputs["chosen"].tolist() == [True, False]


def tensor(name, kind, *shape):
    return Node(name, kind, list(shape))


OUT = [tensor("y", "tensor(float)", "batch")]


def test_a_shape_the_model_leaves_open_is_told_by_model_json():
    open_ = [tensor("x", "tensor(float)", "batch", 128, "features")]
    for shape in ([128, 66], ["batch", 128, 66]):
        signature = Signature.of(open_, OUT, {"inputs": {"x": {"shape": shape}}})
        assert signature.inputs[0].shape == (128, 66)
    with pytest.raises(UnservableModelError, match=r"model.json under inputs.x.shape"):
        Signature.of(open_, OUT, {})


@pytest.mark.parametrize(
    ("inputs", "outputs", "words"),
    [
        ([tensor("x", "tensor(string)", "batch")], OUT, "only tensors of numbers"),
        ([tensor("x", "tensor(float)")], OUT, "no batch dimension"),
        ([tensor("x", "tensor(float)", 8, 3)], OUT, "fixed to batches of"),
        ([], OUT, "no inputs"),
        (
            [tensor("x", "tensor(float)", "n", 3)],
            [tensor("y", "seq(map(int64,tensor(float)))")],
            "zipmap=False",
        ),
    ],
)
def test_a_model_that_cannot_be_served_says_why(inputs, outputs, words):
    with pytest.raises(UnservableModelError, match=words):
        Signature.of(inputs, outputs, {})


def test_a_model_fixed_to_one_record_is_run_record_by_record(tmp_path):
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Neg", ["x"], ["y"])],
        "one",
        [value("x", TensorProto.FLOAT, [1, 2])],
        [value("y", TensorProto.FLOAT, [1, 2])],
    )
    model = load(Settings(root=save(tmp_path, graph)))
    batcher = Batcher(model, batch=16, wait_ms=0)
    assert batcher.most == 1
    batcher.close()


def test_settings_of_batch_transform():
    told = Settings.of({"SAGEMAKER_BATCH": "true", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "5"})
    assert (told.payload_mb, told.max_payload) == (5, 5 * 2**20)
    without_limit = Settings.of({"SAGEMAKER_BATCH": "true", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "0"})
    assert (without_limit.payload_mb, without_limit.max_payload) == (6, 1024 * 2**20)


@pytest.mark.parametrize(("device", "batch"), [("cpu", 8), ("cuda", 64)])
def test_a_gpu_runs_more_records_together_unless_it_is_told(device, batch):
    assert Settings.of({"SIGNALBOX_DEVICE": device}).batch == batch
    assert Settings.of({"SIGNALBOX_DEVICE": device, "SIGNALBOX_BATCH": "5"}).batch == 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIGNALBOX_DEVICE", "tpu"),
        ("SIGNALBOX_BATCH", "0"),
        ("SIGNALBOX_PORT", "x"),
        ("SIGNALBOX_WAIT_MS", "nan"),
    ],
)
def test_a_wrong_setting_is_named(name, value):
    with pytest.raises(BadSettingError, match=name):
        Settings.of({name: value})
