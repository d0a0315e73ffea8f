"""The front door: what applications call instead of SageMaker."""
