"""Open files of a server: each visitor takes a dozen of them, and most systems let a process have 1,024 at first."""

import sys

ITSELF, EACH = 256, 16  # files of a server with nobody there, and of a visitor (34 and 12 were counted), with room


def files_for(places: int) -> int:
    """Open files of a server with so many visitors, at most; each socket of ZeroMQ is one of them.

    >>> files_for(100)
    1856
    """
    return ITSELF + EACH * places


def make_room(places: int) -> str:
    """Let this process have as many files open as so many visitors take, as far as the system allows it.

    Returns what to do where it does not, else an empty text. Systems without such a limit have nothing to ask.

    >>> make_room(30)
    ''
    """
    if sys.platform == "win32":
        return ""
    import resource

    needed = files_for(places)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return ""
    return (
        f"{places} visitors take up to {needed:,} open files, and this system allows {soft:,}: allow more with "
        f"`ulimit -n {needed}` (as root) or LimitNOFILE={needed} in the unit of systemd, or have at most "
        f"{max(1, (soft - ITSELF) // EACH)} places with --places"
    )
