"""A training from plan to end: options resolved, the loop, validation, recovery from divergence.

It may import `checkpoints` and everything below it; it knows nothing of sampling.
"""
