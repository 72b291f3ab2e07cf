"""What turns the frames of a video into feature vectors; `registry` knows them all by name.
Imports of Models, Utils.files and, where it is used, an optional library."""
