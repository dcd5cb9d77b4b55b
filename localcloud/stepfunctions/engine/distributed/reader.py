"""ItemReader: the items of a distributed Map, from S3.

AWS: developer guide, "ItemReader (Map)": a listing of objects, or one object as CSV, JSON, JSON Lines or the manifest
of an S3 inventory. What cannot be read is States.ItemReaderFailed.
"""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
from collections.abc import Iterable, Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.stepfunctions.engine.distributed.fields import READER_FAILED, evaluated, failure, number
from localcloud.stepfunctions.engine.overrides import clients

DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}


class UnreadableError(Exception):
    """The items cannot be read; the message is the cause."""


def items(env: Any, reader: dict[str, Any], jsonata: bool) -> list[Any]:
    """All items that an ItemReader describes, at most MaxItems.

    Raises:
        FailureEventException: States.ItemReaderFailed.
    """
    config = reader.get("ReaderConfig", {})
    most = number(env, config, "MaxItems", jsonata, READER_FAILED)
    place = evaluated(env, reader.get("Arguments" if jsonata else "Parameters", {}), jsonata)
    client = clients.of_machine(env, "s3")
    try:
        found = _listed(client, place, config) if _is_listing(reader) else _of_object(client, place, config)
        return list(itertools.islice(found, most or None))
    except UnreadableError as error:
        raise failure(env, READER_FAILED, str(error)) from None
    except ClientError as error:
        raise failure(env, READER_FAILED, sdk_cause(error)) from None
    except BotoCoreError as error:
        raise failure(env, READER_FAILED, str(error)) from None


def sdk_cause(error: ClientError) -> str:
    """A refusal of S3 in the words of AWS's SDK for Java."""
    told, metadata = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
    return (
        f"{told.get('Message', '')} (Service: Amazon S3; Status Code: {metadata.get('HTTPStatusCode')}; "
        f"Error Code: {told.get('Code')}; Request ID: {metadata.get('RequestId', '')}; Proxy: null)"
    )


def _is_listing(reader: dict[str, Any]) -> bool:
    return str(reader["Resource"]).lower().endswith(":listobjectsv2")


def _listed(client: Any, place: dict[str, Any], config: dict[str, Any]) -> Iterator[Any]:
    """The objects under a prefix, or with LOAD_AND_FLATTEN what is in them."""
    for page in client.get_paginator("list_objects_v2").paginate(**place):
        for entry in page.get("Contents", []):
            if config.get("Transformation") == "LOAD_AND_FLATTEN":
                yield from _of_object(client, {"Bucket": place["Bucket"], "Key": entry["Key"]}, config)
                continue
            yield {
                "Etag": entry["ETag"],
                "Key": entry["Key"],
                "LastModified": int(entry["LastModified"].timestamp()),
                "Size": entry["Size"],
                "StorageClass": entry.get("StorageClass", "STANDARD"),
            }


def _of_object(client: Any, place: dict[str, Any], config: dict[str, Any]) -> Iterable[Any]:
    data = _bytes(client, place)
    kind = config.get("InputType", "JSON")
    if kind == "MANIFEST":
        return _inventory(client, place, data)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableError(f"The object {place['Key']} is not UTF-8 text.") from None
    if kind == "CSV":
        return _csv(text, config)
    if kind == "JSONL":
        return [_json(line) for line in text.split("\n") if line.strip()]
    return _array(_json(text), config.get("ItemsPointer", ""))


def _bytes(client: Any, place: dict[str, Any]) -> bytes:
    data: bytes = client.get_object(**place)["Body"].read()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"The item source is not JSON: {error}") from None


def _array(document: Any, pointer: str) -> list[Any]:
    """The array in a document to which a JSON pointer leads."""
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict) and key in document:
            document = document[key]
        elif isinstance(document, list) and key.isdigit() and int(key) < len(document):
            document = document[int(key)]
        else:
            raise UnreadableError(f"The ItemsPointer {pointer} leads nowhere.")
    if not isinstance(document, list):
        raise UnreadableError("Attempting to map over non-iterable node.")
    return document


def _csv(text: str, config: dict[str, Any]) -> Iterator[dict[str, str]]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=DELIMITERS[config.get("CSVDelimiter", "COMMA")])
    headers = config.get("CSVHeaders") if config.get("CSVHeaderLocation") == "GIVEN" else next(rows, None)
    return _rows(rows, headers or [])


def _rows(rows: Iterator[list[str]], headers: list[str]) -> Iterator[dict[str, str]]:
    if len(set(headers)) < len(headers):
        raise UnreadableError("CSV headers cannot contain duplicates.")
    for row in rows:
        if row:
            yield dict(itertools.zip_longest(headers, row[: len(headers)], fillvalue=""))


def _inventory(client: Any, place: dict[str, Any], data: bytes) -> Iterator[dict[str, str]]:
    """The rows of the CSV files that the manifest of an S3 inventory names."""
    manifest = _json(data.decode("utf-8-sig", "replace"))
    if not isinstance(manifest, dict) or manifest.get("fileFormat") != "CSV":
        raise UnreadableError(f"The object {place['Key']} is not the manifest of an S3 inventory in CSV.")
    headers = [name.strip() for name in manifest["fileSchema"].split(",")]
    bucket = str(manifest.get("destinationBucket", place["Bucket"])).rpartition(":")[2]
    for file in manifest["files"]:
        text = _bytes(client, {"Bucket": bucket, "Key": file["key"]}).decode("utf-8-sig")
        yield from _rows(csv.reader(io.StringIO(text, newline="")), headers)
