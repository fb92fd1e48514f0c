"""A state folder: what goes in comes out, nothing else is believed, and it is its owner's only."""

from __future__ import annotations

import json
import stat

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from localcloud.errors import StateError
from localcloud.keep.folder import StateFolder
from localcloud.keep.plain import dumped, loaded

FACTS = {
    "stack": "s",
    "resources": {"Table": ["AWS::DynamoDB::Table", "s-Table"]},
    "now": "2026-01-01T00:00:00+00:00",
    "starts": 1,
    "not_kept": [],
}

names = st.sampled_from(["base64", "!base64", "!!base64", "!", "base64!", "a"])
nested = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=4),
        st.sampled_from(["aGk=", "not base64!"]), st.binary(max_size=4),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(names | st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=10,
)  # fmt: skip


@given(nested)
@example({"base64": "not base64!"})
@example({"base64": "aGk="})
@example({"!base64": {"base64": b"hi"}})
def test_json_with_bytes_comes_back_as_it_was(value):
    assert loaded(dumped(value)) == value


@pytest.mark.parametrize("body", [b'{"base64": 1}', b'{"base64": "?"}', b"[" * 100_000, b"\xff"])
def test_what_was_never_written_is_no_value(body):
    with pytest.raises(ValueError, match=r".+"):
        loaded(body)


def save(path, parts=None, facts=FACTS):
    folder = StateFolder(path)
    folder.open()
    digest = folder.add_blob(b"object")
    folder.save(parts or {"secrets": {"a": b"\x00"}}, [digest], facts)
    folder.close()
    return digest


def change(path, field, value):
    place = path / "manifest.json"
    manifest = json.loads(place.read_text())
    *above, last = field.split(".")
    inner = manifest
    for each in above:
        inner = inner[each]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    place.write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("now", "x"), ("now", "2026-01-01T00:00:00"), ("now", "9999-12-31T23:59:59+00:00"),
        ("now", 1), ("now", None), ("starts", "x"), ("starts", True), ("starts", 0),
        ("starts", None), ("stack", 1), ("resources", []), ("resources", {"Table": 1}),
        ("resources", {"Table": [1]}), ("not_kept", "x"), ("blobs", {}), ("blobs", ["../x"]),
        ("blobs", [1]), ("blobs", None), ("files", []), ("files", None), ("files.secrets", 1),
        ("files.secrets.sha256", None), ("files.secrets.sha256", 1),
        ("files.secrets.file", None), ("files.secrets.file", "\0"),
        ("files.secrets.file", "parts/../lock"), ("files.secrets.file", ["parts"]),
    ],
)  # fmt: skip
def test_a_malformed_field_is_named_with_its_file(tmp_path, field, value):
    save(tmp_path / "state")
    change(tmp_path / "state", field, value)
    before = (tmp_path / "state" / "manifest.json").read_bytes()
    with pytest.raises(StateError) as caught:
        StateFolder(tmp_path / "state")
    assert "manifest.json" in str(caught.value)
    assert field in str(caught.value)
    assert (tmp_path / "state" / "manifest.json").read_bytes() == before


def test_only_the_owner_can_read_it_also_where_the_folder_was_there_before(tmp_path):
    state = tmp_path / "state"
    state.mkdir(mode=0o755)
    save(state)
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    files = [each for each in state.rglob("*") if each.is_file()]
    assert {each.name for each in files} >= {"manifest.json", "lock"}
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}
    state.chmod(0o755)  # as an earlier save may have left it
    save(state)
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["thesis.odt", "parts", "manifest.json"])
def test_somebody_elses_folder_keeps_its_mode_and_gets_no_lock(tmp_path, name):
    state = tmp_path / "state"
    state.mkdir()
    state.chmod(0o755)
    if name == "parts":
        (state / name).mkdir()
    else:
        (state / name).write_text("{}")
    with pytest.raises(StateError):
        StateFolder(state)
    assert stat.S_IMODE(state.stat().st_mode) == 0o755
    assert [each.name for each in state.iterdir()] == [name]


def test_objects_that_the_manifest_does_not_list_are_not_read(tmp_path):
    digest = save(tmp_path / "state")
    other = "0" * 64
    (tmp_path / "state" / "blobs" / other).write_bytes(b"slipped in")
    (tmp_path / "secret").write_bytes(b"outside")
    folder = StateFolder(tmp_path / "state")
    assert folder.blob(digest) == b"object"
    for name in (other, "../../secret", str(tmp_path / "secret"), digest.upper(), 1, ["x"]):
        with pytest.raises(StateError, match="lists no object"):
            folder.blob(name)


def test_it_is_read_under_its_lock(tmp_path):
    state = tmp_path / "state"
    save(state)
    using = StateFolder(state)
    using.open()
    with pytest.raises(StateError, match="another local cloud uses"):
        StateFolder(state)
    using.close()
    assert StateFolder(state).kept["secrets"] == {"a": b"\x00"}


@pytest.mark.parametrize("new", [True, False])
def test_a_save_between_reading_and_locking_is_noticed(tmp_path, new):
    state = tmp_path / "state"
    if not new:
        save(state)
    folder = StateFolder(state)
    save(state, facts={**FACTS, "starts": 2})
    with pytest.raises(StateError, match="start again"):
        folder.open()
    assert StateFolder(state).kept["manifest"]["starts"] == 2  # and it is free again


def test_a_folder_without_a_save_is_taken_away_again(tmp_path):
    folder = StateFolder(tmp_path / "a" / "state")
    folder.open()
    assert (tmp_path / "a" / "state" / "lock").is_file()
    folder.close()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "mine").mkdir()
    folder = StateFolder(tmp_path / "mine")
    folder.open()
    folder.close()
    assert list(tmp_path.rglob("*")) == [tmp_path / "mine"]


def test_a_first_save_that_was_interrupted_is_done_again(tmp_path):
    state = tmp_path / "state"
    folder = StateFolder(state)
    folder.open()
    folder.add_blob(b"x")
    (state / "manifest.json.new").write_text("{")
    folder.close()
    save(state)
    assert StateFolder(state).kept["secrets"] == {"a": b"\x00"}
