"""The keys of the data bucket: one place that writes them and reads them back.

    raw/<workload>/<path…>                        a sensor file
    history/<workload>/<path…>                    an old file; only a manifest speaks of it
    backfill/<name>.json                          a manifest
    fragments/<source key>/<sequencer>.parquet    what one version of a file contributes
    fragments/<source key>/<sequencer>.deleted    a tombstone: the file was withdrawn
    rejected/<source key>.json                    why a file cannot be processed
    rejected/events/<door>/<id>.json              an event that could not even be read
    runs/<workload>/<run key>/…                   what a backfill run wrote
    registry/<workload>/<path…>                   units of a fleet
    faults/<workload>/<path…>                     faults that units had
    models/<workload>/current.json                the model in service
    scoring/<workload>/<run>/request.json         what a scoring run is asked for
    windows/<workload>/<run>/parts/…              what the model is shown
    windows/<workload>/<run>/manifest.json        that the windows of a run are complete
    scores/<workload>/<run>/….out                 what the model said
    feedback/<workload>/<episode>.json            what people said of an alert
    judgements/<workload>/<date>.json             how predictions turned out
    cards/<card>/…                                approved model cards as PDF
    cards/shared/<card>/…                         copies for accounts that may only read
    packages/<workload>/<run>/…                   a model as it was trained
    training/<workload>/<path…>                   a file to learn from
    inference/<workload>/<path…>                  a file to predict from
    ground-truth/<workload>/<path…>               what became of what was predicted
    operations/<workload>/<run>/…                 what a pipeline run was given and made; beside its
                                                  evaluation.json smoke.json, a request that it answers
    monitoring/<workload>/<run>/…                 what the data of a run was like

All state of a source key is the listing of ``fragments/<source key>/``: the highest sequencer
counts. Standard library only, so that programs outside Lambda can ship it anywhere.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

RAW = "raw/"
HISTORY = "history/"
BACKFILL = "backfill/"
FRAGMENTS = "fragments/"
REJECTED = "rejected/"
RUNS = "runs/"
REGISTRY = "registry/"
FAULTS = "faults/"
MODELS = "models/"
SCORING = "scoring/"
WINDOWS = "windows/"
SCORES = "scores/"
FEEDBACK = "feedback/"
JUDGEMENTS = "judgements/"

FleetKind = Literal["registry", "faults"]

SEQUENCER_DIGITS = 32
FIRST_SEQUENCER = "0" * SEQUENCER_DIGITS
"""Lower than any sequencer that S3 gives out."""

MAX_KEY_BYTES = 1024  # S3 User Guide, "Naming Amazon S3 objects"

_FLEET_KINDS: dict[str, FleetKind] = {REGISTRY: "registry", FAULTS: "faults"}
_HEX = re.compile(r"[0-9A-Fa-f]+")
_FRAGMENT = re.compile(
    r"fragments/(?P<source>.+)/(?P<sequencer>[0-9A-F]{32})\.(?P<kind>parquet|deleted)", re.S
)
_SCORES = re.compile(r"scores/(?P<workload>[^/]+)/(?P<run>[0-9a-f]{32})/.+\.out", re.S)
_RUN = re.compile(r"runs/(?P<workload>[^/]+)/(?P<run>[0-9a-f]{32})/(?P<path>.+)", re.S)
_WINDOWS_MANIFEST = re.compile(r"windows/(?P<workload>[^/]+)/(?P<run>[0-9a-f]{32})/manifest\.json")


@dataclass(frozen=True, slots=True)
class FragmentKey:
    """A key under ``fragments/``, taken apart."""

    source_key: str
    sequencer: str
    kind: Literal["parquet", "deleted"]


def workload_of(source_key: str) -> str:
    """Return the workload that a sensor file's key names.

    >>> workload_of("raw/hvac/2026/07/01/unit-3.parquet")
    'hvac'

    Raises:
        ValueError: neither ``raw/<workload>/<path>`` nor ``history/<workload>/<path>``.
    """
    room, _, rest = source_key.partition("/")
    workload, slash, path = rest.partition("/")
    if f"{room}/" not in (RAW, HISTORY) or not (workload and slash and path):
        raise ValueError(
            f"{source_key!r} names no workload; sensor files go under raw/<workload>/<path> "
            "or history/<workload>/<path>"
        )
    return workload


def parse_fleet_key(key: str) -> tuple[FleetKind, str]:
    """Return what a file about the fleet holds, and the workload that its key names.

    >>> parse_fleet_key("registry/hvac/units.csv")
    ('registry', 'hvac')

    Raises:
        ValueError: neither ``registry/<workload>/<path>`` nor ``faults/<workload>/<path>``.
    """
    room, _, rest = key.partition("/")
    workload, slash, path = rest.partition("/")
    kind = _FLEET_KINDS.get(f"{room}/")
    if kind is None or not (workload and slash and path):
        raise ValueError(
            f"{key!r} names no workload; units go under registry/<workload>/<path>, "
            "faults under faults/<workload>/<path>"
        )
    return kind, workload


def normal_sequencer(sequencer: str) -> str:
    """Return an S3 sequencer in the form in which text order is age order.

    S3 User Guide, "Event message structure": left-pad the shorter of two before comparing.

    >>> normal_sequencer("617f08299329d189")
    '0000000000000000617F08299329D189'

    Raises:
        ValueError: not a hexadecimal number of at most 32 digits.
    """
    if not _HEX.fullmatch(sequencer) or len(sequencer) > SEQUENCER_DIGITS:
        raise ValueError(
            f"sequencer {sequencer!r} is not hexadecimal of at most {SEQUENCER_DIGITS} digits"
        )
    return sequencer.upper().zfill(SEQUENCER_DIGITS)


def sequencer_without_event(last_modified_ms: int) -> str:
    """Return a sequencer for a file that no event told of: its LastModified, epoch milliseconds.

    Eleven significant digits against the sixteen or more of S3: older than any event's.

    >>> sequencer_without_event(1_767_225_600_000)
    '00000000000000000000019B76DAA800'
    """
    return normal_sequencer(f"{last_modified_ms:x}")


def fragments_prefix(source_key: str) -> str:
    """Return the prefix whose direct children are all state of ``source_key``."""
    return f"{FRAGMENTS}{source_key}/"


def fragment_key(source_key: str, sequencer: str) -> str:
    """Return where the fragment of this version of a file goes.

    Raises:
        ValueError: not a sequencer, or the source key is too long to be followed by one.
    """
    return _fits(f"{fragments_prefix(source_key)}{normal_sequencer(sequencer)}.parquet", source_key)


def tombstone_key(source_key: str, sequencer: str) -> str:
    """Return where the deletion of a file is noted.

    Raises:
        ValueError: not a sequencer, or the source key is too long to be followed by one.
    """
    return _fits(f"{fragments_prefix(source_key)}{normal_sequencer(sequencer)}.deleted", source_key)


def parse_fragment_key(key: str) -> FragmentKey:
    """Take a key under ``fragments/`` apart.

    Raises:
        ValueError: neither a fragment nor a tombstone.
    """
    found = _FRAGMENT.fullmatch(key)
    if not found:
        raise ValueError(
            f"{key!r} is no fragment; those are "
            "fragments/<source key>/<32 hex digits>.parquet or .deleted"
        )
    kind: Literal["parquet", "deleted"] = "deleted" if found["kind"] == "deleted" else "parquet"
    return FragmentKey(found["source"], found["sequencer"], kind)


def newest(source_key: str, listing: Iterable[str]) -> FragmentKey | None:
    """Return what counts of a source key, given the keys under its fragments prefix, or None.

    Keys of other sources that happen to lie deeper under the same prefix are passed over.
    """
    mine = [found for found in map(parse_fragment_key, listing) if found.source_key == source_key]
    return max(mine, key=lambda found: (found.sequencer, found.kind == "deleted"), default=None)


def rejected_key(source_key: str) -> str:
    """Return where the reason goes why ``source_key`` cannot be processed.

    A source key too long to be wrapped is named by its hash: a reason must always find its place.
    """
    key = f"{REJECTED}{source_key}.json"
    if len(key.encode()) <= MAX_KEY_BYTES:
        return key
    return f"{REJECTED}long-keys/{hashlib.sha256(source_key.encode()).hexdigest()}.json"


def rejected_event_key(door: str, event_id: str) -> str:
    """Return where an event goes that ``door`` could not read."""
    return f"{REJECTED}events/{door}/{event_id}.json"


def run_key(bucket: str, key: str, version_id: str | None) -> str:
    """Return the name of the run that this version of a manifest asks for.

    >>> run_key("data", "backfill/2025.json", "v1")
    'a248541deeae6071afb7a58942694455'
    """
    return hashlib.sha256(f"{bucket}/{key}/{version_id or ''}".encode()).hexdigest()[:32]


def run_prefix(workload: str, run: str) -> str:
    """Return the prefix of everything that a run writes."""
    return f"{RUNS}{workload}/{run}/"


def report_key(workload: str, run: str) -> str:
    """Return where a run reports what became of every file."""
    return f"{run_prefix(workload, run)}report.json"


def features_key(workload: str, run: str, unit: str) -> str:
    """Return where a run puts the cycle features of one unit; the unit may be any text.

    >>> features_key("hvac", "0" * 32, "site 1/unit 3")[-36:]
    'features/site%201%2Funit%203.parquet'
    """
    return f"{run_prefix(workload, run)}features/{quote(unit, safe='')}.parquet"


def current_model_key(workload: str) -> str:
    """Return where the model in service of a workload is named."""
    return f"{MODELS}{workload}/current.json"


def model_key(workload: str, version: str) -> str:
    """Return where the archive of a model goes."""
    return f"{MODELS}{workload}/{version}/model.tar.gz"


def request_key(workload: str, run: str) -> str:
    """Return where the request of a scoring run stands."""
    return f"{SCORING}{workload}/{run}/request.json"


def windows_prefix(workload: str, run: str) -> str:
    """Return the prefix of everything that the windows program writes for a run."""
    return f"{WINDOWS}{workload}/{run}/"


def parts_prefix(workload: str, run: str) -> str:
    """Return the prefix under which nothing but the windows of a run lies."""
    return f"{windows_prefix(workload, run)}parts/"


def windows_manifest_key(workload: str, run: str) -> str:
    """Return where a run notes, last of all, that its windows are complete."""
    return f"{windows_prefix(workload, run)}manifest.json"


def parse_windows_manifest_key(key: str) -> tuple[str, str]:
    """Return workload and run of the key of a windows manifest.

    Raises:
        ValueError: it is none.
    """
    found = _WINDOWS_MANIFEST.fullmatch(key)
    if not found:
        raise ValueError(
            f"{key!r} is no manifest of windows; those are "
            "windows/<workload>/<32 hex digits>/manifest.json"
        )
    return found["workload"], found["run"]


def scores_prefix(workload: str, run: str) -> str:
    """Return the prefix under which a run's scores arrive."""
    return f"{SCORES}{workload}/{run}/"


