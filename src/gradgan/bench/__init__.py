"""Measurements of gradgan itself: what penalties cost, how fast presets train, how right the approximate ones are.

What it measures is chosen in `options`, which loads no torch; `gradgan bench` prints it.
"""
