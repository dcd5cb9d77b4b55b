"""Labelled deliveries become a data set in S3 that an execution names by one parameter, ReviewedPictures.

A set is called by its content and never changes. It holds each picture once, whoever sent it how often: with its label
by majority, every person's last word, and what the endpoint answered as which version. What an earlier set found in the
captured traffic is taken from there: captured files may be deleted, and labelled pictures are found only once.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from monitoring.analysis.capture import Tally
from monitoring.analysis.ground_truth import NEITHER, NEITHER_NAME
from monitoring.watch import deliveries, labels
from monitoring.watch.labels import Label
from pipelines.runs.live_history import deployments, version_at
from pipelines.runs.picture_upload import copy, in_parallel
from project import s3
from project.console import say
from project.errors import DataError
from project.names import Names
from steps import reviewed_list
from steps.picture_list import FOLDER
from steps.reviewed_list import FILE, Answer, Reviewed, Vote

NAMED = 5
"""Of each kind of thing that is left out, how many are named."""


@dataclass(frozen=True)
class Published:
    """A set in S3: its address (an s3:// prefix), its pictures, and what was left out, kind to names."""

    uri: str
    pictures: tuple[Reviewed, ...]
    left_out: Mapping[str, list[str]]

    def counts(self, classes: Sequence[str]) -> dict[str, int]:
        """How many pictures have which label."""
        found = Counter(NEITHER_NAME if one.label is None else one.label for one in self.pictures)
        return {name: found[name] for name in (*classes, NEITHER_NAME)}


@dataclass
class _Found:
    """Pictures by SHA-256: where they are (bytes, or an object to copy), and the answers to each."""

    contents: dict[str, bytes | str] = field(default_factory=dict)
    answers: dict[str, dict[str, Answer]] = field(default_factory=dict)
    left_out: dict[str, list[str]] = field(default_factory=dict)

    def leave_out(self, why: str, name: str) -> None:
        self.left_out.setdefault(why, []).append(name)


def newest(names: Names) -> str | None:
    """The address of the set that was published last; None before there was one.

    Raises:
        DataError: the object that says so is damaged.
    """
    if s3.head(names.newest_reviewed_uri) is None:
        return None
    try:
        return str(s3.read_json(names.newest_reviewed_uri)["uri"])
    except KeyError:
        raise DataError(f"{names.newest_reviewed_uri}: names no set.", "Delete it, and publish again.") from None


def publish(names: Names) -> Published:
    """Gather every labelled delivery, upload what is new, and make this set the newest.

    Raises:
        DataError: there are no labels, or none of them belongs to a captured picture.
        CloudError: S3 or SSM refused or cannot be reached.
    """
    classes, tally = names.settings.classes, Tally()
    given = labels.read_all(names.bucket, names.endpoint, classes, tally)
    if not given:
        fix = "Give some: scones dashboard --allow-changes, page Review, or scones monitor label KEY CLASS."
        raise DataError(f"No delivery of endpoint {names.endpoint} has a label yet.", fix)
    found = _found(names, {one.event for one in given}, tally)
    pictures = list(_reviewed(given, found, classes))
    for problem in tally.problems[:NAMED]:
        say(f"Passed over: {problem}")
    for why, left in found.left_out.items():
        more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
        say(f"Left out, {why}: {', '.join(left[:NAMED])}{more}")
    if not pictures:
        raise DataError(
            f"None of the {len(given)} labels belongs to a captured picture with one answer and one opinion.",
            "Were the captures deleted? Label newer deliveries.",
        )
    content = reviewed_list.encoded(classes, pictures)
    published = Published(names.reviewed_uri(reviewed_list.digest(content)), tuple(pictures), found.left_out)
    _tell(published, classes)
    _upload(names, published, content, found)
    return published


def _found(names: Names, events: set[str], tally: Tally) -> _Found:
    """The pictures of `events`, from the newest set where it knows them, else from the captured traffic."""
    found = _Found()
    classes = names.settings.classes
    before = newest(names)
    known = _earlier(before, classes) if before else []
    for one in known:
        for answer in one.answers:
            if answer.event in events:
                found.contents[one.sha256] = f"{before}{FOLDER}/{one.sha256}"
                found.answers.setdefault(one.sha256, {})[answer.event] = answer
    waiting = events - {event for answers in found.answers.values() for event in answers}
    deployed = deployments(names.live_parameter) if waiting else []
    for event, record in deliveries.find(names.uri("captures", names.endpoint), waiting, classes, tally):
        waiting.discard(event)
        if record.probabilities is None:
            found.leave_out("the captured answer is none of a model of these classes", event)
            continue
        try:
            picture = record.picture()
        except ValueError as error:
            found.leave_out(f"the captured request has no picture ({error})", event)
            continue
        sha256 = hashlib.sha256(picture).hexdigest()
        found.contents.setdefault(sha256, picture)
        version = version_at(deployed, record.time.timestamp())
        answer = Answer(_text(record.time), event, version, tuple(record.probabilities))
        found.answers.setdefault(sha256, {}).setdefault(event, answer)
    for event in sorted(waiting):
        found.leave_out("no captured request has this id", event)
    return found


def _earlier(uri: str, classes: Sequence[str]) -> list[Reviewed]:
    """The pictures of an earlier set; none of one of other classes, whose answers say nothing here."""
    try:
        return reviewed_list.parsed(s3.read(f"{uri}{FILE}"), uri, classes)
    except DataError as error:
        say(f"The set before cannot be used, so all captured traffic is searched. {error.problem}")
        return []


def _reviewed(given: Iterable[Label], found: _Found, classes: Sequence[str]) -> Iterable[Reviewed]:
    """Each picture that a majority gives one label; ties are left out, and told."""
    of_event = {event: sha256 for sha256, answers in found.answers.items() for event in answers}
    said: dict[str, dict[str, Label]] = {}
    for label in given:  # by time: a person's last word about a picture counts
        if label.event in of_event:
            said.setdefault(of_event[label.event], {})[label.by] = label
    for sha256, by_person in sorted(said.items()):
        counts = Counter(label.label for label in by_person.values()).most_common()
        events = sorted(found.answers[sha256])
        if len(counts) > 1 and counts[0][1] == counts[1][1]:
            found.leave_out("people disagree", f"{events[0]} ({_opinions(by_person, classes)})")
            continue
        number, voices = counts[0]
        votes = sorted(Vote(_text(one.at), by, _name(one.label, classes)) for by, one in by_person.items())
        answers = sorted(found.answers[sha256].values(), key=lambda answer: (answer.at, answer.event))
        agreement = round(voices / len(by_person), 4)
        yield Reviewed(sha256, _name(number, classes), agreement, tuple(votes), tuple(answers))


def _opinions(by_person: Mapping[str, Label], classes: Sequence[str]) -> str:
    return ", ".join(f"{by}: {_name(one.label, classes) or NEITHER_NAME}" for by, one in sorted(by_person.items()))


def _name(label: int, classes: Sequence[str]) -> str | None:
    return None if label == NEITHER else classes[label]


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _tell(published: Published, classes: Sequence[str]) -> None:
    counts = published.counts(classes)
    votes = [vote for one in published.pictures for vote in one.votes]
    people = len({vote.by for vote in votes})
    agreed = sum(one.agreement == 1 for one in published.pictures) / len(published.pictures)
    say(
        f"Reviewed deliveries: {', '.join(f'{n} {name}' for name, n in counts.items())}; {len(votes)} labels by "
        f"{people} {'person' if people == 1 else 'people'}, who agree about {agreed:.0%} of the pictures."
    )
    vehicles = [name for name in classes if counts[name]]
    if len(vehicles) < 2:
        only = f"Every labelled vehicle is a {vehicles[0]}" if vehicles else "No labelled picture shows a vehicle"
        say(f"{only}: the next model learns nothing from them about telling classes apart.")


def _upload(names: Names, published: Published, content: bytes, found: _Found) -> None:
    """The pictures first, then the list, then the word that it is the newest: a set that is there is whole."""
    uri, pictures = published.uri, published.pictures
    if s3.head(f"{uri}{FILE}") is None:
        say(f"Uploading {len(pictures)} pictures to {uri}")
        tasks = [(found.contents[one.sha256], f"{uri}{FOLDER}/{one.sha256}") for one in pictures]
        in_parallel(_put, tasks, "Uploading reviewed deliveries")
        s3.upload(content, f"{uri}{FILE}", ContentType="application/json")
    else:
        say(f"All of it is in {uri} already.")
    s3.upload(json.dumps({"uri": uri}).encode(), names.newest_reviewed_uri, ContentType="application/json")


def _put(source: bytes | str, target: str) -> None:
    if isinstance(source, str):
        copy(source, target)
    else:
        s3.upload(source, target)
