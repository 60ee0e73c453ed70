"""The features of a text that a cell may follow, each as a track with one value a character.

It may import `text` and the errors; it knows nothing of networks.
"""
