"""Tests of gradgan.experiment."""
