"""One record in JSON, as simdjson shows it or as Python objects, into the arrays of a slice."""

from __future__ import annotations

import json
from typing import Any, Literal

import numpy as np
import simdjson

from containers.onnx_inference.records import from_numbers
from containers.onnx_inference.refusals import Refused
from containers.onnx_inference.signature import Array, Signature, Tensor, Tensors


def python_objects(text: bytes, row: int | None) -> Any:
    """What Python's own, more lenient parser makes of it: it takes NaN and integers of any length.

    Raises:
        Refused: it is not JSON even so.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as problem:
        told = problem.msg if isinstance(problem, json.JSONDecodeError) else type(problem).__name__
        raise Refused(400, "unparsable", f"not JSON: {told}", row) from None


def fill(signature: Signature, record: Any, slots: Tensors, k: int, row: int) -> dict[str, Any]:
    """Put a record into its slot of the arrays.

    Args:
        signature: of the model.
        record: an object with a key an input; for a model with one input, that input bare as well.
        slots: by name, arrays (records, *shape).
        k: the slot.
        row: place of the record within the request.

    Returns:
        What else the object holds.
    """
    if not isinstance(record, simdjson.Object | dict):
        if len(signature.inputs) > 1 or not isinstance(record, simdjson.Array | list | int | float):
            names = ", ".join(repr(tensor.name) for tensor in signature.inputs)
            raise Refused(400, "wrong_shape", f"a record must be an object with {names}", row)
        (tensor,) = signature.inputs
        _place(tensor, record, slots[tensor.name], k, row)
        return {}
    for tensor in signature.inputs:
        try:
            value = record[tensor.name]
        except KeyError:
            raise Refused(400, "missing_input", f"input {tensor.name!r} is missing", row) from None
        _place(tensor, value, slots[tensor.name], k, row)
    # values only by key: iterating over items would make Python lists of the inputs
    others = [key for key in record.keys() if key not in slots]  # noqa: SIM118
    taken = sorted(set(others) & set(signature.outputs))
    if taken:
        raise Refused(
            400, "name_taken", f"{taken} would be overwritten by the model's outputs", row
        )
    return {key: _plain(record[key]) for key in others}


def _place(tensor: Tensor, value: Any, slots: Array, k: int, row: int) -> None:
    if isinstance(value, simdjson.Array) and _shaped(value, tensor.shape):
        kind: Literal["d", "i"] = "d" if tensor.dtype.kind == "f" else "i"
        try:
            buffer = value.as_buffer(of_type=kind)
        except (TypeError, RuntimeError):  # not numbers of this kind alone
            pass
        else:
            numbers = np.frombuffer(buffer, np.float64 if kind == "d" else np.int64)
            if len(numbers) == tensor.size:
                slots[k] = from_numbers(tensor, numbers[np.newaxis], row)[0]
                return
    slots[k] = _slowly(tensor, _plain(value), row)


def _shaped(value: Any, shape: tuple[int, ...]) -> bool:
    """Whether lists nest in this shape; what they hold at the innermost is not looked into."""
    if not shape:
        return False  # a list where one number is wanted
    level = [value]
    for length in shape[:-1]:
        if any(not isinstance(inner, simdjson.Array) or len(inner) != length for inner in level):
            return False
        level = [item for inner in level for item in inner]
    try:
        return set(map(len, level)) == {shape[-1]}  # a row of time each: not a step of Python a row
    except TypeError:  # a bare number
        return False


def _plain(value: Any) -> Any:
    if isinstance(value, simdjson.Object):
        return value.as_dict()
    return value.as_list() if isinstance(value, simdjson.Array) else value


def _slowly(tensor: Tensor, value: Any, row: int) -> Array:
    """Element by element; says what is wrong."""
    numbers: list[float] = []
    if not _flatten(value, tensor.shape, numbers):
        wanted = " x ".join(map(str, tensor.shape)) or "one number"
        raise Refused(
            400,
            "wrong_shape",
            f"input {tensor.name!r} must be {wanted}, nested lists of numbers",
            row,
        )
    for number in numbers:
        if not isinstance(number, int | float) or (
            isinstance(number, bool) and tensor.dtype.kind != "b"
        ):
            shown = json.dumps(number)[:40]
            raise Refused(
                400, "wrong_type", f"input {tensor.name!r} holds {shown}, not a number", row
            )
    try:
        # whole numbers stay exact where they fit into 64 bits
        whole = tensor.dtype.kind in "iub" and all(isinstance(n, int) for n in numbers)
        array = np.array(numbers, np.int64 if whole and tensor.dtype != np.uint64 else None)
        array = array.astype(np.float64) if array.dtype == object else array
    except OverflowError:
        raise Refused(
            400, "wrong_type", f"input {tensor.name!r} holds a number too large", row
        ) from None
    placed: Array = from_numbers(tensor, array[np.newaxis], row)[0]
    return placed


def _flatten(value: Any, shape: tuple[int, ...], into: list[Any]) -> bool:
    if not shape:
        into.append(value)
        return not isinstance(value, list | dict)
    if not isinstance(value, list) or len(value) != shape[0]:
        return False
    return all(_flatten(inner, shape[1:], into) for inner in value)
