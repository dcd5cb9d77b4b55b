"""What each setting of scones.toml is, for docs/reference.md; a test wants a word about every one."""

from __future__ import annotations

WORDS = {
    "project": (
        "Name of the project: of its pipeline, model package group, endpoint and stack, and the bucket's "
        "beginning. 3 to 25 lower-case letters, digits and single hyphens."
    ),
    "region": "AWS's region that everything is in.",
    "classes": (
        "What the model tells apart: any of CIFAR-100's fine labels, or classes of your own pictures. Their order is "
        "that of the probabilities."
    ),
    "routes": "The route that a delivery of each class takes; every class needs one.",
    "image_size": "Width and height, in pixels, of the pictures that the model learns from and is asked about.",
    "algorithm": "This project's own training script (`pytorch`), or AWS's image-classification (`builtin`).",
    "validation_fraction": (
        "Share of the training pictures that is held out to calibrate by, and for `builtin` to choose the best epoch."
    ),
    "seed": "Of every random choice: split, training, search, sample.",
    "epochs": "How long a training lasts: the default of the parameter Epochs. Without it 64, or 100 for `builtin`.",
    "recipe": "What `pytorch` trains; `thorough` has twice the networks and takes twice as long (docs/training.md).",
    "accuracy_threshold": (
        "Accuracy on the test set below which nothing is registered: the default of AccuracyThreshold."
    ),
    "max_drop_from_live": "Nor is a model registered whose accuracy is lower than the live one's by more than this.",
    "confidence_threshold": "How sure the model must be of a picture to route it, until `scones threshold` changes it.",
    "unfamiliarity_limit": (
        "A picture that is less like the training pictures than this share of them is not routed, until the SSM "
        "parameter `/<project>/inference/unfamiliarity` is changed."
    ),
    "cache_expires_after": "How long a step's result is taken from an earlier execution: an ISO 8601 duration.",
    "pytorch": "Hyperparameters of the training script that differ from its own: the table below.",
    "gates.metric": (
        "A number of evaluation.json: a name among its `metrics`, or a path such as `per_class.bicycle.recall`."
    ),
    "gates.at_least": "The least that it may be; this or `at_most`.",
    "gates.at_most": "The most that it may be; this or `at_least`.",
    "instances.processing": "Instance type of the steps that extract, write manifests and evaluate.",
    "instances.training": "Of the training.",
    "instances.transform": "Of the step that scores the test set.",
    "instances.transform_count": "How many instances score the test set.",
    "instances.endpoint": "Of the endpoint.",
    "builtin.num_layers": "Layers of the network; these numbers are those for pictures of at most 32 pixels.",
    "builtin.image_shape": "Channels, height and width that pictures are cropped to.",
    "builtin.mini_batch_size": "Pictures of a step of the training.",
    "builtin.optimizer": "How weights follow gradients.",
    "builtin.learning_rate": "Of the beginning.",
    "builtin.lr_scheduler_factor": "What the learning rate is multiplied with at each of LearningRateSteps.",
    "builtin.momentum": "Of `sgd` and `nag`.",
    "builtin.weight_decay": "How strongly weights are pulled to 0.",
    "builtin.augmentation_type": (
        "How pictures are varied: cropped, in other colours as well, turned and sheared as well."
    ),
    "serving.instance_count": "Instances that the endpoint begins with.",
    "serving.max_instances": "Up to how many it follows its traffic; 0: it does not.",
    "serving.target_invocations": "Calls of an instance in a minute that this aims at (docs/scale.md).",
    "serving.scale_in_seconds": "Pause after an instance was taken away, in seconds.",
    "serving.capture_percentage": (
        "Share of requests and answers that is kept for the monitor and the desk, in percent."
    ),
    "serving.staging": "Where a registered model is tried out before anybody decides on it; `off`: nowhere.",
    "serving.bake_seconds": "How long an update is watched before the old instances go, in seconds.",
    "serving.alert_email": "Who gets alerts by mail; SNS asks them first. Empty: nobody.",
    "batch.size": "Pictures of a batch of `scones batch`; a large run has fewer, larger ones.",
    "batch.concurrency": "Batches at a time; without it 4 for each instance that the endpoint has or may grow to.",
    "monitor.scheduler": (
        "Who starts the monitor each hour; `auto`: Model Monitor if the account has it, else EventBridge."
    ),
    "monitor.minimum_records": "With fewer requests in its hour a run says nothing about them.",
    "monitor.retrain_on_drift": "Whether drift starts the pipeline; the new model still waits for a decision.",
}
