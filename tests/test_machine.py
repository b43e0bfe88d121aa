from pathlib import Path

import pytest

from textgen.machine import bfloat16


@pytest.mark.parametrize(
    ("flags", "one_dnn", "expected"),
    [
        ("avx2 avx512f avx512_bf16", None, True),
        ("avx2 avx512f avx512_bf16", "1", True),
        ("avx2 avx512f avx512_bf16", "0", False),
        ("avx2 avx512f", None, False),
    ],
)
def test_bfloat16_is_used_where_processor_and_tensorflow_have_it(
    flags: str, one_dnn: str | None, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = tmp_path / "cpuinfo"
    described.write_text(f"model name : any\nflags\t: fpu {flags}\n\n", encoding="utf-8")
    monkeypatch.setattr("textgen.machine.CPU_INFO", described)
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    if one_dnn:
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", one_dnn)
    assert bfloat16() is expected


def test_a_machine_that_does_not_describe_itself_uses_float32(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textgen.machine.CPU_INFO", tmp_path / "none")
    assert not bfloat16()
