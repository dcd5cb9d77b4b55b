"""The pipeline's definition: steps, parameters, gates and job code, rendered to JSON and read from it."""
