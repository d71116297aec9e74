"""The rounding of `half`, for the scripts that compare it with PyTorch."""
import torch


class Half(torch.autograd.Function):
    """Half precision and back; what flows back is rounded too. A float64 is rounded to float32 on the way: no input here is a tie by that."""

    @staticmethod
    def forward(ctx, x):
        return x.half().to(x.dtype)

    @staticmethod
    def backward(ctx, g):
        return Half.apply(g)
