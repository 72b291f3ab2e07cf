"""What the scripts do with networks, data and scores: training, inference, evaluation.

Only the scripts and `vsgn` import from here; Engine may import everything else.
"""
