"""Using a trained network: on images, on videos, in benchmarks."""
