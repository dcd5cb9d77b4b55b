"""The SageMaker pipeline: its definition, and the verbs that check, show, compare, deploy and run it."""
