"""The ground floor: words, checks, catalogs, gradients, random streams. It imports nothing of gradgan above it."""
