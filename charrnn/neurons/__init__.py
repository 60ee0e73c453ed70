"""Which cells follow which feature of a text, with statistics that hold, and a report of it.

It may import `analysis` and everything below it; it knows nothing of terminals and pages.
"""
