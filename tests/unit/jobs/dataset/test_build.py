"""From tables and a fault log to a dataset: what is in it, what is refused, when it is another one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cycles.errors import BadHistory
from cycles.history import Past, Sequences, label
from jobs.dataset.build import Sources, adjustment_of, build, in_season, prediction_of
from signalbox.contracts.prediction import Prediction
from signalbox.contracts.workload import Workload
from tests.pumps import FEATURES, dataset, fleet, workload

SPLIT = "unit,split\n" + "\n".join(
    f"{unit},{('train', 'train', 'validation', 'test')[unit % 4]}" for unit in range(1, 16)
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return dataset(tmp_path_factory.mktemp("made"))


def sources(folder, table=None, faults=None, **more):
    (fleet() if table is None else table).to_csv(folder / "pumps.csv", index=False)
    if faults is not None:
        (folder / "faults.csv").write_text(faults)
        more["faults"] = folder / "faults.csv"
    (folder / "split.csv").write_text(SPLIT)
    return Sources(folder / "pumps.csv", **more)


def refused(folder, told=None, **given):
    with pytest.raises(BadHistory) as problem:
        build(told or workload(), sources(folder, **given), folder / "dataset")
    return problem.value


def test_every_cycle_is_there_once_with_its_label(made):
    table = fleet()
    assert made.units == [str(unit) for unit in range(1, 16)]  # 2 before 10
    for k, unit in enumerate(made.units):
        own = table[table["pump"] == int(unit)]
        span = made.span(k)
        np.testing.assert_array_equal(made.times[span], own["run"])
        last = float(own["run"].max())
        assert made.faults[k].tolist() == [last]
        expected = label(own["run"].to_numpy(float), np.array([last]), 10, last)
        np.testing.assert_array_equal(made.labels[span], expected)
        assert made.labels[span].sum() == min(11, len(own))


def test_training_units_are_standardised_and_the_whole_is_narrow(made):
    assert made.features.dtype == np.float16
    assert made.manifest["features"] == [*FEATURES, *(f"{name}~own" for name in FEATURES)]
    rows = np.concatenate([made.features[made.span(k)] for k in made.members("train")])
    np.testing.assert_allclose(rows.astype(float).mean(0), 0, atol=0.02)
    np.testing.assert_allclose(rows.astype(float).std(0), 1, atol=0.1)


def test_what_is_on_disk_is_what_was_made(tmp_path):
    made = dataset(tmp_path)
    read = Sequences.read(tmp_path / "dataset")
    np.testing.assert_array_equal(read.features, made.features)
    assert read.manifest["digest"] == made.manifest["digest"]
    assert read.manifest["split"] == made.manifest["split"]


def test_units_of_validation_and_test_teach_nothing(tmp_path):
    table = fleet()
    one = build(workload(), sources(tmp_path, table, split=tmp_path / "split.csv"), tmp_path / "a")
    others = table["pump"] % 4 >= 2
    table.loc[others, FEATURES] = table.loc[others, FEATURES] * 3 + 100
    two = build(workload(), sources(tmp_path, table, split=tmp_path / "split.csv"), tmp_path / "b")
    assert one.manifest["past"] == two.manifest["past"]
    assert one.manifest["standard"] == two.manifest["standard"]
    for k in one.members("train"):
        np.testing.assert_array_equal(one.features[one.span(k)], two.features[two.span(k)])


def all_faults(table):
    ends = table.groupby("pump")["run"].max()
    return "unit,cycle\n" + "".join(f"{unit},{end}\n" for unit, end in ends.items())


def test_a_fault_log_says_the_same_as_running_to_failure(tmp_path, made):
    found = build(workload(), sources(tmp_path, faults=all_faults(fleet())), tmp_path / "dataset")
    np.testing.assert_array_equal(found.labels, made.labels)


def test_the_end_of_a_record_without_a_fault_is_unknown(tmp_path):
    first, *others = all_faults(fleet()).splitlines()[1:]
    faults = "\n".join(["unit,cycle", f"{first.split(',')[0]},5", *others])
    found = build(workload(), sources(tmp_path, faults=faults), tmp_path / "dataset")
    mine = found.labels[found.span(0)]
    assert mine[:5].tolist() == [1] * 5
    assert set(mine[5:-10]) == {0}
    assert set(mine[-10:]) == {-1}


UNUSABLE = "4,0\n99,3\n"


def test_labels_that_fit_no_cycle_are_refused_with_their_units_named(tmp_path):
    problem = refused(tmp_path, faults=all_faults(fleet()) + UNUSABLE)
    assert problem.reason == "unusable-labels"
    assert "99: a unit with no cycle" in problem.message
    assert "4: a label before the first cycle" in problem.message
    assert "--leave-out" in problem.message


@pytest.mark.parametrize("who", ["caller", "workload"])
def test_or_they_are_left_out_and_listed(tmp_path, made, who):
    given = sources(tmp_path, faults=all_faults(fleet()) + UNUSABLE, leave_out=who == "caller")
    found = build(workload(leave_out=who == "workload"), given, tmp_path / "dataset")
    assert found.manifest["left_out"] == [
        "99: a unit with no cycle",
        "4: a label before the first cycle",
    ]
    np.testing.assert_array_equal(found.labels, made.labels)


def test_a_long_list_of_unusable_labels_is_cut_and_counted(tmp_path):
    faults = all_faults(fleet()) + "".join(f"{unit},3\n" for unit in range(100, 117))
    assert "and 7 more" in refused(tmp_path, faults=faults).message


def test_without_a_fault_log_units_must_run_to_failure(tmp_path):
    assert refused(tmp_path, workload(run_to_failure=False)).reason == "no-fault-log"


def test_training_units_that_never_fail_are_refused(tmp_path):
    problem = refused(tmp_path, faults="unit,cycle\n")
    assert problem.reason == "one-sided"
    assert "no positive" in problem.message


def test_training_units_that_always_fail_are_refused(tmp_path):
    pairs = fleet()[["pump", "run"]].itertuples(index=False)
    every_cycle = "unit,cycle\n" + "".join(f"{pump},{run}\n" for pump, run in pairs)
    assert refused(tmp_path, faults=every_cycle).reason == "no-healthy-cycle"


def test_a_workload_that_predicts_nothing_has_no_dataset():
    told = Workload.model_validate(workload().model_dump() | {"prediction": None})
    with pytest.raises(BadHistory) as problem:
        prediction_of(told)
    assert problem.value.reason == "no-prediction"


DAYS = {"time": "days", "run_to_failure": True, "horizon": 30}


def by_day(folder, months, positives_in=None):
    """A workload of the house's own tables: a cycle a day, from January 2024 on."""
    measured = {
        "name": "pumps", "description": "Pumps.", "owner": "tests",
        "recording": {"timestamp": {"column": "ts"}, "unit": {"column": "unit"}},
        "cycles": {"running": {"signal": "flow", "above": 1}, "max_gap_s": 60},
        "sensors": [{"name": "flow", "statistics": ["mean"]}],
        "prediction": DAYS | {
            "window": 16, "samples": 20, "months": months,
            "baseline": {"reference": 5, "smooth": 3},
        },
    }  # fmt: skip
    rng = np.random.default_rng(0)
    table = pd.concat([
        pd.DataFrame({
            "unit": f"u{unit}",
            "cycle_end": pd.date_range("2024-01-01", periods=366, freq="D", tz="UTC"),
            "duration_s": rng.normal(600, 5, 366), "flow__mean": rng.normal(5, 1, 366),
        }) for unit in range(10)
    ])  # fmt: skip
    table.to_parquet(folder / "cycles.parquet")
    given = Sources(folder / "cycles.parquet")
    return build(Workload.model_validate(measured), given, folder / "dataset")


