"""The retraining pipeline's steps: what each job's container runs."""
