"""From files, folders and standard input to ids: sources, vocabulary, corpus, streams and windows.

It may import `machine`.
"""