def parse_scores_key(key: str) -> tuple[str, str]:
    """Take the key of a score file apart into workload and run.

    Raises:
        ValueError: no score file of a run.
    """
    found = _SCORES.fullmatch(key)
    if not found:
        raise ValueError(
            f"{key!r} is no score file; those are scores/<workload>/<32 hex digits>/<path>.out"
        )
    return found["workload"], found["run"]


def feedback_key(workload: str, episode: str) -> str:
    """Return where the standing feedback on an alert is kept."""
    return f"{FEEDBACK}{workload}/{episode}.json"


def judgements_key(workload: str, date: str) -> str:
    """Return where one day's judging of predictions is reported."""
    return f"{JUDGEMENTS}{workload}/{date}.json"


def parse_run_key(key: str) -> tuple[str, str, str]:
    """Take a key under ``runs/`` apart into workload, run key and path.

    Raises:
        ValueError: not written by a run.
    """
    found = _RUN.fullmatch(key)
    if not found:
        raise ValueError(
            f"{key!r} was written by no run; those keys are runs/<workload>/<32 hex digits>/<path>"
        )
    return found["workload"], found["run"], found["path"]


def _fits(key: str, source_key: str) -> str:
    if len(key.encode()) > MAX_KEY_BYTES:
        raise ValueError(
            f"{source_key!r} is too long: what is derived from it would be named by "
            f"{len(key.encode())} bytes, and S3 allows {MAX_KEY_BYTES}; use a shorter key"
        )
    return key
