"""Script mode of SageMaker's framework containers on one machine: `python -m localcloud.programs.script_mode train`.

What a PyTorch or scikit-learn training container does when the job names no entry point of its own. A tuning job's
training jobs never do: the API has no place for one. As the containers' training toolkit does it:

- the script is named by the hyperparameter `sagemaker_program`, or by the variable SAGEMAKER_PROGRAM;
- it lies in what the hyperparameter `sagemaker_submit_directory` names, a tar.gz in S3 or in a channel or a folder,
  which is unpacked to `$SAGEMAKER_BASE_DIR/code`;
- all other hyperparameters become its arguments, `--name value` in order of their names;
- SM_* variables say where things are.

A requirements.txt beside the script is installed first.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from localcloud.contract import s3_uri
from localcloud.errors import ArtifactError, LocalCloudError, SettingError
from localcloud.programs.requirements import install_requirements
from localcloud.sagemaker.jobs.archives import unpack as unpack_archive

OWN_PREFIXES = ("sagemaker_", "_tuning_")
"""Of the hyperparameters that are for the container, not for the script."""


def main(arguments: list[str]) -> NoReturn:
    """Run the user's script in place of this process: signals and the exit code are its own."""
    if arguments != ["train"]:
        sys.stderr.write("usage: python -m localcloud.programs.script_mode train\n")
        sys.exit(SettingError.exit_code)
    base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
    try:
        given = hyperparameters(base)
        script = unpack(given, base / "code")
        install_requirements(base / "code")
    except LocalCloudError as error:
        sys.stderr.write(f"Error: {error}\n")
        sys.exit(error.exit_code)
    own = {name: value for name, value in given.items() if not name.startswith(OWN_PREFIXES)}
    os.chdir(base / "code")
    words = [sys.executable, script, *command_line(own)]
    os.execve(sys.executable, words, {**os.environ, **variables(base, own)})  # noqa: S606 - no shell is wanted


def hyperparameters(base: Path) -> dict[str, Any]:
    """The job's hyperparameters; those that are JSON, as the SDK writes them, are decoded."""
    texts = json.loads((base / "input" / "config" / "hyperparameters.json").read_text(encoding="utf-8"))
    return {name: _decoded(text) for name, text in texts.items()}


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def unpack(given: Mapping[str, Any], code: Path) -> str:
    """Put the script's folder at `code`; the script's name inside it.

    Raises:
        SettingError: no script is named, it is not Python, or nothing says where it lies.
        ArtifactError: its archive is not there or is none, or the script is not in it.
    """
    script = os.environ.get("SAGEMAKER_PROGRAM") or given.get("sagemaker_program")
    source = given.get("sagemaker_submit_directory")
    if not script or not source:
        raise SettingError(
            "Script mode: no script is named.",
            "Give the hyperparameters sagemaker_program and sagemaker_submit_directory, or a ContainerEntrypoint.",
        )
    if not str(script).endswith(".py"):
        raise SettingError(f"Script mode: {script} is not a Python file, which is all that runs here.")
    if str(source).startswith("s3://"):
        unpack_object(str(source), code)
    elif Path(source).is_dir():
        shutil.copytree(source, code, dirs_exist_ok=True)
    elif Path(source).is_file():  # so it is in a job that has no network
        _unpack_file(Path(source), code)
    else:
        raise ArtifactError(f"Script mode: sagemaker_submit_directory {source} is neither in S3 nor a file or folder.")
    if not (code / script).is_file():
        raise ArtifactError(f"Script mode: there is no {script} in {source}.")
    return str(script)


def unpack_object(uri: str, code: Path) -> None:
    """Unpack a tar.gz in S3 into a folder.

    Raises:
        ArtifactError: it is not there, or is none.
    """
    import boto3  # half a second that a folder does not need
    from botocore.exceptions import ClientError

    bucket, key = s3_uri.split(uri)
    with tempfile.TemporaryFile() as archive:
        try:
            boto3.client("s3").download_fileobj(bucket, key, archive)
            archive.seek(0)
            unpack_archive(archive, code)
        except (ClientError, ValueError, OSError) as error:
            raise ArtifactError(f"Script mode: unpacking {uri}: {error}.") from None


