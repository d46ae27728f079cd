"""What to write instead of what cannot be differentiated twice."""

_NO_NORM = "Use nn.GroupNorm(1, channels) or no normalisation (arXiv:1704.00028, sec. 4)"
_BY_KIND = {
    "MultiheadAttention": "Call it with need_weights=True, which takes the plain path",
    "BatchNorm": _NO_NORM,
    "SyncBatchNorm": _NO_NORM,
    "OptimizedModule": "Take the module before torch.compile (its _orig_mod)",
}
_BY_OPERATION = {
    "ScaledDotProduct": "Put its forward under torch.nn.attention.sdpa_kernel(SDPBackend.MATH)",
    "Cdist": "Write the distance out: (a.unsqueeze(-2) - b.unsqueeze(-3)).square().sum(-1).sqrt()",
    "CheckpointFunction": "Call torch.utils.checkpoint.checkpoint with use_reentrant=False",
    "CudnnRnn": "Put its forward under torch.backends.cudnn.flags(enabled=False)",
    "CompiledFunction": "Take the module before torch.compile (its _orig_mod)",
}


def replacement_of(operation: str, kind: str) -> str:
    """A sentence without its stop: what to do about an operation, by autograd's name, in a module of this class."""
    known = [mend for name, mend in _BY_KIND.items() if kind.startswith(name)]
    known += [mend for name, mend in _BY_OPERATION.items() if operation.startswith(name)]
    return known[0] if known else "Write it out of operations that PyTorch can differentiate twice"