def test_only_cycles_in_season_are_eligible(tmp_path):
    made = by_day(tmp_path, [6, 12])
    days = pd.to_datetime(made.times, unit="D")
    np.testing.assert_array_equal(made.eligible, days.month.isin([6, 12]))
    assert made.eligible.sum() == 10 * (30 + 31)


def test_a_season_without_a_fault_teaches_one_side_only(tmp_path):
    with pytest.raises(BadHistory) as problem:  # every unit ends in December
        by_day(tmp_path, [5, 6])
    assert problem.value.reason == "one-sided"


def test_all_year_round_every_cycle_is_eligible():
    assert in_season(np.arange(400.0), Prediction()).all()
    around = np.array([30.99, 31.0, 58.99, 59.0])  # 1970, the end of January and of February
    assert in_season(around, Prediction(months=[2])).tolist() == [False, True, True, False]


def digest_of(folder, **given):
    folder.mkdir()
    told = given.pop("told", None) or workload()
    return build(told, sources(folder, **given), folder / "dataset").manifest["digest"]


def test_the_same_tables_and_settings_give_the_same_digest(tmp_path, made):
    assert digest_of(tmp_path / "again") == made.manifest["digest"]


def test_other_data_labels_seed_or_settings_give_another_digest(tmp_path, made):
    changed = fleet()
    changed.loc[7, "noise"] += 1
    log = all_faults(fleet())
    of_last = log.splitlines()[-2]  # of a unit with a long life
    sooner = f"{of_last.split(',')[0]},{int(of_last.split(',')[1]) - 1}"
    found = [
        made.manifest["digest"],
        digest_of(tmp_path / "data", table=changed),
        digest_of(tmp_path / "labels", faults=log.replace(of_last, sooner)),
        digest_of(tmp_path / "seed", seed=1),
        digest_of(tmp_path / "settings", told=workload(window=17)),
        digest_of(tmp_path / "training", told=workload(training={"epochs": 4})),
    ]
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("unit", range(1, 16))
def test_the_digest_follows_a_label_of_any_unit(tmp_path, unit):
    """Those of validation and test units change nothing that is learned from what is usual."""
    log = all_faults(fleet())
    line = log.splitlines()[unit]
    other = log.replace(f"\n{line}\n", f"\n{unit},{int(line.split(',')[1]) - 1}\n")
    assert other != log
    assert digest_of(tmp_path / "a", faults=log) != digest_of(tmp_path / "b", faults=other)


