"""Executions: create or update the pipeline, start, follow, results."""
