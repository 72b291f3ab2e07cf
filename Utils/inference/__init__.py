"""What inference needs beside the network: the checkpoint of a run, and its proposals.

Import the modules; all of them may use torch."""
