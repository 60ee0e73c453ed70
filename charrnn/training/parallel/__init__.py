"""One batch over several workers: the shards of a step, the workers that run them, and their sum.

It may import `optim`, `nn` and `machine`; it knows nothing of the loop that calls it.
"""
