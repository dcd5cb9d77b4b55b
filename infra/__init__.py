"""The account's resources, described once in `template.yaml` for AWS and for the local cloud alike."""
