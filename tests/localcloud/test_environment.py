import subprocess

from localcloud.environment import MARK, Addresses, for_processes, in_the_way, shell_lines, variables

ADDRESSES = Addresses(4566, 4567, "eu-west-1")


def evaluated(lines: list[str], environment: dict[str, str]) -> dict[str, str]:
    """The environment of an sh that has evaluated `lines`."""
    shell = subprocess.run(
        ["/bin/sh", "-c", 'eval "$LINES_TO_EVAL"; unset LINES_TO_EVAL; env -0'],
        env={"PATH": "/usr/bin:/bin", "LINES_TO_EVAL": "\n".join(lines), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(pair.split("=", 1) for pair in shell.stdout.split("\0") if pair)


def test_a_shell_takes_every_variable() -> None:
    shell = evaluated(shell_lines(variables(ADDRESSES), {}), {})
    assert {name: shell.get(name) for name in variables(ADDRESSES)} == variables(ADDRESSES)
    assert shell["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert shell["AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"] == "http://127.0.0.1:4567"
    assert shell["AWS_REGION"] == "eu-west-1"


def test_what_would_lead_a_client_to_another_cloud_is_unset() -> None:
    before = {"AWS_PROFILE": "work", "AWS_SESSION_TOKEN": "real", "AWS_ENDPOINT_URL_S3": "https://s3.example"}
    shell = evaluated(shell_lines(variables(ADDRESSES), before), before)
    assert not before.keys() & shell.keys()


def test_our_own_service_endpoints_are_not_in_the_way() -> None:
    assert in_the_way(variables(ADDRESSES), variables(ADDRESSES)) == []


def test_behind_a_proxy_loopback_is_excepted_and_other_exceptions_are_kept() -> None:
    before = {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "intranet,.example"}
    shell = evaluated(shell_lines(variables(ADDRESSES), before), before)
    assert shell["NO_PROXY"] == shell["no_proxy"] == "127.0.0.1,intranet,.example"


def test_without_a_proxy_no_exception_is_made() -> None:
    assert not any("PROXY" in line.upper() for line in shell_lines(variables(ADDRESSES), {}))


def test_the_mark_of_leftovers_never_reaches_a_users_shell() -> None:
    assert not any(MARK in line for line in shell_lines(variables(ADDRESSES), {MARK: "x"}))


def test_the_clouds_processes_see_nothing_of_the_users_credentials_or_python() -> None:
    user = {
        "PATH": "/bin",
        "LC_ALL": "C.UTF-8",
        "AWS_SECRET_ACCESS_KEY": "real",
        "AWS_PROFILE": "work",
        "PYTHONPATH": "/somewhere",
        "HTTPS_PROXY": "http://proxy",
        "GITHUB_TOKEN": "real",
    }
    seen = for_processes(ADDRESSES, "/state", user)
    assert seen["PATH"] == "/bin"
    assert seen["LC_ALL"] == "C.UTF-8"
    assert seen["AWS_SECRET_ACCESS_KEY"] == "test"
    assert seen["AWS_ENDPOINT_URL_SAGEMAKER"] == "http://127.0.0.1:4567"
    assert not {"AWS_PROFILE", "PYTHONPATH", "HTTPS_PROXY", "GITHUB_TOKEN"} & seen.keys()
