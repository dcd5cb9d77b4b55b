"""The parameter that names a set of reviewed deliveries, and its default: the set without any.

S3 has no empty folders, and the input of a job must be one with something in it, so an upsert writes that set.
"""

from __future__ import annotations

from project.names import Names
from steps import reviewed_list

PARAMETER = "ReviewedPictures"


def content_of_none(names: Names) -> bytes:
    """The list of the set without pictures."""
    return reviewed_list.encoded(names.settings.classes, [])


def none(names: Names) -> str:
    """The address of that set."""
    return names.reviewed_uri(reviewed_list.digest(content_of_none(names)))
