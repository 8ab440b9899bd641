"""Suites: tasks x arms x seeds, run, kept and compared."""
