"""The problem that the checks of this package find: `project.problem`."""

from project.problem import Problem

__all__ = ["Problem"]
