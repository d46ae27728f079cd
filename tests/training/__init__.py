"""Tests of gradgan.training."""
