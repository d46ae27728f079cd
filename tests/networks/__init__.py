"""Tests of the networks room; a package, so that names may repeat in other rooms."""
