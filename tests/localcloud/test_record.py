import json
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from localcloud import ports, record
from localcloud.environment import Addresses
from localcloud.errors import LocalCloudError
from localcloud.processes import Identity
from localcloud.record import CloudRecord

RECORD = CloudRecord(Addresses(4566, 4567, "us-east-1"), {"ministack": Identity(12, 1700000000.25)})


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record.write(tmp_path, RECORD)
    assert record.read(tmp_path) == RECORD
    assert [path.name for path in tmp_path.iterdir()] == ["local.json"]


def test_a_record_remembers_that_roles_are_enforced_and_an_older_one_means_that_they_are_not(tmp_path: Path) -> None:
    record.write(tmp_path, replace(RECORD, enforce_roles=True))
    assert record.read(tmp_path) == replace(RECORD, enforce_roles=True)
    older = json.loads((tmp_path / "local.json").read_text())
    del older["enforce_roles"]
    (tmp_path / "local.json").write_text(json.dumps(older))
    assert record.read(tmp_path) == RECORD


def test_no_record_is_no_error(tmp_path: Path) -> None:
    assert record.read(tmp_path) is None
    record.remove(tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"format": 2}', '{"format": 1, "parts": {"x": {}}}'])
def test_a_spoilt_record_is_named_with_the_way_out(tmp_path: Path, content: str) -> None:
    (tmp_path / "local.json").write_text(content)
    with pytest.raises(LocalCloudError, match=r"local\.json: not a record .* rm "):
        record.read(tmp_path)


def test_a_second_command_on_the_folder_gives_up_after_its_patience(tmp_path: Path) -> None:
    second = record.exclusive(tmp_path, 0.0)
    with record.exclusive(tmp_path, 1.0), pytest.raises(LocalCloudError, match="another command"):
        second.__enter__()
    with record.exclusive(tmp_path, 0.0):
        pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    turn = record.exclusive(tmp_path / "file" / "state", 0.0)
    with pytest.raises(LocalCloudError, match=r"file/state as state folder: Not a directory\. .*--state"):
        turn.__enter__()


def test_free_ports_are_different_and_free_and_not_those_of_outgoing_connections() -> None:
    found = ports.free(5)
    assert len(set(found)) == 5
    assert max(found) < 32_768
    for port in found:
        ports.require_free(port, "A server", "--port")


def test_a_port_in_use_is_named_with_its_program_and_the_option() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(LocalCloudError, match=rf"A server: port {port} is in use.*--other-port"):
            ports.require_free(port, "A server", "--other-port")
