"""From a trained model to its evaluation, through batch transform: what is scored is the thing that will be served."""

from __future__ import annotations

from typing import Any

from sagemaker.core.transformer import Transformer
from sagemaker.core.workflow.parameters import ParameterInteger
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep, TransformStep
from sagemaker.serve.model_builder import ModelBuilder

from pipelines.definition import images
from pipelines.definition.context import PROCESSING, Context, job_retries, output_of, processing_step, service_retries

EVALUATION_REPORT = PropertyFile(name="EvaluationReport", output_name="evaluation", path="evaluation.json")


def model_builder(context: Context, train: TrainingStep) -> ModelBuilder:
    """The container and the artefact that serve what `train` made.

    `dependencies={}` keeps the builder from adding empty script settings to the container's environment, and
    `model_path` from making a folder in /tmp/sagemaker, which would belong to the first user of a machine alone.
    """
    settings = context.names.settings
    if settings.algorithm == "builtin":
        image, environment = images.image_classification(settings.region), {}
    else:
        image = images.pytorch(settings.region, "inference", settings.instances.endpoint)
        environment = {
            "SAGEMAKER_PROGRAM": "inference.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        }
    return ModelBuilder(
        image_uri=image,
        s3_model_data_url=train.properties.ModelArtifacts.S3ModelArtifacts,
        role_arn=context.names.pipeline_role,
        sagemaker_session=context.session,
        instance_type=settings.instances.endpoint,
        env_vars=environment,
        dependencies={},
        model_path=str(context.scratch),
    )


def create_model_step(context: Context, train: TrainingStep) -> ModelStep:
    """CreateModel: the SageMaker model that batch transform serves."""
    return ModelStep(
        name="CreateModel",
        step_args=model_builder(context, train).build(),
        display_name="Create-model",
        description="Puts the trained artefact and its serving container together.",
        retry_policies=service_retries(),
    )


class SharedTransformStep(TransformStep):  # type: ignore[misc]  # the SDK has no types
    """A transform on as many instances as a parameter says; SageMaker shares the objects out among them.

    The SDK's own step takes no pipeline variable there: `TransformResources` wants a whole number.
    """

    def __init__(self, instances: ParameterInteger, **given: Any) -> None:
        super().__init__(**given)
        self._instances = instances

    @property
    def arguments(self) -> Any:
        """The request of CreateTransformJob."""
        request = super().arguments
        request["TransformResources"]["InstanceCount"] = self._instances
        return request


def score_step(context: Context, model: ModelStep, manifests: ProcessingStep) -> TransformStep:
    """ScoreTestSet: one `<file>.out` per test picture: probabilities in class order, and how unfamiliar it is."""
    transformer = Transformer(
        model_name=model.properties.ModelName,
        instance_count=1,  # SharedTransformStep puts the parameter in its place
        instance_type=context.parameters.transform_instance_type,
        strategy="SingleRecord",
        accept="application/jsonlines",
        assemble_with="None",
        output_path=context.output_uri("ScoreTestSet", "predictions"),
        max_payload=1,
        max_concurrent_transforms=4,
        sagemaker_session=context.session,
    )
    arguments = transformer.transform(
        data=output_of(manifests, "test"), data_type="S3Prefix", content_type="application/x-image", split_type="None"
    )
    return SharedTransformStep(
        context.parameters.transform_instance_count,
        name="ScoreTestSet",
        step_args=arguments,
        display_name="Score-test-set",
        description="Sends every test picture through the model, as an endpoint would be asked.",
        cache_config=context.cache,
        retry_policies=job_retries(),
    )


def evaluate_step(context: Context, score: TransformStep, manifests: ProcessingStep) -> ProcessingStep:
    """Evaluate: accuracy with its interval, calibration and the rest, and the baseline for traffic."""
    inputs: dict[str, Any] = {
        "predictions": score.properties.TransformOutput.S3OutputPath,
        "test_lst": output_of(manifests, "test_lst"),
        "test": output_of(manifests, "test"),
        "train": output_of(manifests, "train"),
        "validation": output_of(manifests, "validation"),
    }
    options = [
        *("--predictions", f"{PROCESSING}/input/predictions"),
        *("--labels", f"{PROCESSING}/input/test_lst"),
        *("--images", f"{PROCESSING}/input/test"),
        *("--training-images", f"{PROCESSING}/input/train"),
        *("--training-images", f"{PROCESSING}/input/validation"),
        *("--classes", ",".join(context.names.settings.classes)),
        *("--confidence-threshold", str(context.names.settings.confidence_threshold)),
        *("--unfamiliarity-limit", str(context.names.settings.unfamiliarity_limit)),
    ]
    return processing_step(
        context,
        "Evaluate",
        "evaluate",
        inputs=inputs,
        options=options,
        outputs={"evaluation": "evaluation", "baseline": "baseline"},
        display_name="Evaluate-model",
        description="Compares the scores with the labels: accuracy, calibration; and writes the monitor's baseline.",
        property_files=[EVALUATION_REPORT],
    )
