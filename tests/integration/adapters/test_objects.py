"""The data bucket: the fake and the adapter on moto, by the same tests."""

import pytest
from botocore.exceptions import ClientError

from signalbox.adapters.objects import Objects
from signalbox.errors import Misconfigured, Rejected, Transient
from tests.fakes import BUCKET, InMemoryObjects, ref


@pytest.fixture(params=["fake", "moto"])
def objects(request):
    if request.param == "fake":
        return InMemoryObjects()
    request.getfixturevalue("aws")
    return Objects(BUCKET)


def newest_version(objects, key):
    if isinstance(objects, InMemoryObjects):
        return f"v{len(objects.versions[key])}"
    return objects._s3.head_object(Bucket=BUCKET, Key=key)["VersionId"]


def delete(objects, key):
    if isinstance(objects, InMemoryObjects):
        objects.delete(key)
    else:
        objects._s3.delete_object(Bucket=BUCKET, Key=key)


def test_what_is_put_can_be_read_version_by_version(objects):
    objects.put("raw/h/a.csv", b"old")
    first = newest_version(objects, "raw/h/a.csv")
    objects.put("raw/h/a.csv", b"newer")
    assert objects.read("raw/h/a.csv") == b"newer"
    assert objects.read("raw/h/a.csv", first) == b"old"
    assert objects.size(ref("raw/h/a.csv", version=first)) == 3
    assert objects.size(ref("raw/h/a.csv", version=None)) == 5


def test_of_many_keys_those_that_are_still_there_are_found(objects):
    keys = [f"training/h/day={day}/{name}.csv" for day in (1, 2) for name in ("a", "b", "ä")]
    for key in [*keys, "training/h/day=1/a.csv.bak", "training/h/zz.csv", "training/h/day=1/"]:
        objects.put(key, b"x")
    delete(objects, keys[1])
    assert objects.present([*reversed(keys), "training/h/day=1/none.csv"]) == [keys[0], *keys[2:]]
    assert objects.present(keys[:1]) == keys[:1]
    assert objects.present(keys[1:2]) == objects.present([]) == []


def test_a_local_copy_keeps_the_ending_and_is_gone_after(objects):
    objects.put("raw/h/a b+c.csv.gz", b"content")
    version = newest_version(objects, "raw/h/a b+c.csv.gz")
    objects.put("raw/h/a b+c.csv.gz", b"replaced")
    with objects.local(ref("raw/h/a b+c.csv.gz", version=version)) as path:
        assert path.read_bytes() == b"content"
        assert path.name.endswith(".csv.gz")
    assert not path.exists()


def test_what_is_not_there_says_so(objects):
    assert objects.size(ref("raw/h/none", version=None)) is None
    assert not objects.exists("raw/h/none")
    assert objects.find("raw/h/none") is None
    with pytest.raises(Rejected, match="does not exist"):
        objects.read("raw/h/none")
    with pytest.raises(Rejected), objects.local(ref("raw/h/none", version=None)):
        pytest.fail("lent a file that is not there")


def test_a_deleted_file_is_gone_but_its_versions_are_not(objects):
    objects.put("raw/h/a", b"x")
    version = newest_version(objects, "raw/h/a")
    delete(objects, "raw/h/a")
    assert not objects.exists("raw/h/a")
    assert objects.size(ref("raw/h/a", version=version)) == 1
    assert objects.children("raw/h/") == []


def test_listings_are_complete_and_know_depth(objects):
    for key in (
        "f/a/1.parquet",
        "f/a/2.deleted",
        "f/a/b/3.parquet",
        "f/ab/4.parquet",
        "f/a/folder/",
    ):
        objects.put(key, b"")
    assert objects.children("f/a/") == ["f/a/1.parquet", "f/a/2.deleted"]
    assert len(objects.keys("f/a/")) == 4
    assert objects.count("f/a/") == 3


def test_listings_go_on_over_pages(aws):
    objects = Objects(BUCKET)
    for number in range(1001):
        objects._s3.put_object(Bucket=BUCKET, Key=f"p/{number:04}", Body=b"")
    assert len(objects.children("p/")) == 1001


def test_json_is_stored_as_json(aws):
    objects = Objects(BUCKET)
    for key, kind in (("a.json", "json"), ("a.deleted", "json"), ("a.parquet", "octet-stream")):
        objects.put(key, b"{}")
        assert (
            objects._s3.head_object(Bucket=BUCKET, Key=key)["ContentType"] == f"application/{kind}"
        )


def test_a_bucket_that_is_not_there_is_a_wrong_deployment(aws):
    with pytest.raises(Misconfigured, match=r"s3:PutObject on s3://nowhere/a.*role"):
        Objects("nowhere").put("a", b"")


def test_no_answer_is_passing_trouble(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # the discard port: nobody listens
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(Transient, match="EndpointConnectionError"):
        Objects(BUCKET).put("a", b"")


def test_a_file_that_no_event_told_of_is_known_by_its_last_change(aws):
    objects = Objects(BUCKET)
    assert objects.current("history/h/a") is None
    objects.put("history/h/a", b"xyz")
    source, size = objects.current("history/h/a")
    head = objects._s3.head_object(Bucket=BUCKET, Key="history/h/a")
    assert (source.version_id, size) == (head["VersionId"], 3)
    assert int(source.sequencer, 16) == int(head["LastModified"].timestamp() * 1000)


class Refusing:
    def head_object(self, **_):
        raise ClientError({"Error": {"Code": "403"}}, "HeadObject")


def test_a_head_that_is_refused_is_no_missing_file():
    with pytest.raises(Misconfigured, match=r"s3:GetObject on s3://.*403"):
        Objects(BUCKET, Refusing()).exists("raw/h/a")


def test_a_swap_is_refused_where_somebody_wrote_since(objects):
    assert objects.tagged("models/h/current.json") is None
    objects.swap("models/h/current.json", b"one", None)
    content, tag = objects.tagged("models/h/current.json")
    assert content == b"one"
    with pytest.raises(Transient):
        objects.swap("models/h/current.json", b"two", None)
    objects.swap("models/h/current.json", b"two", tag)
    with pytest.raises(Transient):
        objects.swap("models/h/current.json", b"three", tag)
    assert objects.read("models/h/current.json") == b"two"
