"""Figures that are measured, not tested: `python -m benchmarks.likelihood --help` and so on."""
