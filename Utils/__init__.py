"""What every script builds on: files, interval arithmetic, figures, the frame of a script.

Each subfolder has its own rules; import the modules themselves, such as `Utils.files`.
"""
