"""What a model makes of a given text: activations, scores, dynamic evaluation, gradient flow.

It may import the model and everything below it.
"""
