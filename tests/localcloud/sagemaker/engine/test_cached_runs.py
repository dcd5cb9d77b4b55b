"""Which steps of an execution take the result of an earlier one."""

from __future__ import annotations

from typing import Any

from engine_support import CACHED, ROLE, World, definition, output_of, processing

from localcloud.sagemaker.engine import records


def cached(name: str, *arguments: Any, **members: Any) -> dict[str, Any]:
    return processing(name, *arguments, outputs=("x",), CacheConfig=CACHED, **members)


def test_a_second_run_takes_every_result_from_the_first(world: World) -> None:
    world.create(definition(cached("A"), cached("B", output_of("A", "x"))))
    first, before = world.run()
    _, after = world.run()
    assert world.created == ["A", "B"]
    for name in "AB":
        assert after[name]["CacheHitResult"] == {"SourcePipelineExecutionArn": first["PipelineExecutionArn"]}
        assert after[name]["Metadata"] == before[name]["Metadata"]
        assert "CacheHitResult" not in before[name]


def test_what_changes_an_input_makes_the_step_and_those_behind_it_miss(world: World) -> None:
    parameters = [{"Name": "Seed", "Type": "Integer", "DefaultValue": 7}]
    seed = {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.Seed"}]}}
    world.create(definition(cached("A", seed), cached("B", output_of("A", "x")), cached("C"), parameters=parameters))
    world.run()
    execution, _ = world.run(PipelineParameters=[{"Name": "Seed", "Value": "8"}])
    assert world.created == ["A", "C", "B", "A", "B"]
    identity = execution["PipelineExecutionArn"].rpartition("/")[2]
    step = world.cloud.store.find(records.STEP, f"{identity}/A")
    assert step is not None
    assert step.body["CacheMiss"] == "missed because AppSpecification.ContainerArguments[0] changed"
    _, steps = world.run()
    assert all("CacheHitResult" in step for step in steps.values())


def test_a_failed_run_is_never_a_hit(world: World) -> None:
    world.behave("A", {"Status": "Failed", "FailureReason": "AlgorithmError: bug"})
    world.create(definition(cached("A")))
    world.run()
    world.behave("A", "Completed")
    _, steps = world.run()
    assert world.created == ["A", "A"]
    assert "CacheHitResult" not in steps["A"]


def test_an_expired_result_and_one_whose_job_is_gone_are_no_hits(world: World) -> None:
    world.create(definition(processing("A", CacheConfig={"Enabled": True, "ExpireAfter": "PT0S"}), cached("B")))
    world.run()
    for job in world.cloud.store.page("ProcessingJob")[0]:
        if job.body["Step"] == "B":
            world.cloud.store.delete("ProcessingJob", job.name)
    world.run()
    assert world.created == ["A", "B", "A", "B"]


def test_a_step_without_cache_config_runs_every_time(world: World) -> None:
    world.create(definition(processing("A", CacheConfig={"Enabled": False, "ExpireAfter": "P30D"}), processing("B")))
    world.run()
    world.run()
    assert world.created == ["A", "B", "A", "B"]


def test_another_pipeline_shares_nothing(world: World) -> None:
    for name in ("p", "q"):
        world.create(definition(cached("A")), name=name)
        world.run(name=name)
    assert world.created == ["A", "A"]


def test_the_same_model_is_used_again_so_that_its_transform_hits(world: World) -> None:
    model = {
        "Name": "Model",
        "Type": "Model",
        "Arguments": {"ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": "i", "ModelDataUrl": "s3://b/m.tar.gz"}},
    }
    score = {
        "Name": "Score",
        "Type": "Transform",
        "CacheConfig": CACHED,
        "Arguments": {
            "ModelName": {"Get": "Steps.Model.ModelName"},
            "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/test"}}},
            "TransformOutput": {"S3OutputPath": "s3://b/out"},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        },
    }
    world.create(definition(model, score))
    _, before = world.run()
    _, after = world.run()
    assert after["Model"]["Metadata"] == before["Model"]["Metadata"]
    assert "CacheHitResult" in after["Score"]
    assert len(world.created) == 2
    name = before["Model"]["Metadata"]["Model"]["Arn"].rpartition("/")[2]
    world.cloud.store.delete("Model", name)
    _, third = world.run()
    assert third["Model"]["Metadata"] != before["Model"]["Metadata"]
    assert "CacheHitResult" not in third["Score"]
