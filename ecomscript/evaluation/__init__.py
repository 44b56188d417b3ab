"""Experiments and their stored results."""
