"""Jobs of several instances, with scripts as people write them for SageMaker."""

from __future__ import annotations

import io
import json
import tarfile
from importlib.util import find_spec
from typing import Any

import pytest
from cloud_fixtures import eventually, started_with
from job_support import (
    SLEEPS,
    Bucket,
    ServingModel,
    channel,
    ended,
    finish,
    log_of,
    processing,
    processing_input,
    several,
    start,
    training,
    transform,
)
from view_support import needs_views

from localcloud import ports
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.jobs import cluster, folder
from localcloud.sagemaker.jobs.child import JOB_VARIABLE

DISTRIBUTED = """
    import argparse, json, os, pathlib, socket
    import torch
    import torch.distributed as dist
    from torch.nn.parallel import DistributedDataParallel

    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    parser.add_argument("--hosts", type=json.loads, default=os.environ["SM_HOSTS"])
    parser.add_argument("--current-host", default=os.environ["SM_CURRENT_HOST"])
    parser.add_argument("--data", default=os.environ["SM_CHANNEL_TRAIN"])
    parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
    args = parser.parse_args()

    rank, world = args.hosts.index(args.current_host), len(args.hosts)
    master = f"tcp://{args.hosts[0]}:{args.port}"
    dist.init_process_group("gloo", init_method=master, rank=rank, world_size=world)
    torch.manual_seed(rank)
    values = [float(path.read_text()) for path in sorted(pathlib.Path(args.data).iterdir())]
    model = DistributedDataParallel(torch.nn.Linear(1, 1))
    model(torch.tensor([[value] for value in values])).sum().backward()
    gradient = float(next(model.parameters()).grad)
    pathlib.Path(args.model_dir, f"part-{rank}.json").write_text(json.dumps({
        "host": socket.gethostname(), "address": socket.gethostbyname(args.current_host), "values": values,
        "gradient": gradient, "weights": [float(one) for one in model.parameters()],
    }))
    if rank == 0:
        torch.save(model.module.state_dict(), pathlib.Path(args.model_dir) / "model.pth")
    pathlib.Path(args.model_dir, "same.txt").write_text(args.current_host)
    print(f"accuracy=0.{rank + 5}", flush=True)
    dist.destroy_process_group()
"""
SHARDED = """
    import json, pathlib
    config = json.loads(pathlib.Path("/opt/ml/config/resourceconfig.json").read_text())
    host, hosts = config["current_host"], config["hosts"]
    base = pathlib.Path("/opt/ml/processing")
    seen = {name: sorted(path.name for path in (base / name).iterdir()) for name in ("sharded", "all")}
    (base / "output" / f"{host}.json").write_text(json.dumps({"hosts": hosts, **seen}))
    pathlib.Path("/tmp/only-mine").touch(exist_ok=False)
    print(f"I am {host}")
"""
NAMES_ITSELF = """
    import os
    def answer(body, headers):
        return 200, f"{os.getpid()} {os.environ['SAGEMAKER_BATCH']} ".encode() + body
"""


MEETS = """
    import os, socket, sys
    port = int(sys.argv[1])
    try:
        urlopen = __import__("urllib.request").request.urlopen
        urlopen(os.environ["AWS_ENDPOINT_URL"], timeout=5)
    except OSError as error:
        print("outside:", error)
    me = socket.gethostname()
    if me == "algo-1":
        with socket.create_server((me, port)) as server:
            accepted, _ = server.accept()
            print("met by", accepted.recv(100).decode())
    else:
        while True:
            try:
                with socket.create_connection(("algo-1", port)) as connection:
                    connection.sendall(me.encode())
                break
            except ConnectionRefusedError:
                continue
"""


def script_mode(bucket: Bucket, code: str, **parameters: str) -> dict[str, Any]:
    request = training(bucket, code)
    for member in ("ContainerEntrypoint", "ContainerArguments"):
        request["AlgorithmSpecification"].pop(member)
    source = {"sagemaker_program": "job.py", "sagemaker_submit_directory": "/opt/ml/input/data/code"}
    request["HyperParameters"] = {**source, **parameters}
    return request


