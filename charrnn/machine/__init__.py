"""What this computer is, and how to multiply matrices fast on it: memory, BLAS kernels and threads.

It may import the errors and types, and nothing else of charrnn.
"""
