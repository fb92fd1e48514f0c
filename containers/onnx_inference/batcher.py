"""Records of concurrent requests run together, on one thread, some sixteen at a time.

Batches form by themselves: while one runs, the records that arrive queue up and make the next. Only
when more requests are being received than are queued does a batch wait for them, a very few ms.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future

import numpy as np

from containers.onnx_inference.model import Model, log, reason
from containers.onnx_inference.records import Slice
from containers.onnx_inference.refusals import ModelFailed, Refused
from containers.onnx_inference.signature import Tensors


class Batcher:
    """Owns the thread that runs the model.

    Attributes:
        arriving: requests that were begun and may yet bring records; kept by the server.
    """

    def __init__(self, model: Model, batch: int, wait_ms: float) -> None:
        self.arriving = 0
        self._model = model
        self._most = model.signature.batch or batch
        self._wait_s = wait_ms / 1e3
        self._queue: queue.SimpleQueue[Slice | Future[bool] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="model", daemon=True)
        self._thread.start()

    @property
    def most(self) -> int:
        """Records run together at most; a slice holds no more."""
        return self._most

    def submit(self, part: Slice) -> Future[Tensors]:
        """Queue records; the future fails with `Refused` or `ModelFailed`."""
        self._queue.put(part)
        return part.outputs

    def check(self) -> Future[bool]:
        """Queue a run of the canary: whether the model works."""
        asked: Future[bool] = Future()
        self._queue.put(asked)
        return asked

    def close(self) -> None:
        """Finish what is queued, then end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _serve(self) -> None:
        held: Slice | Future[bool] | None = None
        while True:
            item, held = held or self._queue.get(), None
            if item is None:
                return
            if isinstance(item, Future):
                item.set_result(self._model.check())
                continue
            group, held, ended = self._gather(item)
            # what its client gave up waiting for is not run
            self._answer([part for part in group if part.outputs.set_running_or_notify_cancel()])
            if ended:
                return

    def _gather(self, first: Slice) -> tuple[list[Slice], Slice | Future[bool] | None, bool]:
        """A batch that begins with this slice, what came and did not fit, and whether to end."""
        group, records = [first], first.records
        until = time.monotonic() + self._wait_s
        while records < self._most:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                left = until - time.monotonic()
                if left <= 0 or self.arriving <= len(group):
                    break
                try:
                    item = self._queue.get(timeout=left)
                except queue.Empty:
                    break
            if item is None:
                return group, None, True
            if isinstance(item, Future) or records + item.records > self._most:
                return group, item, False
            group.append(item)
            records += item.records
        return group, None, False

    def _answer(self, group: Sequence[Slice]) -> None:
        if not group:
            return
        try:
            outputs = self._run([part.inputs for part in group])
        except Exception as problem:  # noqa: BLE001  (it is sorted out record by record)
            log.warning("a batch failed, its records are run one by one: %s", reason(problem))
            for part in group:
                self._answer_singly(part)
            return
        self._model.works = True
        start = 0
        for part in group:
            own = slice(start, start + part.records)
            part.outputs.set_result({name: array[own] for name, array in outputs.items()})
            start = own.stop

    def _run(self, parts: Sequence[Tensors]) -> Tensors:
        if len(parts) == 1:
            inputs = parts[0]
        else:
            inputs = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        outputs = self._model.run(inputs)
        records = len(next(iter(inputs.values())))
        for name, array in outputs.items():
            if not array.ndim or len(array) != records:
                raise ValueError(f"output {name!r} has shape {array.shape} for {records} records")
        return outputs

    def _answer_singly(self, part: Slice) -> None:
        """Whose fault it is: a record that fails where the canary runs is refused, alone."""
        done: list[Tensors] = []
        for k in range(part.records):
            try:
                done.append(self._run([{n: array[k : k + 1] for n, array in part.inputs.items()}]))
            except Exception as problem:  # noqa: BLE001  (becomes the caller's answer)
                told = reason(problem)
                part.outputs.set_exception(
                    Refused(
                        422,
                        "record_refused",
                        f"the model refuses this record: {told}",
                        part.first + k,
                    )
                    if self._model.check()
                    else ModelFailed(f"the model does not work: {told}")
                )
                return
        self._model.works = True
        part.outputs.set_result(
            {name: np.concatenate([one[name] for one in done]) for name in done[0]}
        )