@needs_views
@pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")
def test_two_instances_train_one_model_with_torch_distributed(cloud: Cloud, bucket: Bucket) -> None:
    for number in range(4):
        bucket.put(f"train/{number}.txt", f"{10**number}")
    request = several(script_mode(bucket, DISTRIBUTED, port=str(ports.free(1)[0])), 2)
    train = channel("train", bucket.uri("train/"))
    train["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "ShardedByS3Key"
    request["InputDataConfig"].append(train)
    job = finish(cloud, request)
    name = job["TrainingJobName"]
    logs = [log_of(cloud, "TrainingJob", name, host) for host in ("algo-1", "algo-2")]
    assert job["TrainingJobStatus"] == "Completed", logs
    with tarfile.open(fileobj=io.BytesIO(bucket.get(f"models/{name}/output/model.tar.gz"))) as archive:
        content = {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
    assert sorted(content) == ["model.pth", "part-0.json", "part-1.json", "same.txt"]
    first, second = (json.loads(content[f"part-{rank}.json"]) for rank in (0, 1))
    assert (first["host"], second["host"]) == ("algo-1", "algo-2")
    assert first["address"].startswith("127.")
    assert first["address"] != second["address"]
    assert (first["values"], second["values"]) == ([1.0, 100.0], [10.0, 1000.0])
    assert first["gradient"] == second["gradient"] == (101 + 1010) / 2
    assert first["weights"] == second["weights"]
    assert content["same.txt"] == b"algo-1"
    assert "Several instances wrote /opt/ml/model/same.txt: the first one's is in model.tar.gz." in logs[0]
    assert job["FinalMetricDataList"][0]["Value"] == 0.5
    assert "accuracy=0.6" in logs[1]


@needs_views
def test_processing_on_three_instances_shards_by_key_and_uploads_from_all(cloud: Cloud, bucket: Bucket) -> None:
    for number in range(5):
        bucket.put(f"in/{number}", "x")
    request = several(processing(bucket, SHARDED), 3)
    sharded = processing_input("sharded", bucket.uri("in/"), "/opt/ml/processing/sharded")
    sharded["S3Input"]["S3DataDistributionType"] = "ShardedByS3Key"
    request["ProcessingInputs"] += [sharded, processing_input("all", bucket.uri("in/"), "/opt/ml/processing/all")]
    job = finish(cloud, request)
    assert job["ProcessingJobStatus"] == "Completed", job
    found = [json.loads(bucket.get(f"out/algo-{number}.json")) for number in (1, 2, 3)]
    assert [one["sharded"] for one in found] == [["0", "3"], ["1", "4"], ["2"]]
    assert all(one["all"] == ["0", "1", "2", "3", "4"] for one in found)
    assert all(one["hosts"] == ["algo-1", "algo-2", "algo-3"] for one in found)
    name = job["ProcessingJobName"]
    logs = cloud.aws("logs")
    streams = logs.describe_log_streams(logGroupName="/aws/sagemaker/ProcessingJobs", logStreamNamePrefix=f"{name}/")
    names = sorted(stream["logStreamName"] for stream in streams["logStreams"])
    assert [stream.rpartition("-")[0] for stream in names] == [f"{name}/algo-{number}" for number in (1, 2, 3)]
    second = logs.get_log_events(logGroupName="/aws/sagemaker/ProcessingJobs", logStreamName=names[1])
    assert [event["message"] for event in second["events"]] == ["I am algo-2"]
    root = folder.folder(cloud.folder, "ProcessingJob", name).root
    left = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    assert left == ["hosts/algo-2/log.txt", "hosts/algo-3/log.txt", "log.txt"]


@pytest.mark.parametrize(("objects", "servers"), [(3, 2), (1, 1)], ids=["shared", "fewer objects than instances"])
def test_a_transform_job_shares_its_objects_among_its_instances(
    cloud: Cloud, bucket: Bucket, serving_model: ServingModel, objects: int, servers: int
) -> None:
    for number in range(objects):
        bucket.put(f"in/{number}", f"object {number}")
    job = finish(cloud, several(transform(bucket, serving_model(NAMES_ITSELF)), 2))
    assert job["TransformJobStatus"] == "Completed", job
    answers = [bucket.get(f"scored/{number}.out").decode().split(" ", 2) for number in range(objects)]
    assert [answer[1:] for answer in answers] == [["true", f"object {number}"] for number in range(objects)]
    assert len({answer[0] for answer in answers}) in {servers, 1}  # inside of views, numbers of processes are alike
    second = folder.folder(cloud.folder, "TransformJob", job["TransformJobName"]).of_host("algo-2").log
    assert ("BatchStrategy=SINGLE_RECORD" in second.read_text()) == (servers == 2)


def test_no_two_jobs_have_the_same_addresses() -> None:
    names = ["algo-1", "algo-2"]
    with cluster.addresses(names) as first, cluster.addresses(names) as second:
        assert len({*first.values(), *second.values()}) == 4
        assert all(address.startswith("127.") for address in first.values())


@needs_views
def test_training_jobs_of_several_instances_take_turns(cloud: Cloud, bucket: Bucket) -> None:
    first = start(cloud, several(training(bucket, SLEEPS), 2))
    eventually(lambda: "ready" in log_of(cloud, "TrainingJob", first, "algo-2"))
    second = start(cloud, several(training(bucket, "pass"), 2))
    third = start(cloud, several(training(bucket, "pass"), 2))
    eventually(lambda: "waits for its end" in log_of(cloud, "TrainingJob", third))
    cloud.call("StopTrainingJob", {"TrainingJobName": third})
    assert ended(cloud, "TrainingJob", third)["TrainingJobStatus"] == "Stopped"
    cloud.call("StopTrainingJob", {"TrainingJobName": first})
    assert ended(cloud, "TrainingJob", first)["TrainingJobStatus"] == "Stopped"
    assert ended(cloud, "TrainingJob", second)["TrainingJobStatus"] == "Completed"


@needs_views
def test_isolated_instances_reach_each_other_and_nobody_else(cloud: Cloud, bucket: Bucket) -> None:
    job = finish(cloud, several(training(bucket, MEETS, "7777", EnableNetworkIsolation=True), 2))
    logs = [log_of(cloud, "TrainingJob", job["TrainingJobName"], host) for host in ("algo-1", "algo-2")]
    assert job["TrainingJobStatus"] == "Completed", logs
    assert "met by algo-2" in logs[0]
    assert all("outside: <urlopen error [Errno 111] Connection refused>" in log for log in logs)


@needs_views
def test_an_instance_that_fails_ends_the_others_and_is_named(cloud: Cloud, bucket: Bucket) -> None:
    code = """
        import os, pathlib, signal, socket, sys
        if socket.gethostname() == "algo-2":
            raise ValueError("no more pictures")
        signal.pause()
    """
    job = finish(cloud, several(processing(bucket, code), 3))
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: ValueError: no more pictures, exit code: 1 (on algo-2)"
    root = folder.folder(cloud.folder, "ProcessingJob", job["ProcessingJobName"]).root
    eventually(lambda: started_with(JOB_VARIABLE, str(root)) == [])


def test_a_serving_program_that_fails_on_one_instance_fails_the_transform_job(
    cloud: Cloud, bucket: Bucket, serving_model: ServingModel
) -> None:
    model = serving_model("""
        def answer(body, headers):
            if body == b"1":
                os._exit(3)
            return 200, body
    """)
    for number in range(2):
        bucket.put(f"in/{number}", str(number))
    job = finish(cloud, several(transform(bucket, model), 2))
    assert job["FailureReason"] == "AlgorithmError: The serving program ended, exit code: 3 (on algo-2)"
