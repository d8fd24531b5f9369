"""What to do when files are damaged: look at a queue, repair it, see what was lost.

>>> import tempfile
>>> import rocksq
>>> from rocksq.blocking import PersistentQueueWithCapacity
>>> path = f"{tempfile.mkdtemp()}/queue"
>>> with PersistentQueueWithCapacity(path) as queue:
...     queue.push([b"one", b"two"])
>>> report = rocksq.verify(path)
>>> report.is_intact, report.items
(True, 2)
"""

from rocksq._native import maintenance as _native

Missing = _native.Missing
Recovery = _native.Recovery
Report = _native.Report
repair = _native.repair
verify = _native.verify

__all__ = ["Missing", "Recovery", "Report", "repair", "verify"]
