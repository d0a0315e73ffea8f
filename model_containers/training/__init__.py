"""Makes the rain models: data, versions, ONNX export, model cards, and the traffic that is replayed."""
