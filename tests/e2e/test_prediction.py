"""From raw files to probabilities with a trained model, and that production sees what training saw."""

from __future__ import annotations

import io
import json
import shutil
from datetime import date, timedelta

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from rich.console import Console

from cli.models import evaluate, export, score
from cli.publish import publish
from cli.workloads import WORKLOADS
from cycles import BadHistory
from jobs.dataset.build import Sources, build
from jobs.training.run import learn
from signalbox.contracts.scoring import Score
from signalbox.contracts.workload import Workload
from simulator.fleet import Fleet

UNITS = ("hp-0001", "hp-0002")


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A small model of simulated histories: enough to say different things of different units."""
    folder = tmp_path_factory.mktemp("model")
    fleet = Fleet(units=16, seed=5, start=date(2024, 6, 1), days=90, faults_per_year=4)
    (folder / "cycles").mkdir()
    for unit in fleet.units:
        pq.write_table(fleet.cycle_history(unit), folder / "cycles" / f"{unit}.parquet")
    pq.write_table(fleet.fault_log(), folder / "faults.parquet")
    told = yaml.safe_load((WORKLOADS / "hvac.yaml").read_text(encoding="utf-8"))
    told["prediction"] |= {
        "horizon": 15, "grace": 10, "window": 16, "samples": 20,
        "network": {"width": 8, "heads": 2, "layers": 1, "dropout": 0.0},
        "training": {"epochs": 2, "patience": 2},
    }  # fmt: skip
    told["prediction"]["baseline"] |= {"reference": 12, "smooth": 4}
    sources = Sources(folder / "cycles", folder / "faults.parquet", leave_out=True)
    data = build(Workload.model_validate(told), sources, folder / "dataset")
    learn(data, folder, 0, lambda _: None)
    return folder


@pytest.fixture(scope="session")
def days():
    """Raw unit-days, thinned to a row every ten seconds, as a slower recorder would have made them."""
    fleet = Fleet(units=2, seed=9, start=date(2024, 7, 1), days=2)
    made = {}
    for unit in UNITS:
        for day in fleet.dates:
            target = io.BytesIO()
            table = fleet.raw_day(unit, day)
            pq.write_table(table.take(np.arange(0, table.num_rows, 10)), target)
            made[f"raw/hvac/unit={unit}/{day}.parquet"] = target.getvalue()
    return made


def scores(chain):
    found = [key for key in chain.bucket.listing("scores/") if key.endswith(".out")]
    return {
        score.unit: score
        for key in found
        for line in chain.bucket.read(key).splitlines()
        for score in [Score.model_validate_json(line)]
    }


def test_production_says_of_a_unit_what_the_command_says_of_its_cycles(
    chain, model, days, tmp_path
):
    publish(chain.cloud.client("s3"), chain.bucket.name, model)
    for key, body in days.items():
        chain.bucket.write(key, body)
    chain.run()
    chain.cloud.run_for(timedelta(minutes=6))
    chain.run()
    found = scores(chain)
    assert set(found) == set(UNITS)
    pq.write_table(chain.features(), tmp_path / "cycles.parquet")
    score(Console(quiet=True), model, tmp_path / "cycles.parquet", tmp_path / "scores.parquet")
    told = pq.read_table(tmp_path / "scores.parquet").to_pandas()
    for unit in UNITS:
        last = told[told["unit"] == unit].iloc[-1]
        assert found[unit].cycle == last["cycle"]
        assert np.exp(found[unit].log_probabilities[1]) == pytest.approx(
            last["probability"], abs=1e-6
        )
    assert found[UNITS[0]].log_probabilities != found[UNITS[1]].log_probabilities
    (scored,) = chain.events("FleetScored")
    assert scored["units"] == len(UNITS)


def test_a_repaired_unit_is_judged_by_what_it_did_since(chain, model, days, tmp_path):
    log = tmp_path / "faults.csv"
    faults = {UNITS[0]: "2024-07-02T00:00:00+00:00", UNITS[1]: "2024-07-09T00:00:00+00:00"}
    rows = [f"{unit},leak,{failed_at}" for unit, failed_at in faults.items()]
    log.write_text("\n".join(["unit,fault,failed_at", *rows]) + "\n", encoding="utf-8")
    chain.bucket.write("faults/hvac/july.csv", log.read_bytes())
    chain.run()
    publish(chain.cloud.client("s3"), chain.bucket.name, model)
    for key, body in days.items():
        chain.bucket.write(key, body)
    chain.run()
    chain.cloud.run_for(timedelta(minutes=6))
    chain.run()
    found = scores(chain)
    assert set(found) == {UNITS[0]}, "the other has no cycle since its fault"
    cycles, out = tmp_path / "cycles.parquet", tmp_path / "scores.parquet"
    pq.write_table(chain.features(), cycles)
    last = {}
    for name, known in (("as repaired", log), ("as one life", None)):
        score(Console(quiet=True), model, cycles, out, known)
        told = pq.read_table(out).to_pandas()
        last[name] = told[told["unit"] == UNITS[0]].iloc[-1]
    assert found[UNITS[0]].cycle == last["as repaired"]["cycle"]
    said = np.exp(found[UNITS[0]].log_probabilities[1])
    assert said == pytest.approx(last["as repaired"]["probability"], abs=1e-6)
    assert abs(said - last["as one life"]["probability"]) > 1e-5


def test_a_model_that_needs_what_the_workload_does_not_measure_scores_nothing(chain, model, days):
    publish(chain.cloud.client("s3"), chain.bucket.name, model)
    key = "models/hvac/current.json"
    pointer = json.loads(chain.bucket.read(key))
    pointer["schema"]["columns"][3] = "oil_level__mean"
    chain.bucket.write(key, json.dumps(pointer).encode())
    chain.bucket.write(*next(iter(days.items())))
    chain.run()
    chain.cloud.run_for(timedelta(minutes=6))
    chain.run()
    failed = chain.events("ScoringFailed")
    assert failed
    assert "oil_level__mean" in failed[0]["reason"]
    assert scores(chain) == {}
    assert chain.events("FaultPredicted") == []


def test_a_model_is_exported_again_and_an_older_network_is_named(model, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(model, folder)
    before = (folder / "model.onnx").read_bytes()
    said = io.StringIO()
    (folder / "model.onnx").write_bytes(b"lost")
    export(Console(file=said, width=200), folder, int8=True)
    assert (folder / "model.onnx").read_bytes() == before
    assert "int8: " in said.getvalue()
    held = torch.load(folder / "checkpoint.pt", weights_only=True)
    torch.save({**held, "run": "1/" + held["run"].split("/", 1)[1]}, folder / "checkpoint.pt")
    with pytest.raises(BadHistory, match="another network or dataset"):
        export(Console(file=said), folder, int8=False)


def test_a_model_is_judged_beside_constants_and_baselines(model, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(model, folder)
    evaluate(Console(file=io.StringIO()), folder, 0)
    told = json.loads((folder / "evaluation.json").read_bytes())
    assert {"always", "never"} <= told["signalbox"]["alerts"].keys()
    assert "<svg" in (folder / "evaluation.html").read_text(encoding="utf-8")
