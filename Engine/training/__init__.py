"""The training of a run: its epochs, and what is saved of them.

Import the modules; Train.py calls them in order."""
