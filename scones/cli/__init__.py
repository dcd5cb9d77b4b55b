"""The verbs of the `scones` command: thin click functions over the rooms."""
