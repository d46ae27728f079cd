"""Tests of gradgan.tuning."""
