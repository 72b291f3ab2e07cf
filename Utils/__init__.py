"""What every script stands on: files, interval maths, figures, the frame of a script.

Each folder has a door of its own; import the modules themselves, `Utils.files` and the like."""
