"""Prepare data: known files, conversion and import of other layouts, checks, export.

Import the modules. Prepare_data.py and Cut_long_videos.py use them; Eval.py and
Infer.py export.
"""
