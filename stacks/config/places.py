"""Accounts, regions and partitions."""

_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


def partition(region: str) -> str:
    """Return the partition that a region lies in: ``aws`` for all but China's and the US government's."""
    return next((name for beginning, name in _PARTITIONS.items() if region.startswith(beginning)), "aws")
