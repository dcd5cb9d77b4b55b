"""Watching a deployed model: captured traffic, features, baseline, analysis, ground truth, charts."""
