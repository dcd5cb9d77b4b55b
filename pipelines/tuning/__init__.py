"""Hyperparameter search: the Train step, again and again with other values."""
