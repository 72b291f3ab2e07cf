"""The steps of Eval.py, which its `main` calls in order, and of vsgn.evaluate.

They read the results of Infer.py or another method, and write the files of an evaluation.
"""
