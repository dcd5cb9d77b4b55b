"""Start, watch and stop a local cloud: three detached servers on 127.0.0.1 and one state folder.

There is no supervisor. The parts outlive the command that started them; `local.json` in the state folder says which
processes they are, `status` compares that with what is alive, and `start` on the same folder starts what is missing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from localcloud import image_table, parts, ports, processes, record
from localcloud.environment import MARK, Addresses, variables
from localcloud.errors import LocalCloudError
from localcloud.isolation.offer import NOT_ISOLATED, VARIABLE, Isolation, offered, told
from localcloud.processes import Identity
from localcloud.record import CloudRecord

USUAL = Addresses(4566, 4567, "us-east-1", 4568)
"""Of a folder on which no local cloud was up yet; later it keeps what it had, so that open shells still find it."""
START_PATIENCE = 60.0
"""Seconds until a part must answer; it takes two, the rest is for a machine that is busy."""
STOP_PATIENCE = 20.0
"""Seconds a part has to end in good order, MiniStack to save its state among them."""
LEAVE_PATIENCE = 10.0
"""Seconds for what a part had started to end when it is asked to, once that part is gone."""
_ATTEMPTS = 3
"""A port that was free may be taken a moment later; chosen ones are chosen again this often."""


@dataclass(frozen=True)
class Running:
    """A local cloud that answers."""

    state: Path
    addresses: Addresses
    started: tuple[str, ...] = ()
    """The parts that this call started; empty when all were up already."""
    enforce_roles: bool = False
    """Functions, state machines, jobs, rules and schedules may do what their roles allow, and nothing else."""
    isolation: Isolation = NOT_ISOLATED
    """Whether jobs, models and functions get a private view of the machine."""
    lost: bool = False
    """MiniStack had ended without saving: resources made since its last clean end are gone, S3 objects are kept."""


@dataclass(frozen=True)
class PartStatus:
    """What is known of one part: `up`, `down`, `crashed`, or `not answering` although its process lives."""

    part: str
    status: str
    port: int | None = None
    pid: int | None = None
    memory_mb: float | None = None
    since: str | None = None
    enforce_roles: bool | None = None
    """Whether everything is held to its role; told of MiniStack, which judges, and None for the others."""
    isolation: Isolation | None = None
    """Whether what the part runs gets a private view of the machine; None for the part that runs nothing."""


@dataclass(frozen=True)
class Stopped:
    """What `stop` ended: parts, those of them that had to be killed, and how many of other processes had to be."""

    parts: tuple[str, ...]
    killed: tuple[str, ...]
    leftovers: int


def environment(running: Running) -> dict[str, str]:
    """The variables with which boto3, the aws command line and the SageMaker SDK reach this cloud."""
    return variables(running.addresses)


def start(
    state: Path,
    port: int | None = None,
    sagemaker_port: int | None = None,
    region: str | None = None,
    enforce_roles: bool | None = None,
    stepfunctions_port: int | None = None,
) -> Running:
    """Bring the local cloud on `state` up, or what is missing of it, and wait until it answers.

    Args:
        port: MiniStack's; None takes the one in use on this folder, or in use before, else 4566; 0 takes a free one.
        sagemaker_port: the same for the local SageMaker, 4567.
        stepfunctions_port: the same for the local Step Functions, 4568; None beside a free `port` is a free one too.
        region: that of requests that are not signed; None takes the one before on this folder, else us-east-1.
        enforce_roles: hold everything to its role; None leaves that as it is on this folder, else off.

    Raises:
        LocalCloudError: it is up in another way than asked for, a port is in use, another process holds the folder, or
            a part does not come up; whatever this call had started is ended again.
        SettingError: the user's image table is wrong, or LOCALCLOUD_ISOLATION; nothing was started.
    """
    parts.require_ministack()
    isolation = told()
    state = state.resolve()
    image_table.require_table(state)
    if port == 0 and stepfunctions_port is None:
        stepfunctions_port = 0
    with record.exclusive(state, START_PATIENCE):
        found = record.read(state)
        alive = {} if found is None else {n: i for n, i in found.parts.items() if processes.find(i)}
        if found is not None and alive:
            _refuse_other_ports(found.addresses, port, sagemaker_port, stepfunctions_port)
            _refuse_other_roles(found.enforce_roles, enforce_roles)
            _refuse_other_isolation(found.isolation, isolation)
            return _heal(state, found, alive)
        lost = found is not None and _lost(state, found)
        if found is None:
            _refuse_unknown_processes(state)
        _end_leftovers(state, [])
        if enforce_roles is None:
            enforce_roles = found is not None and found.enforce_roles
        return replace(_fresh(state, (port, sagemaker_port, stepfunctions_port), region, enforce_roles), lost=lost)


def _fresh(state: Path, asked: tuple[int | None, ...], region: str | None, enforce_roles: bool) -> Running:
    before = record.last_addresses(state) or USUAL
    usual = (before.ministack_port, before.sagemaker_port, before.stepfunctions_port)
    for attempt in range(_ATTEMPTS):
        spare = ports.free(len(usual))
        chosen = [free if want == 0 else want or known for free, want, known in zip(spare, asked, usual, strict=True)]
        addresses = Addresses(chosen[0], chosen[1], region or before.region, chosen[2])
        try:
            return _bring_up(state, CloudRecord(addresses, {}, enforce_roles, offered()), list(parts.ORDER))
        except LocalCloudError:
            taken = not all(map(ports.is_free, chosen))
            if not (0 in asked and taken) or attempt + 1 == _ATTEMPTS:
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def _heal(state: Path, found: CloudRecord, alive: dict[str, Identity]) -> Running:
    missing = [name for name in parts.ORDER if name not in alive]
    if missing:
        _end_leftovers(state, list(alive.values()))
    lost = parts.MINISTACK in missing and _lost(state, found)
    return replace(_bring_up(state, replace(found, parts=alive), missing), lost=lost)


def _lost(state: Path, found: CloudRecord) -> bool:
    before = found.parts.get(parts.MINISTACK)
    return before is not None and not parts.saved_since(state, before.started)


def _bring_up(state: Path, kept: CloudRecord, missing: list[str]) -> Running:
    """Start the `missing` parts beside the `kept` ones; all or nothing."""
    current = kept
    try:
        for name in missing:
            one = _part(name, state, kept)
            ports.require_free(one.port, one.title, one.option)
        for name in missing:
            identity = _launch(state, _part(name, state, kept))
            current = replace(kept, parts={**current.parts, name: identity})
            record.write(state, current)
        for name in parts.ORDER:
            _wait(state, _part(name, state, kept), current.parts[name])
    except BaseException:  # Ctrl-C as well: never leave half a cloud behind
        for name in reversed(missing):
            if name in current.parts:
                processes.end(current.parts[name], STOP_PATIENCE)
        record.write(state, kept) if kept.parts else record.remove(state)
        raise
    record.keep_addresses(state, kept.addresses)
    return Running(state, kept.addresses, tuple(missing), kept.enforce_roles, kept.isolation)


def _part(name: str, state: Path, as_recorded: CloudRecord) -> parts.CloudPart:
    return parts.part(name, state, as_recorded.addresses, as_recorded.enforce_roles, as_recorded.isolation)


def _launch(state: Path, one: parts.CloudPart) -> Identity:
    for folder in ("tmp", "ministack", "s3"):
        (state / folder).mkdir(exist_ok=True)
    log = _log(state, one.name)
    if one.name != parts.MINISTACK:  # our servers lock the folder themselves
        return processes.launch(one.command, one.environment, state, log)
    with (state / f"{one.name}.lock").open("w") as lock:
        if not record.lock(lock.fileno()):
            raise LocalCloudError(
                f"Starting {one.title} on {state}: another one uses that folder.",
                "End it with: localcloud down; or choose another folder with --state.",
            )
        return processes.launch(one.command, one.environment, state, log, inherited=[lock.fileno()])


def _wait(state: Path, one: parts.CloudPart, identity: Identity) -> None:
    deadline = time.monotonic() + START_PATIENCE
    while not parts.healthy(one.port, one.health):
        log = _log(state, one.name)
        if processes.find(identity) is None:
            raise LocalCloudError(
                f"Starting {one.title} on port {one.port}: it ended at once: {_last_line(log)}", f"See {log}."
            )
        if time.monotonic() > deadline:
            raise LocalCloudError(
                f"Starting {one.title} on port {one.port}: no answer within {START_PATIENCE:.0f} s.",
                f"See {log}.",
            )
        time.sleep(0.03)


def _log(state: Path, name: str) -> Path:
    return state / "logs" / f"{name}.log"


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing.")


def _refuse_other_ports(addresses: Addresses, *wanted: int | None) -> None:
    options = ("--port", "--sagemaker-port", "--stepfunctions-port")
    used_ports = (addresses.ministack_port, addresses.sagemaker_port, addresses.stepfunctions_port)
    pairs = zip(options, wanted, used_ports, strict=True)
    for option, asked, used in pairs:
        if asked and asked != used:
            raise LocalCloudError(
                f"Starting the local cloud with {option} {asked}: it is up on port {used} already.",
                "Stop it first: localcloud down.",
            )


def _refuse_other_roles(enforced: bool, asked: bool | None) -> None:
    if asked is not None and asked != enforced:
        raise LocalCloudError(
            f"Starting the local cloud with {'--enforce-roles' if asked else '--no-enforce-roles'}: "
            f"it is up {'with' if enforced else 'without'} enforced roles already.",
            "Stop it first: localcloud down.",
        )


def _refuse_other_isolation(given: Isolation, asked: Isolation | None) -> None:
    if asked is not None and given.private and not asked.private:
        raise LocalCloudError(
            f"Starting the local cloud with {VARIABLE}={asked.kind}: it is up with private views already.",
            "Stop it first: localcloud down.",
        )


def _refuse_unknown_processes(state: Path) -> None:
    """Without a record nothing should run on the folder: two clouds on one folder would spoil each other's files."""
    if strangers := processes.marked(MARK, str(state)):
        pids = ", ".join(str(process.pid) for process in strangers)
        raise LocalCloudError(
            f"Starting the local cloud on {state}: another one uses that folder (pid {pids}).",
            "End it with: localcloud down; or choose another folder with --state.",
        )


