"""What SageMaker's contract says, for whoever checks a definition and for the server that runs it.

requests.py     a request against botocore's model of the service: types, members, limits, enumerations, patterns
definition.py   a pipeline definition as a graph of steps, and what stands for values that only the execution knows
durations.py    ISO 8601 durations
s3_uri.py       `s3://bucket/key`
strict_json.py  JSON without NaN and infinities

Nothing else of localcloud is imported here.
"""
