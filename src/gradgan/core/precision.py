"""Where bfloat16 pays."""

import torch


def fast_at_bfloat16(device: torch.device) -> bool:
    """Has it matrix units for bfloat16: AMX on a processor, tensor cores on a GPU (compute capability 8.0 or later)?"""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    # Without tiles bfloat16 convolutions are hardly faster than float32 ones, or slower (without AVX-512 for it).
    return device.type == "cpu" and bool(torch.cpu.get_capabilities().get("amx_bf16", False))
