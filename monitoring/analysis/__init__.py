"""The monitoring job: from captured records to a verdict. It travels into a container."""
