"""The hyperparameter table of AWS's image-classification algorithm: names, defaults, ranges and the words of errors."""

import pytest

from localcloud.errors import CustomerError
from localcloud.programs.image_classification.hyperparameters import (
    CONTAINER_DEFAULTS,
    RULES,
    ignored_settings,
    read_hyperparameters,
)

REQUIRED = {"num_classes": "2", "num_training_samples": "1000"}

# From the developer guide; early stopping and momentum as the container prints them in its logs.
DEFAULTS = {
    "num_layers": 152,
    "image_shape": (3, 224, 224),
    "resize": None,
    "epochs": 30,
    "mini_batch_size": 32,
    "learning_rate": 0.1,
    "lr_scheduler_factor": 0.1,
    "lr_scheduler_step": (),
    "optimizer": "sgd",
    "momentum": 0.9,
    "weight_decay": 0.0001,
    "beta_1": 0.9,
    "beta_2": 0.999,
    "eps": 1e-8,
    "gamma": 0.9,
    "augmentation_type": "none",
    "early_stopping": False,
    "early_stopping_min_epochs": 10,
    "early_stopping_patience": 10,
    "early_stopping_tolerance": 0.01,
    "checkpoint_frequency": None,
    "top_k": None,
    "use_pretrained_model": 0,
    "multi_label": 0,
    "use_weighted_loss": 0,
    "precision_dtype": "float32",
    "kv_store": None,
}

POSITIVE = (["1", "7"], ["0", "-1", "1.5", "", "many"])
FRACTION = (["0", "1", "0.5", "1e-6"], ["-0.1", "1.1", "nan", "inf", "half"])
FLAG = (["0"], ["2", "yes"])
RANGES = {
    "num_classes": POSITIVE,
    "num_training_samples": POSITIVE,
    "num_layers": (["18", "34", "50", "101", "152", "200", "20", "32", "44", "56", "110"], ["21", "0", "deep"]),
    "image_shape": (["3,28,28", "3, 32, 48"], ["28,28", "3,28", "3x28x28", "1,28,28", "3,0,28", ""]),
    "resize": (["224", "300"], ["0", "223", "big"]),
    "epochs": POSITIVE,
    "mini_batch_size": POSITIVE,
    "learning_rate": FRACTION,
    "lr_scheduler_factor": FRACTION,
    "lr_scheduler_step": (["10", "10,20"], ["10;20", "0", "10,", "ten"]),
    "optimizer": (["sgd", "adam", "rmsprop", "nag"], ["adamw", "SGD"]),
    "momentum": FRACTION,
    "weight_decay": FRACTION,
    "beta_1": FRACTION,
    "beta_2": FRACTION,
    "eps": FRACTION,
    "gamma": FRACTION,
    "augmentation_type": (["none", "crop", "crop_color", "crop_color_transform"], ["crop_colour", "flip"]),
    "early_stopping": (["True", "False", "true"], ["1", "yes"]),
    "early_stopping_min_epochs": POSITIVE,
    "early_stopping_patience": POSITIVE,
    "early_stopping_tolerance": FRACTION,
    "checkpoint_frequency": (["1", "30"], ["0", "31"]),
    "top_k": (["2", "5"], ["1", "0"]),
    "use_pretrained_model": FLAG,
    "multi_label": FLAG,
    "use_weighted_loss": (["0", "1"], ["2"]),
    "precision_dtype": (["float32", "float16"], ["float64"]),
    "kv_store": (["dist_sync", "dist_async"], ["device"]),
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_default_is_the_containers(name):
    assert getattr(read_hyperparameters(REQUIRED), name) == DEFAULTS[name]


def test_every_hyperparameter_is_in_the_tables():
    assert set(RULES) == set(DEFAULTS) | set(REQUIRED) == set(RANGES)


def test_printed_defaults_are_those_in_effect_but_for_the_momentum_placeholder():
    printed = {name: value for name, value in CONTAINER_DEFAULTS.items() if name != "momentum"}
    effective = read_hyperparameters(REQUIRED)
    assert {name: getattr(effective, name) for name in printed} == printed | {"image_shape": (3, 224, 224)}
    assert CONTAINER_DEFAULTS["momentum"] == 0


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in RANGES for value in RANGES[name][0]])
def test_value_in_range_is_taken(name, value):
    read_hyperparameters(REQUIRED | {name: value})


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in RANGES for value in RANGES[name][1]])
def test_value_out_of_range_is_refused_by_name(name, value):
    with pytest.raises(CustomerError, match=name):
        read_hyperparameters(REQUIRED | {name: value})


def test_message_for_a_wrong_value_is_the_containers():
    with pytest.raises(
        CustomerError,
        match=r"^The value 'adamw' is not valid for the 'optimizer' hyperparameter which expects one of the following: "
        r"sgd, adam, rmsprop, nag \(caused by ValidationError\)$",
    ):
        read_hyperparameters(REQUIRED | {"optimizer": "adamw"})


def test_message_for_an_unknown_name_is_the_containers_with_a_suggestion():
    with pytest.raises(
        CustomerError,
        match=r"^Additional hyperparameters are not allowed \('augmentation type' was unexpected\) "
        r"\(caused by ValidationError\) Did you mean 'augmentation_type'\?$",
    ):
        read_hyperparameters(REQUIRED | {"augmentation type": "crop"})


@pytest.mark.parametrize("name", REQUIRED)
def test_required_value_must_be_there(name):
    with pytest.raises(CustomerError, match=f"No value.s. were specified for '{name}'"):
        read_hyperparameters({other: "2" for other in REQUIRED if other != name})


def test_schedule_without_factor_is_ignored_with_the_containers_warning():
    given = REQUIRED | {"lr_scheduler_step": "10,20"}
    assert read_hyperparameters(given).lr_scheduler_step == ()
    assert ignored_settings(given) == ["lr_scheduler_step defined without lr_scheduler_factor, will be ignored..."]


def test_schedule_with_factor_is_used():
    given = REQUIRED | {"lr_scheduler_step": "10,20", "lr_scheduler_factor": "0.1"}
    assert read_hyperparameters(given).lr_scheduler_step == (10, 20)
    assert ignored_settings(given) == []


def test_objective_that_a_tuning_job_adds_is_taken():
    read_hyperparameters(REQUIRED | {"_tuning_objective_metric": "validation:accuracy"})


@pytest.mark.parametrize("name", ["use_pretrained_model", "multi_label"])
def test_what_the_stand_in_lacks_is_refused_as_such(name):
    with pytest.raises(CustomerError, match=f"{name} is 1, and the local stand-in"):
        read_hyperparameters(REQUIRED | {name: "1"})
