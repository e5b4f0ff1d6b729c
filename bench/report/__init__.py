"""Writes the results of the benchmark down: Markdown tables and SVG plots."""
