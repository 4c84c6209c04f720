"""JSON Merge Patch (RFC 7396)."""

from typing import Any, cast


def merge_patch(stored: Any, patch: Any) -> Any:
    """Return `stored` changed by `patch` (section 2): objects are merged, null removes a key, all else replaces."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(cast("dict[str, Any]", stored)) if isinstance(stored, dict) else {}
    for key, value in cast("dict[str, Any]", patch).items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged
