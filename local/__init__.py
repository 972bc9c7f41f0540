"""Sightline on one machine, offline: moto in AWS's place, and a runtime that fires the app's triggers.

Never packaged, never imported by the app. ``python -m local`` starts everything.
"""
