"""The demo of the closed loop: drift is found, a retrained model proves itself better, and takes over."""
