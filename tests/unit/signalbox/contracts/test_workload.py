import copy
import json

import pytest
import yaml
from pydantic import ValidationError

from signalbox.contracts.workload import Workload

GOOD = """
name: hvac
description: one sentence
owner: fleet-engineering
recording:
  layout: wide
  timestamp: {column: ts, unit: ms}
  unit: {column: unit}
  null_values: ["", "#VALUE!"]
  max_bytes: 536870912
cycles:
  running: {signal: compressor_power, above: 8, release: 0.4}
  min_on_s: 60
  min_off_s: 30
  max_gap_s: 300
  max_jump_s: 31622400
statistics: [mean, std, max]
sensors:
  - {name: discharge_pressure, statistics: [mean, max, slope]}
  - {name: suction_superheat, statistics: [mean, above_s], above: 8}
  - {name: spare, required: false}
"""


def good():
    return yaml.safe_load(GOOD)


def with_change(path, value):
    told = copy.deepcopy(good())
    at = told
    *way, last = path
    for step in way:
        at = at[step]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return told


def test_what_was_written_is_what_the_kernel_gets():
    mapping = Workload.model_validate(good()).mapping()
    assert json.dumps(mapping) == json.dumps(good())  # 8 stays 8: the kernel fingerprints it


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["cycles", "running"], {"signal": "p", "below": 1, "release": 1.5}),
        (["cycles", "running"], {"status": {"column": "fan", "on": [1, "RUN"]}}),
        (["recording", "timestamp"], {"column": "ts", "format": "%m/%d/%Y %H:%M"}),
        (["recording", "timestamp"], {"column": "ts"}),
        (["recording", "unit"], {"pattern": "unit=(?P<unit>[^/]+)"}),
        (["statistics"], None),
        (["recording", "max_bytes"], None),
    ],
)
def test_other_ways_to_say_it(path, value):
    Workload.model_validate(with_change(path, value))


def test_a_long_recording_declares_its_columns():
    told = with_change(["recording", "layout"], "long")
    with pytest.raises(ValidationError, match=r"long: \{sensor, value\}"):
        Workload.model_validate(told)
    told["recording"]["long"] = {"sensor": "s", "value": "v"}
    assert Workload.model_validate(told).recording.long.sensor == "s"
    told["cycles"]["running"] = {"status": {"column": "fan", "on": ["RUN"]}}
    with pytest.raises(ValidationError, match=r"cycles\.running\.status\.on"):
        Workload.model_validate(told)


@pytest.mark.parametrize(
    ("path", "value", "where", "what"),
    [
        (["name"], "HVAC fleet", "name", "pattern"),
        (["name"], None, "name", "required"),
        (["owner"], "", "owner", "at least 1"),
        (["colour"], "red", "colour", "Extra inputs"),
        (
            ["recording", "timestamp"],
            {"column": "ts", "unit": "h"},
            "recording.timestamp.unit",
            "'s'",
        ),
        (
            ["recording", "timestamp"],
            {"column": "ts", "unit": "s", "format": "%Y"},
            "recording.timestamp",
            "one of them at most",
        ),
        (
            ["recording", "timestamp"],
            {"column": "ts", "format": "iso"},
            "recording.timestamp.format",
            "%",
        ),
        (["recording", "unit"], {}, "recording.unit", "exactly one of column, pattern; found none"),
        (
            ["recording", "unit"],
            {"column": "u", "pattern": "(?P<unit>x)"},
            "recording.unit",
            "exactly one",
        ),
        (["recording", "unit"], {"pattern": "("}, "recording.unit", "regular expression"),
        (["recording", "unit"], {"pattern": "u=(.*)"}, "recording.unit", "group named unit"),
        (["recording", "max_bytes"], 0, "recording.max_bytes", "greater than 0"),
        (["recording", "long"], {"sensor": "s", "value": "v"}, "recording", "only there"),
        (["cycles", "running"], {"signal": "p"}, "cycles.running", "found none"),
        (
            ["cycles", "running"],
            {"signal": "p", "above": 1, "below": 0},
            "cycles.running",
            "above, below",
        ),
        (["cycles", "running"], {"above": 1}, "cycles.running", "need signal"),
        (
            ["cycles", "running"],
            {"signal": "p", "above": 1, "release": 2},
            "cycles.running",
            "release",
        ),
        (
            ["cycles", "running"],
            {"signal": "p", "below": 1, "release": 0},
            "cycles.running",
            "release",
        ),
        (
            ["cycles", "running"],
            {"signal": "p", "above": True},
            "cycles.running.above",
            "truth value",
        ),
        (
            ["cycles", "running"],
            {"signal": "p", "above": float("nan")},
            "cycles.running.above",
            "finite",
        ),
        (
            ["cycles", "running"],
            {"signal": "p", "status": {"column": "f", "on": [1]}},
            "cycles.running",
            "not to status",
        ),
        (
            ["cycles", "running"],
            {"status": {"column": "f", "on": []}},
            "cycles.running.status.on",
            "at least 1",
        ),
        (
            ["cycles", "running"],
            {"status": {"column": "f", True: [1]}},
            "cycles.running.status",
            "in quotes",
        ),
        (["cycles", "min_on_s"], -1, "cycles.min_on_s", "greater than or equal"),
        (["cycles", "max_gap_s"], 0, "cycles.max_gap_s", "greater than 0"),
        (["cycles", "max_gap_s"], None, "cycles.max_gap_s", "required"),
        (["cycles", "max_jump_s"], 10, "cycles", "max_jump_s"),
        (["statistics"], ["median"], "statistics.0", "'mean'"),
        (["statistics"], [], "statistics", "at least 1"),
        (["sensors"], [], "sensors", "at least 1"),
        (["sensors"], [{"name": "a"}, {"name": "a"}], "", "a named twice"),
        (["sensors"], [{"name": "a__mean"}], "sensors.0", "double underscore"),
        (["sensors"], [{"name": " a"}], "sensors.0", "outer space"),
        (["sensors"], [{"name": "a", "statistics": ["above_s"]}], "", r"sensors\.a: above_s needs"),
        (["sensors"], [{"name": "a", "statistics": ["n", "n"]}], "", "statistic is named twice"),
        (["statistics"], ["above_s"], "", r"sensors\.spare: above_s"),
    ],
)
def test_an_error_names_its_field(path, value, where, what):
    with pytest.raises(ValidationError, match=what) as problem:
        Workload.model_validate(with_change(path, value))
    places = [".".join(str(step) for step in error["loc"]) for error in problem.value.errors()]
    assert any(place.startswith(where) for place in places), places
