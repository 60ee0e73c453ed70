"""Several models that predict the next symbol together: members, and a gate that weights them.

It may import `nn`, `ngram`, `text` and `machine`; it knows nothing of training, files or the
screen.
"""
