"""From video files to features: decoding, extraction, demo videos.

Import the modules; the scripts and Engine.inference use them.
"""
