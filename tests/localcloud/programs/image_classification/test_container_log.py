"""The log of a training job against the format of real logs: order, prefix, and every line's wording."""

import re

from program_support import make_job

PREFIX = r"\[\d\d/\d\d/\d{4} \d\d:\d\d:\d\d INFO \d+\] "

# The lines of a real job, in order. {name} stands for what differs from job to job.
START = r"""
Docker entrypoint called with argument\(s\): train
Running default environment configuration script
{p}Reading default configuration from /opt/amazon/lib/python3\.8/site-packages/image_classification/default-input\.json: \{{'use_pretrained_model': 0, 'num_layers': 152, 'epochs': 30, 'learning_rate': 0\.1, 'lr_scheduler_factor': 0\.1, 'optimizer': 'sgd', 'momentum': 0, 'weight_decay': 0\.0001, 'beta_1': 0\.9, 'beta_2': 0\.999, 'eps': 1e-08, 'gamma': 0\.9, 'mini_batch_size': 32, 'image_shape': '3,224,224', 'precision_dtype': 'float32'\}}
{p}Merging with provided configuration from /opt/ml/input/config/hyperparameters\.json: \{{'num_classes': '2', .*\}}
{p}Final configuration: \{{'use_pretrained_model': 0, 'num_layers': '20', .*'num_training_samples': '{n}'.*\}}
{p}Searching for \.lst files in /opt/ml/input/data/train_lst\.
{p}Creating record files for train\.lst
{p}Done creating record files\.\.\.
{p}Searching for \.lst files in /opt/ml/input/data/validation_lst\.
{p}Creating record files for validation\.lst
{p}Done creating record files\.\.\.
{p}use_pretrained_model: 0
{p}multi_label: 0
{p}Performing random weight initialization
{p}---- Parameters ----
{p}num_layers: 20
{p}data type: <class 'numpy\.float32'>
{p}epochs: {epochs}
"""  # noqa: E501 - a log line is as long as it is
SGD = r"""
{p}optimizer: sgd
{p}momentum: 0\.9
{p}weight_decay: 0\.0001
{p}learning_rate: 0\.05
"""
SIZES = r"""
{p}num_training_samples: {n}
{p}mini_batch_size: {batch}
{p}image_shape: 3,8,8
{p}num_classes: 2
{p}augmentation_type: {augmentation}
{p}kv_store: device
"""
BEST = r"""
{p}checkpoint_frequency not set, will store the best model
"""
READY = r"""
{p}--------------------
{p}Setting number of threads: 1
"""
EPOCH = r"""
{p}Epoch\[{epoch}\] Train-accuracy=[01]\.\d{{6}}
{p}Epoch\[{epoch}\] Time cost=\d+\.\d{{3}}
{p}Epoch\[{epoch}\] Validation-accuracy=[01]\.\d{{6}}
"""
STORED = r"""
{p}Storing the best model with validation accuracy: [01]\.\d{{6}}
{p}Saved checkpoint to "/opt/ml/model/image-classification-0001\.params"
"""


def check(output, *parts, **values):
    """Compare the log, without its first line, with the patterns, line by line."""
    patterns = [line.format(p=PREFIX, **values) for part in parts for line in part.strip("\n").splitlines()]
    given = output.splitlines()[1:]
    for line, pattern in zip(given, patterns, strict=False):
        assert re.fullmatch(pattern, line)
    assert len(given) == len(patterns)


def test_first_line_says_that_this_is_a_stand_in(tmp_path, capsys):
    assert make_job(tmp_path).run() == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert re.match(PREFIX + "Local stand-in for AWS's built-in image-classification algorithm", first)


def test_job_with_defaults(tmp_path, capsys):
    assert make_job(tmp_path).run() == 0
    check(
        capsys.readouterr().out,
        *(START, SGD, SIZES, BEST, READY, EPOCH, STORED),
        n=8,
        batch=4,
        epochs=1,
        epoch=0,
        augmentation="None",
    )


def test_job_with_every_optional_line(tmp_path, capsys):
    job = make_job(
        tmp_path,
        train=42,
        mini_batch_size="2",
        augmentation_type="crop_color",
        resize="9",
        optimizer="adam",
        lr_scheduler_step="5,7",
        lr_scheduler_factor="0.5",
        top_k="2",
        checkpoint_frequency="1",
        early_stopping="True",
    )
    assert job.run() == 0
    check(
        capsys.readouterr().out,
        START,
        r"{p}image resize size: 9",
        r"{p}optimizer: adam" "\n" r"{p}beta_1: 0\.9" "\n" r"{p}beta_2: 0\.999" "\n" r"{p}eps: 1e-08",
        r"{p}learning_rate: 0\.05" "\n" r"{p}lr_scheduler_step: 5,7",
        SIZES,
        r"{p}top_k: 2" "\n" r"{p}checkpoint_frequency: 1",
        r"{p}Using early stopping for training" "\n" r"{p}Early stopping minimum epochs: 10",
        r"{p}Early stopping patience: 10" "\n" r"{p}Early stopping tolerance: 0\.01",
        READY,
        # 21 batches: one line of speed, with the accuracy of the batches 0 to 20
        r"{p}Epoch\[0\] Batch \[20\]#011Speed: \d+\.\d{{3}} samples/sec#011accuracy=[01]\.\d{{6}}"
        r"#011top_k_accuracy_2=1\.000000",
        EPOCH.strip("\n").splitlines()[0],
        r"{p}Epoch\[0\] Train-top_k_accuracy_2=1\.000000",
        *EPOCH.strip("\n").splitlines()[1:],
        STORED.strip("\n").splitlines()[1],
        n=42,
        batch=2,
        epochs=1,
        epoch=0,
        augmentation="crop_color",
    )


def test_ignored_schedule_is_warned_of_as_the_container_does(tmp_path, capsys):
    assert make_job(tmp_path, lr_scheduler_step="10").run() == 0
    output = capsys.readouterr().out
    warning = PREFIX.replace("INFO", "WARNING")
    assert re.search(
        f"^{warning}lr_scheduler_step defined without lr_scheduler_factor, will be ignored\\.\\.\\.$",
        output,
        re.MULTILINE,
    )
    assert "lr_scheduler_step: " not in output


def test_metrics_are_found_by_the_usual_metric_definitions(tmp_path, capsys):
    assert make_job(tmp_path, epochs="2").run() == 0
    output = capsys.readouterr().out
    for name in ("Train", "Validation"):
        found = re.findall(rf"Epoch\[\d+\] {name}-accuracy=([0-9.]+)", output)
        assert len(found) == 2
        assert all(0 <= float(value) <= 1 for value in found)
