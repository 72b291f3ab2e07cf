"""What training needs besides the network: optimizer, loss means, checkpoints, processes.

Import the modules; all of them may use torch."""