def _end_leftovers(state: Path, alive: list[Identity]) -> int:
    """End what parts that are gone have left behind; how many had to be killed.

    A job without a server, and always MiniStack's warm Lambda workers, which it leaves to end by themselves: that takes
    them seconds on a busy machine, and they do it at once when asked. Whatever is one of the `alive` parts or was
    started by them is left alone.
    """
    found = processes.marked(MARK, str(state))
    kept = processes.families(alive)
    leftovers = processes.terminate([process for process in found if process.pid not in kept], LEAVE_PATIENCE)
    if unkillable := processes.kill(leftovers, STOP_PATIENCE):
        pids = ", ".join(str(process.pid) for process in unkillable)
        raise LocalCloudError(
            f"Ending processes left behind by the local cloud on {state}: pid {pids} cannot be killed."
        )
    return len(leftovers)


def stop(state: Path) -> Stopped:
    """End every process of the local cloud on `state`; what it stored stays. Nothing running is fine as well.

    Raises:
        LocalCloudError: a process cannot be ended.
    """
    state = state.resolve()
    if not state.is_dir():
        return Stopped((), (), 0)
    with record.exclusive(state, START_PATIENCE):
        found = record.read(state)
        running = {} if found is None else {n: i for n, i in found.parts.items() if processes.find(i)}
        ordered = [name for name in reversed(parts.ORDER) if name in running]
        killed = tuple(name for name in ordered if not processes.end(running[name], STOP_PATIENCE))
        leftovers = _end_leftovers(state, [])
        record.remove(state)
        return Stopped(tuple(ordered), killed, leftovers)


