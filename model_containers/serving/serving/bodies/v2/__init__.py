"""The Open Inference Protocol, version 2, over HTTP: JSON, and the binary tensor data extension.

The protocol: https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
The extension: https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
"""
