"""How files get here, whole and checked."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.data.delivery.cache import cached, fingerprint
    from workbench.data.delivery.catalogue import SMALL, DataSet, FileCheck, catalogue, fetch, verify
    from workbench.data.delivery.fetch import RemoteFile, find
    from workbench.data.delivery.sources import EMBEDDED, Embedded, Source
    from workbench.data.delivery.storage import data_folder, embedded_file, locked, written_whole

__all__ = [
    "EMBEDDED",
    "SMALL",
    "DataSet",
    "Embedded",
    "FileCheck",
    "RemoteFile",
    "Source",
    "cached",
    "catalogue",
    "data_folder",
    "embedded_file",
    "fetch",
    "find",
    "fingerprint",
    "locked",
    "verify",
    "written_whole",
]

lazy(__name__)
