"""The C library's allocator, told to keep what large bodies leave behind."""

import ctypes

KEPT_BYTES = 64 * 1024 * 1024
"""What may stay unused at the end of a heap."""

LARGEST_KEPT = 32 * 1024 * 1024
"""The most that glibc takes from a heap (`DEFAULT_MMAP_THRESHOLD_MAX`); the largest body is smaller."""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h


def keep_freed_memory() -> bool:
    """Have freed memory kept for the next body, up to `KEPT_BYTES` a heap; return whether that could be arranged.

    By default glibc hands it back to the kernel as bodies are freed, and has it zeroed and mapped again, page by page,
    for the next: of a body of 600 kB that is most of what receiving it costs. Other C libraries have no such setting.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES) and mallopt(_M_MMAP_THRESHOLD, LARGEST_KEPT))
