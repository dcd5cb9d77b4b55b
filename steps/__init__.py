"""Code that runs inside the pipeline's jobs: one module per job, and what they share."""
