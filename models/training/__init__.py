"""Recipes that train, evaluate and export the detectors of this repository."""
