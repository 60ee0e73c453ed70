"""What a cell does, in words: what switches it, its rule, its memory, its effect, its connections.

These are descriptions, each with figures from text on which nothing was chosen. It may import what
`neurons` may, and the features, scores and claims; it knows nothing of reports.
"""
