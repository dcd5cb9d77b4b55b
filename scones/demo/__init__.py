"""The demo: the whole workflow on this machine, stage by stage."""
