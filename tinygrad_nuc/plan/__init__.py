"""Compiling a training step: what it computes is written down once, planned, and then replayed without allocating."""
