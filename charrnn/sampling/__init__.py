"""Generating text with a network or a mixture: options, filters, stop rules, limits on copying.

It may import `mixtures`, `nn`, `text` and `machine`; it knows nothing of training, checkpoints or
the screen.
"""
