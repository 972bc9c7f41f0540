"""Sightline: images in, labels out, everyone who asked is told."""

__version__ = "0.2.0"
