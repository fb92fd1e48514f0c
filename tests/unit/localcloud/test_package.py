from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

from localcloud.package import zip_folder


def tree(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_py", ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def names(content: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.namelist()


def test_equal_trees_give_equal_bytes_whenever_and_wherever_they_were_written(
    tmp_path: Path,
) -> None:
    one = tree(tmp_path / "one", a_py="x", b__c_py="y")
    two = tree(tmp_path / "two", b__c_py="y", a_py="x")
    for path in two.rglob("*.py"):
        os.utime(path, (1, 1))
    assert zip_folder(one) == zip_folder(two)
    assert names(zip_folder(one)) == ["a.py", "b/c.py"]


def test_another_byte_gives_another_zip(tmp_path: Path) -> None:
    one, two = tree(tmp_path / "one", a_py="x"), tree(tmp_path / "two", a_py="z")
    assert zip_folder(one) != zip_folder(two)


def test_bytecode_is_left_out(tmp_path: Path) -> None:
    folder = tree(tmp_path / "one", a_py="x")
    tree(folder, **{"__pycache____a.pyc": "x"})
    (folder / "__pycache__").mkdir(exist_ok=True)
    (folder / "__pycache__" / "a.pyc").write_bytes(b"x")
    assert "__pycache__/a.pyc" not in names(zip_folder(folder))


def test_a_large_folder_becomes_the_list_of_its_files(tmp_path: Path) -> None:
    folder = tree(tmp_path / "one", a_py="x" * 100)
    content = zip_folder(folder, listed_above=50)
    assert names(content) == ["FILES"]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.read("FILES").startswith(b"a.py 100 ")
