"""AWS on one machine: MiniStack behind our door, a SageMaker and a Step Functions, each a server on 127.0.0.1."""
