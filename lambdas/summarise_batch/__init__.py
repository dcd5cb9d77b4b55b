"""SummariseBatch: one summary of a whole batch run in S3."""
