"""Executions: moto's interpreter of the Amazon States Language, driven and corrected."""
