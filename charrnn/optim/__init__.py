"""Optimizers on the flat vector of weights, and schedules of the learning rate.

It may import `nn` and the folders that `nn` imports.
"""