def test_a_schema_keeps_what_was_learned(made):
    kept = adjustment_of(made.manifest["past"])
    assert len(kept.usual) == len(kept.deviation) == len(FEATURES)
    assert kept.usual[0] == pytest.approx(9_000, abs=10)


def test_progress_is_told_for_every_unit(tmp_path):
    heard = []
    build(workload(), sources(tmp_path), tmp_path / "dataset", lambda *said: heard.append(said))
    assert heard[0] == ("units read", 15, 15)
    assert heard[-1] == ("units written", 15, 15)


def test_nothing_reaches_back_over_a_fault(tmp_path):
    """What a repaired unit is shown is what a new one would be that did the same."""
    table = fleet()
    first = table[table["pump"] == 4]  # of the training units
    half = len(first) // 2
    log = all_faults(table) + f"4,{half}\n"
    whole = build(workload(), sources(tmp_path, table, log), tmp_path / "dataset")
    span = whole.span(whole.units.index("4"))
    assert (whole.firsts[span] - span.start).tolist() == [0] * half + [half] * (len(first) - half)
    shown, valid = whole.windows(np.arange(span.start, span.stop), 16)
    lives = (range(half), range(len(first) - half))
    assert valid.tolist() == [min(n + 1, 16) for life in lives for n in life]
    told = whole.manifest["past"]
    arrays = {k: np.asarray(v) for k, v in told.items() if isinstance(v, list)}
    past = Past(
        **(told | arrays | {k: tuple(told[k]) for k in ("columns", "compare", "conditions")})
    )
    new = whole.standard.apply(past.features(first[FEATURES].to_numpy(np.float32)[half:]))
    assert (whole.features[span][half:] == new).all()
    assert (shown[half + 2, -3:] == new[:3]).all()
    assert not shown[half + 2, :-3].any()


def test_what_is_asked_of_a_model_shapes_no_dataset(tmp_path, made):
    asked = {"gate": {"metric": "auc", "at_least": 0.9}, "drift": {"threshold": 0.3}}
    assert dataset(tmp_path, **asked).manifest["digest"] == made.manifest["digest"]
