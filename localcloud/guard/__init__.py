"""A folder for PYTHONPATH: Python imports its sitecustomize.py at its start. Nothing else may lie here."""
