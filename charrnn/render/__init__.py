"""Reports as terminal text, as a page and as plots.

It may import `neurons` and everything below it; no other folder of the library knows colours.
"""
