"""Writing text with a trained network: filters, stopping rules, limits on copying.

It may import `nn`, `text` and `machine`.
"""
