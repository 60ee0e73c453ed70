"""A model as a web page that writes, reads and shows what its units do, in the visitor's browser.

It may import `render` and everything below it; the network itself is in its JavaScript files.
"""
