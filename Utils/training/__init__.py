"""What a training needs beside the network: optimizer, losses, checkpoints, processes.

Import the modules; all of them may use torch."""
