"""Experiments: a config (plain data), the one place where its names become objects, presets, and the run it leaves."""