def _unpack_file(archive: Path, code: Path) -> None:
    try:
        unpack_archive(archive, code)
    except ValueError as error:
        raise ArtifactError(f"Script mode: unpacking {archive}: {error}.") from None


def command_line(own: Mapping[str, Any]) -> list[str]:
    """The hyperparameters as the toolkit writes them: `-x 1 --name value`, by name."""
    return [word for name in sorted(own) for word in (f"{'-' if len(name) == 1 else '--'}{name}", _argument(own[name]))]


def _argument(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{key}={item}" for key, item in sorted(value.items()))
    return "" if value is None else str(value)


def _variable(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, sort_keys=True, separators=(",", ":"))


def variables(base: Path, own: Mapping[str, Any]) -> dict[str, str]:
    """The toolkit's variables that a script reads: folders, channels, hyperparameters, hosts."""
    config = base / "input" / "config"
    channels = sorted(json.loads((config / "inputdataconfig.json").read_text(encoding="utf-8")))
    resources = json.loads((config / "resourceconfig.json").read_text(encoding="utf-8"))
    return {
        "SM_MODEL_DIR": str(base / "model"),
        "SM_INPUT_DIR": str(base / "input"),
        "SM_INPUT_CONFIG_DIR": str(config),
        "SM_OUTPUT_DIR": str(base / "output"),
        "SM_OUTPUT_DATA_DIR": str(base / "output" / "data"),
        "SM_CHANNELS": json.dumps(channels),
        **{f"SM_CHANNEL_{name.upper()}": str(base / "input" / "data" / name) for name in channels},
        "SM_HPS": json.dumps(dict(own)),
        **{f"SM_HP_{name.upper()}": _variable(value) for name, value in own.items()},
        **_cluster_variables(resources),
        "SM_INPUT_DATA_CONFIG": (config / "inputdataconfig.json").read_text(encoding="utf-8"),
        "SM_NUM_CPUS": str(os.cpu_count() or 1),
        "SM_NUM_GPUS": "0",
        "SM_USER_ARGS": json.dumps(command_line(own)),
    }


def _cluster_variables(resources: Mapping[str, Any]) -> dict[str, str]:
    """What a script reads about the job's instances.

    The names are those of sagemaker-training-toolkit's `Environment.to_env_vars`; SM_HOST_COUNT, SM_MASTER_ADDR,
    SM_MASTER_PORT and SM_CURRENT_HOST_RANK are those of SDK v3's ModelTrainer. Groups and the interface are missing
    where the SDK's local mode wrote the file.
    """
    hosts, own = resources["hosts"], resources["current_host"]
    groups = {group["instance_group_name"]: group for group in resources.get("instance_groups", [])}
    current = resources.get("current_group_name", "homogeneousCluster")
    return {
        "SM_CURRENT_HOST": own,
        "SM_HOSTS": json.dumps(hosts),
        "SM_HOST_COUNT": str(len(hosts)),
        "SM_CURRENT_HOST_RANK": str(hosts.index(own)),
        "SM_MASTER_ADDR": hosts[0],
        "SM_MASTER_PORT": "7777",
        "SM_NETWORK_INTERFACE_NAME": resources.get("network_interface_name", "lo"),
        "SM_CURRENT_INSTANCE_TYPE": str(resources.get("current_instance_type", "local")),
        "SM_CURRENT_INSTANCE_GROUP": current,
        "SM_CURRENT_INSTANCE_GROUP_HOSTS": json.dumps(groups.get(current, {}).get("hosts", [])),
        "SM_INSTANCE_GROUPS": json.dumps(list(groups)),
        "SM_INSTANCE_GROUPS_DICT": json.dumps(groups),
        "SM_IS_HETERO": json.dumps(len(groups) > 1),
        "SM_RESOURCE_CONFIG": json.dumps(resources),
    }


if __name__ == "__main__":
    main(sys.argv[1:])
