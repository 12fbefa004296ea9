"""What a functional is, in words and with its unit, by the catalogue that docs/features.md is written from."""

import re

from ser.features.descriptor_catalogue import FUNCTIONALS, RECORDED_LEVEL, SAME, SAME_PER_SECOND, SEGMENTS, entry

NAME = re.compile(
    r"(?P<frames>(?:un)?voiced_)?(?P<descriptor>.+?)(?P<deltas>(?:_delta)*)_"
    rf"(?P<functional>{'|'.join(sorted(FUNCTIONALS, key=len, reverse=True))})"
)


def unit_and_meaning(functional: str) -> tuple[str, str]:
    """Return the unit of a functional and what it is.

    Parameters
    ----------
    functional : str
        Such as ``voiced_loudness_delta_p90``.

    Returns
    -------
    unit, meaning : str
        The unit of a share or another plain number is empty.

    Raises
    ------
    LookupError
        If the catalogue does not explain it.
    """
    for values in (SEGMENTS, RECORDED_LEVEL):
        if functional in values:
            unit, meaning = values[functional]
            return _shown(unit), meaning.replace("`", "")
    for parts in _readings(functional):
        try:
            descriptor = entry(parts["descriptor"])
        except LookupError:
            continue
        unit, statistic = FUNCTIONALS[parts["functional"]]
        order = parts["deltas"].count("_delta")
        own = " ".join([_shown(descriptor.unit), *["per frame"] * order]).strip()
        unit = {SAME: own, SAME_PER_SECOND: f"{own} per s".strip()}.get(unit, _shown(unit))
        frames = f", over {parts['frames'].removesuffix('_')} frames" if parts["frames"] else ""
        change = ", of the change from frame to frame" + " of it" * (order - 1) if order else ""
        return unit, f"{statistic}{frames}{change}; {parts['descriptor']}: {descriptor.definition}"
    raise LookupError(f"the catalogue does not explain the functional {functional}")


def _readings(functional: str) -> list[dict[str, str]]:
    """Return how a name can be read: some descriptors begin as the choice of frames does, or end as a functional."""
    whole = NAME.fullmatch(functional)
    if not whole:
        return []
    readings = [{name: part or "" for name, part in whole.groupdict().items()}]
    if readings[0]["frames"]:
        first = readings[0]
        readings.append(first | {"frames": "", "descriptor": first["frames"] + first["descriptor"]})
    return readings


def _shown(unit: str) -> str:
    return "" if unit == "1" else unit
