"""The model's files: brought into a folder, and checked to be those that were approved."""

from .errors import ArtefactError
from .inventory import Inventory, take
from .prepare import MODEL_FILE, SIGNATURE_FILE, prepare
from .trust import Trust

__all__ = ["MODEL_FILE", "SIGNATURE_FILE", "ArtefactError", "Inventory", "Trust", "prepare", "take"]
