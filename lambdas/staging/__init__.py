"""Trying a registered model out on an endpoint of its own, and taking that endpoint away."""
