"""Own pictures where they lie: what is found, what is left out, and what is refused before anything is uploaded."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import boto3
import pytest
from cloud_fixtures import LocalCloud

from lambdas.serialize_image import picture
from pipelines.runs import pictures
from pipelines.runs.picture_upload import upload_pictures
from project.errors import DataError, SconesError, UsageError
from project.names import Names
from project.settings import Settings
from steps import picture_list

CLASSES = ["bicycle", "motorcycle"]


def put(folder: Path, *names: str, content: bytes | None = None) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode() if content is None else content)
    return folder


def table(folder: Path, text: str) -> str:
    put(folder, "list.csv", content=text.encode())
    return str(folder / "list.csv")


def refused(source: str | Path, kind: type[SconesError] = DataError) -> str:
    with pytest.raises(kind) as error:
        pictures.find(str(source), CLASSES)
    assert "\n" not in str(error.value) and error.value.fix
    return str(error.value)


def test_what_is_no_picture_is_told_and_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path, "bicycle/a.JPG", "bicycle/2024/may/b.webp", "motorcycle/c.Png", "README.txt", "bicycle/.hidden.jpg")
    put(tmp_path, "bicycle/.thumbs/a.jpg", "__MACOSX.txt", "bicycle/._a.JPG", "bicycle/notes.txt", "bicycle/IMG.AVIF")
    put(tmp_path, "bicycle/empty.jpg", content=b"")
    os.truncate(put(tmp_path, "bicycle/film.jpg") / "bicycle/film.jpg", pictures.MAX_BYTES + 1)
    found = pictures.find(str(tmp_path), CLASSES)
    assert [(one.name, one.class_name) for one in found] == [
        ("bicycle/a.JPG", "bicycle"),
        ("bicycle/2024/may/b.webp", "bicycle"),
        ("motorcycle/c.Png", "motorcycle"),
    ]
    told = capsys.readouterr().err
    assert "'bicycle/IMG.AVIF': AVIF is not read; export it as JPEG." in told
    assert "'bicycle/empty.jpg': no bytes" in told and "'bicycle/film.jpg': more than 25 MB" in told


def test_the_limit_of_one_picture_is_the_one_of_serving() -> None:
    assert pictures.MAX_BYTES == picture.MAX_BYTES


def test_a_folder_that_is_no_class_is_named_with_the_nearest(tmp_path: Path) -> None:
    put(tmp_path, "bicycle/a.jpg", "Motorcycles/b.jpg")
    assert "folder 'Motorcycles' is no class of the project (bicycle, motorcycle). Did you mean 'motorcycle'?" in (
        refused(tmp_path, UsageError)
    )


@pytest.mark.parametrize("linked", ["file", "folder"])
def test_links_are_refused(tmp_path: Path, linked: str) -> None:
    outside = put(tmp_path / "outside", "secret.jpg")
    put(tmp_path / "in", "bicycle/a.jpg")
    target = outside / "secret.jpg" if linked == "file" else outside
    (tmp_path / "in" / "bicycle" / "b.jpg").symlink_to(target)
    assert "a link" in refused(tmp_path / "in")


def test_pictures_without_a_class_and_folders_without_pictures(tmp_path: Path) -> None:
    assert "lies in no class folder" in refused(put(tmp_path / "flat", "a.jpg"))
    tiff = put(tmp_path / "scanner", "bicycle/a.tif")
    assert "no pictures (JPEG, PNG, WebP or HEIC). TIFF is not read" in refused(tiff)
    assert "there is no such folder" in refused(tmp_path / "nowhere", UsageError)


def test_a_table_lists_pictures_beside_it(tmp_path: Path) -> None:
    put(tmp_path, "x/a.jpg", "b.jpg")
    found = pictures.find(
        table(tmp_path, "\ufeffid,path,label\r\n1,x/a.jpg,bicycle\r\n2,b.jpg,motorcycle\r\n"), CLASSES
    )
    assert [(one.name, one.class_name) for one in found] == [("x/a.jpg", "bicycle"), ("b.jpg", "motorcycle")]


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("file,label\na.jpg,bicycle\n", DataError, "no column 'path'"),
        ("", DataError, "no column 'path'"),
        ("path,label\n/etc/passwd.jpg,bicycle\n", DataError, "line 2: path '/etc/passwd.jpg' leads out"),
        ("path,label\n../a.jpg,bicycle\n", DataError, "leads out"),
        ("path,label\nx/../../a.jpg,bicycle\n", DataError, "leads out"),
        ("path,label\n,bicycle\n", DataError, "leads out"),
        ("path,label\na.jpg,bicycle\nlink/a.jpg,bicycle\n", DataError, "line 3: 'link/a.jpg' leads over a link"),
        ("path,label\ngone.jpg,bicycle\n", DataError, "no file 'gone.jpg'"),
        ("path,label\na.jpg,bicycel\n", UsageError, "label 'bicycel' is no class of the project"),
        ("path,label\na.jpg\n", UsageError, "label ''"),
        ('path,label\n"a.jpg,bicycle\n', DataError, "not a CSV"),
        ("path,label\na\0.jpg,bicycle\n", DataError, "leads out"),
    ],
)
def test_tables_that_lead_elsewhere(tmp_path: Path, text: str, kind: type[SconesError], words: str) -> None:
    put(tmp_path / "in", "a.jpg")
    (tmp_path / "in" / "link").symlink_to(put(tmp_path / "outside", "a.jpg"))
    assert words in refused(table(tmp_path / "in", text), kind)


def test_a_table_of_another_encoding(tmp_path: Path) -> None:
    put(tmp_path, "list.csv", content="path,label\nä.jpg,bicycle\n".encode("latin-1"))
    assert "not a CSV in UTF-8" in refused(tmp_path / "list.csv")


@pytest.fixture
def bucket(on_local_cloud: LocalCloud) -> Any:
    """An S3 client; the project of NAMES has a bucket."""
    client = boto3.client("s3", region_name="us-east-1")
    client.create_bucket(Bucket=NAMES.bucket)
    yield client
    client.close()


NAMES = Names(Settings(project="picture-upload"))


def keys(bucket: Any, prefix: str = "data/") -> dict[str, Any]:
    """The objects there and when each was written."""
    listed = bucket.list_objects_v2(Bucket=NAMES.bucket, Prefix=prefix).get("Contents", [])
    return {entry["Key"]: entry["LastModified"] for entry in listed}


def test_pictures_are_uploaded_once_by_content_and_only_a_whole_list_is_used(
    tmp_path: Path, bucket: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = put(tmp_path, "bicycle/a.jpg", "bicycle/b.jpg", "motorcycle/c.jpg")
    put(tmp_path, "bicycle/copy.jpg", content=b"bicycle/a.jpg")
    given = upload_pictures(NAMES, str(folder))
    told = capsys.readouterr().err
    assert "Uploading 3 of 3 pictures" in told and "1 of them are copies of others" in told
    assert f"{folder}: 2 bicycle, 1 motorcycle" in told
    place = given["InputArchiveUri"].removeprefix(f"s3://{NAMES.bucket}/")
    first = keys(bucket)
    assert len(first) == 4 and all(key.startswith(place) for key in first) and f"{place}pictures.json" in first
    assert upload_pictures(NAMES, str(folder)) == given and keys(bucket) == first
    assert "already" in capsys.readouterr().err

    bucket.delete_object(Bucket=NAMES.bucket, Key=f"{place}pictures.json")  # as if the upload had been cut off
    upload_pictures(NAMES, str(folder))
    assert "Uploading 0 of 3" in capsys.readouterr().err
    put(tmp_path, "motorcycle/new.jpg")
    more = upload_pictures(NAMES, str(folder))
    assert more["InputArchiveUri"] != given["InputArchiveUri"] and "Uploading 1 of 4" in capsys.readouterr().err
    assert len(keys(bucket)) == 4 + 5, "the others were copied within S3"

    prefix = f"s3://{NAMES.bucket}/photos"
    for file in sorted(folder.rglob("*.jpg")):
        bucket.upload_file(str(file), NAMES.bucket, f"photos/{file.relative_to(folder)}")
    assert upload_pictures(NAMES, prefix) == more, "the same pictures, wherever they come from"
    bucket.put_object(Bucket=NAMES.bucket, Key="photos/l.csv", Body=b"path,label\nbicycle/b.jpg,bicycle\n")
    listed = upload_pictures(NAMES, f"{prefix}/l.csv")
    body = bucket.get_object(Bucket=NAMES.bucket, Key=f"{listed['InputArchiveUri'].split('/', 3)[3]}pictures.json")
    assert [row["name"] for row in json.loads(body["Body"].read())["pictures"]] == ["bicycle/b.jpg"]


def test_one_picture_in_two_classes_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "bicycle/a.jpg", "motorcycle/b.jpg", content=b"same")
    with pytest.raises(
        DataError, match=r"'bicycle/a.jpg' \(bicycle\) and 'motorcycle/b.jpg' \(motorcycle\) are the sa"
    ):
        upload_pictures(NAMES, str(tmp_path))


def test_the_list_is_the_same_whatever_the_order() -> None:
    listed = [picture_list.Listed(f"{n}.jpg", "bicycle", f"{n:064x}") for n in range(3)]
    forwards = picture_list.encoded(picture_list.PictureList(tuple(listed)))
    assert forwards == picture_list.encoded(picture_list.PictureList(tuple(reversed(listed))))
