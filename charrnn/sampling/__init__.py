"""Generating text with a trained network: options, filters, stop rules, limits on copying.

It may import `nn`, `text` and `machine`; it knows nothing of training, checkpoints or the screen.
"""
