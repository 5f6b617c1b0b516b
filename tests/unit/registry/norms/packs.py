"""Small calendar packs for tests."""


def pack_text(
    changed: str = "",
    *,
    status: str = "OFFICIAL",
    year: int = 2026,
    version: int = 1,
    jurisdiction: str = "X",
    make_up_days: bool = True,
    lists: str = "",
) -> str:
    """A pack of `jurisdiction` with these lines under `[changed]`, and these lists of days above it."""
    return (
        f'jurisdiction = "{jurisdiction}"\nyear = {year}\nversion = {version}\nstatus = "{status}"\nsource = "s"\n'
        f'week_rest = ["SATURDAY", "SUNDAY"]\nmake_up_days = {str(make_up_days).lower()}\n{lists}\n'
        f"[changed]\n{changed}\n"
    )