def status(state: Path) -> list[PartStatus]:
    """The parts on `state`, in their order of starting."""
    state = state.resolve()
    found = record.read(state)
    if found is None:
        return [PartStatus(name, "down") for name in parts.ORDER]
    return [_part_status(_part(name, state, found), found.parts.get(name), found) for name in parts.ORDER]


def _part_status(one: parts.CloudPart, identity: Identity | None, as_recorded: CloudRecord) -> PartStatus:
    process = processes.find(identity) if identity else None
    roles = as_recorded.enforce_roles if one.name == parts.MINISTACK else None
    isolation = None if one.name == parts.STEPFUNCTIONS else as_recorded.isolation
    if identity is None or process is None:
        down = "crashed" if identity else "down"
        return PartStatus(one.name, down, one.port, enforce_roles=roles, isolation=isolation)
    answer = "up" if parts.healthy(one.port, one.health) else "not answering"
    since = datetime.fromtimestamp(identity.started, UTC).isoformat(timespec="seconds")
    memory = processes.memory_mb(process)
    return PartStatus(one.name, answer, one.port, identity.pid, memory, since, roles, isolation)


def running(state: Path) -> Running:
    """The local cloud on `state`, for a client that wants to use it.

    Raises:
        LocalCloudError: it is not up, or not all of it.
    """
    found = record.read(state.resolve())
    if found is None:
        raise LocalCloudError(f"The local cloud on {state} is not up.", "Start it: localcloud up.")
    for part in status(state):
        if part.status != "up":
            raise LocalCloudError(f"The local cloud on {state}: {part.part} is {part.status}.", "Run: localcloud up.")
    return Running(state.resolve(), found.addresses, enforce_roles=found.enforce_roles, isolation=found.isolation)
