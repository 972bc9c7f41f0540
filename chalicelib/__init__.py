"""Sightline: labels images, makes them searchable, and delivers the results to other systems."""

__version__ = "0.2.0"
