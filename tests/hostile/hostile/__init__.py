"""Attacks a node with honest members on it, and judges what those notice."""
