"""The model's files: brought into a folder, and checked to be those that were approved."""

from .errors import ArtefactError
from .inventory import Inventory, take
from .prepare import prepare
from .trust import Trust

__all__ = ["ArtefactError", "Inventory", "Trust", "prepare", "take"]
