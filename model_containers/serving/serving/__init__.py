"""A SageMaker inference container over ONNX Runtime: start it with ``python -m serving serve``."""
