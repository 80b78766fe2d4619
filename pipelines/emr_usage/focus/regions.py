"""Names of the regions, as the vendor's console shows them."""

from __future__ import annotations

from typing import Final

_NAMES: Final = {
    "cn-hangzhou": "China (Hangzhou)",
    "cn-shanghai": "China (Shanghai)",
    "cn-beijing": "China (Beijing)",
    "cn-shenzhen": "China (Shenzhen)",
    "cn-hongkong": "China (Hong Kong)",
    "ap-northeast-1": "Japan (Tokyo)",
    "ap-southeast-1": "Singapore",
    "ap-southeast-5": "Indonesia (Jakarta)",
    "eu-central-1": "Germany (Frankfurt)",
    "us-east-1": "US (Virginia)",
    "us-west-1": "US (Silicon Valley)",
    "na-south-1": "Mexico",
}


def region_name(region_id: str) -> str:
    """Return the name of a region; the identifier of one that is newer than this list."""
    return _NAMES.get(region_id, region_id)
