"""The network, forward and backward: parameters, cells, the loop over time, input, softmax.

It may import `text` and `machine`; it knows nothing of training, files or sampling.
"""
