"""Which number format a machine calculates best in. Nothing here loads TensorFlow."""

from collections.abc import Collection, Sequence
from pathlib import Path

BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})


def resolve(
    precision: str, cpu_flags: Collection[str], gpu_capabilities: Sequence[tuple[int, int]] = ()
) -> str:
    """What `auto` stands for on a machine; any other precision stands for itself.

    gpu_capabilities: CUDA compute capability, (major, minor), of each GPU; empty without one.
    On GPUs bfloat16 takes 8.0, float16 7.0; the weakest of several decides.

    >>> resolve("auto", {"avx2"}), resolve("auto", {"avx2", "avx512_bf16"})
    ('float32', 'mixed_bfloat16')
    >>> resolve("auto", {"avx512_bf16"}, [(7, 5)]), resolve("float32", {"avx512_bf16"})
    ('mixed_float16', 'float32')
    """
    if precision != "auto":
        return precision
    if gpu_capabilities:
        major = min(gpu_capabilities)[0]
        return {7: "mixed_float16"}.get(major, "mixed_bfloat16" if major >= 8 else "float32")
    return "mixed_bfloat16" if BFLOAT16_FLAGS & set(cpu_flags) else "float32"


def cpu_flags() -> frozenset[str]:
    """The instruction sets that Linux says the processor has; empty elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return frozenset()
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return frozenset(flags.partition(":")[2].split())
