"""Gradient clipping by the norm."""


def clip_scale(norm: float, limit: float) -> float:
    """What a gradient of this Euclidean norm is multiplied by, so that its norm is at most `limit`
    (Pascanu et al. 2013); 0 is no limit."""
    return limit / norm if 0 < limit < norm else 1.0
