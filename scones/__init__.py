"""Scones Unlimited: classify delivery vehicles with Amazon SageMaker, on AWS or on one machine."""

__version__ = "0.1.0"
