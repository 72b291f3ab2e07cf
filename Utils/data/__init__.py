"""What is learnt from: annotations, datasets and features.
Any module may import from here except Utils.config, Models and DETAD."""
