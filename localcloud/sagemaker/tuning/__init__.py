"""Hyperparameter tuning jobs: a search that starts training jobs, each with other values.

checks.py             what a request may ask for
ranges.py             the space that is searched
strategies.py         which values come next: random, grid, Bayesian
gaussian_process.py   the Bayesian strategy's model
children.py           the training jobs of a search, and what they say about it
search.py             a search's thread: begin, launch, verdict, stop, and what is left after a crash
"""
