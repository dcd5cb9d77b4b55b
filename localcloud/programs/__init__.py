"""Programs that stand in for container images: each is started as the image would be, with `train` or `serve`.

The container's `/opt/ml` is the folder in the environment variable SAGEMAKER_BASE_DIR; what lies in it is SageMaker's
container contract (developer guide, "Use your own training algorithms" and "Use your own inference code").
"""
