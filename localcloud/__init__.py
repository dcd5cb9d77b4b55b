"""AWS on one machine: MiniStack as it is, and a SageMaker of our own, each a server on 127.0.0.1."""
