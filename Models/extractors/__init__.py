"""Feature extractors: from the frames of a video to feature vectors; `registry` lists them by name.
Imports of Models, Utils.files and, where it is used, an optional library."""
