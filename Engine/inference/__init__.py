"""A trained network at work: on windows, on videos, written to files, exported.

Import the modules; Infer.py, Export_model.py and vsgn.Detector call them."""
