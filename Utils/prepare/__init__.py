"""Files made ready before the first script: known files, other layouts, a look at the data.

Import the modules; Prepare_data.py and Cut_long_videos.py do, Eval.py and Infer.py what exports."""
