"""The network, its anchors, matching and losses.

It predicts; decoding and scoring are elsewhere. Import the modules; the entry points
are `VSGN.VSGN` and `Loss.Criterion`.
"""
