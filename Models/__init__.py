"""The network, its anchors, matching and losses; it predicts, others judge and decode.

Import the modules; `VSGN.VSGN` and `Loss.Criterion` are the way in."""
