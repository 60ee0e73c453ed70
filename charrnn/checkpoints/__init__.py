"""A model on disk, and the record of its training: atomic writes, checked reads, one writer.

It may import `nn`, `ngram`, `text` and `machine`.
"""
