"""Feature extractors: from the frames of a video to feature vectors.

`registry` lists them by name. They import Models, Utils.files and, where used, an
optional library.
"""
