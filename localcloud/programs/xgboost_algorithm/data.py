"""CSV and libsvm: the label comes first in training, and is not there in a request."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from scipy.sparse import csr_matrix

from localcloud.errors import CustomerError

TYPES = {"csv": "csv", "text/csv": "csv", "libsvm": "libsvm", "text/libsvm": "libsvm", "text/x-libsvm": "libsvm"}
Rows = np.ndarray[Any, np.dtype[np.float32]]


def kind(content_type: str) -> str:
    """`csv` or `libsvm`.

    Raises:
        CustomerError: it is neither.
    """
    found = TYPES.get(content_type.split(";")[0].strip().lower())
    if found is None:
        raise CustomerError(
            f"Content type {content_type!r} is not supported here; supported are text/csv and text/libsvm."
        )
    return found


def read_channel(folder: Path, content_type: str, *, weights: bool = False) -> xgboost.DMatrix:
    """All files of a channel as one matrix; with `weights` the second column of CSV is the row's weight.

    Raises:
        CustomerError: there is no data, or a line is not of the content type.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith((".", "_")))
    lines = [line for file in files for line in file.read_text(encoding="utf-8").split("\n") if line.strip()]
    if not lines:
        raise CustomerError(f"No data in {folder.name} channel path {folder}.")
    if kind(content_type) == "libsvm":
        labels, features = libsvm(lines, labelled=True)
        return xgboost.DMatrix(features, label=labels)
    numbers = csv_rows(lines)
    first = 2 if weights else 1
    if numbers.shape[1] <= first:
        raise CustomerError(f"The {folder.name} channel has no feature: {numbers.shape[1]} columns of CSV.")
    return xgboost.DMatrix(numbers[:, first:], label=numbers[:, 0], weight=numbers[:, 1] if weights else None)


def csv_rows(lines: list[str]) -> Rows:
    """Numbers by row; an empty field is a missing value, and the delimiter is what the first line has.

    Raises:
        CustomerError: a field is no number (a header is none), or a row has another length than the first.
    """
    try:
        delimiter = csv.Sniffer().sniff(lines[0][:512]).delimiter
    except csv.Error:  # a single column
        delimiter = ","
    if delimiter.isalnum() or delimiter in ".-+":
        delimiter = ","
    try:
        rows = [[float(field) if field.strip() else np.nan for field in line.split(delimiter)] for line in lines]
    except ValueError as error:
        raise CustomerError(f"Please ensure data is in csv format, without a header: {error}.") from None
    if len({len(row) for row in rows}) != 1:
        raise CustomerError("Please ensure data is in csv format: its rows have different numbers of columns.")
    return np.array(rows, dtype=np.float32)


def libsvm(lines: list[str], *, labelled: bool, columns: int = 0) -> tuple[Rows, csr_matrix]:
    """Labels, and features as a sparse matrix of at least so many columns; an index is taken as it stands.

    Raises:
        CustomerError: a line is not of that form.
    """
    labels, values, indices, starts = [], [], [], [0]
    try:
        for line in lines:
            words = line.split("#")[0].split()
            if words and ":" not in words[0]:
                labels.append(float(words.pop(0).split(":")[0]))
            elif labelled:
                raise ValueError(f"no label in {line[:40]!r}")
            for word in words:
                index, _, value = word.partition(":")
                if index == "qid":
                    raise ValueError("qid is not done here")
                indices.append(int(index))
                values.append(float(value))
            starts.append(len(values))
    except ValueError as error:
        raise CustomerError(f"Please ensure data is in libsvm format: {error}.") from None
    width = max([columns, *(index + 1 for index in indices)])
    matrix = csr_matrix((np.array(values, np.float32), indices, starts), shape=(len(lines), width))
    return np.array(labels, np.float32), matrix
