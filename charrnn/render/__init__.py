"""What was found of a network, as a person sees it: on a terminal, on a page."""
