"""N-gram models of a text: how often each symbol followed each context, and predictions from that.

It may import `text` and `machine`; it knows nothing of networks.
"""
