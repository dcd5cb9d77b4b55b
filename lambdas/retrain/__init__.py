"""Retrain: starts the pipeline again when traffic has drifted. Its rule is disabled unless the settings enable it."""
