import platform

import pytest

from core.network.precision import cpu_flags, resolve


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_a_precision_that_was_chosen_stays(precision: str) -> None:
    assert resolve(precision, {"avx512_bf16"}, [(6, 1)]) == precision


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (set(), "float32"),
        ({"avx2", "avx512f"}, "float32"),
        ({"avx512f", "avx512_bf16"}, "mixed_bfloat16"),
        ({"amx_bf16", "amx_tile"}, "mixed_bfloat16"),
    ],
)
def test_auto_on_a_cpu_takes_bfloat16_where_it_is_quick(flags: set[str], expected: str) -> None:
    assert resolve("auto", flags) == expected


@pytest.mark.parametrize(
    ("capability", "expected"),
    [
        ((6, 1), "float32"),
        ((7, 0), "mixed_float16"),
        ((7, 5), "mixed_float16"),
        ((8, 0), "mixed_bfloat16"),
        ((9, 0), "mixed_bfloat16"),
        ((12, 0), "mixed_bfloat16"),
    ],
)
def test_auto_on_a_gpu_goes_by_its_compute_capability(
    capability: tuple[int, int], expected: str
) -> None:
    assert resolve("auto", {"avx2"}, [capability]) == expected


def test_the_weakest_of_several_gpus_decides() -> None:
    assert resolve("auto", set(), [(9, 0), (7, 5)]) == "mixed_float16"


def test_a_gpu_goes_before_the_cpu() -> None:
    assert resolve("auto", {"avx512_bf16"}, [(6, 1)]) == "float32"


@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64") or platform.system() != "Linux",
    reason="Linux on x86",
)
def test_the_processor_of_this_machine_has_flags() -> None:
    assert "sse2" in cpu_flags()
