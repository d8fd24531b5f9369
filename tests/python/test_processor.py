"""A processor that is too old is told so, and nothing crashes."""

import pytest

from rocksq import _processor

FLAGS = "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu sse2 {} avx\nbugs\t\t:\n"


@pytest.mark.parametrize(
    ("flags", "missing"),
    [
        ("sse4_2 pclmulqdq", []),
        ("pclmulqdq", ["SSE4.2"]),
        ("sse4_2", ["PCLMULQDQ"]),
        ("sse4_1", ["SSE4.2", "PCLMULQDQ"]),
    ],
)
def test_what_an_x86_processor_lacks_is_named(flags: str, missing: list[str]) -> None:
    assert _processor.missing(FLAGS.format(flags)) == missing


def test_other_processors_lack_nothing() -> None:
    assert _processor.missing("processor\t: 0\nFeatures\t: fp asimd crc32\n") == []
    assert _processor.missing("") == []


def test_this_machine_can_run_it() -> None:
    _processor.check()


def test_the_import_fails_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_processor, "missing", lambda _: ["SSE4.2"])
    with pytest.raises(ImportError, match=r"needs a processor with SSE4\.2.* lacks SSE4\.2\."):
        _processor.check()
