"""The model: a small transformer over a window of cycles. B windows, T cycles, F features, D width.

Source: "How Carrier predicts HVAC faults using AWS Glue and Amazon SageMaker" (AWS Machine Learning
Blog, 2023): a three-layer encoder whose output is averaged and goes through three linear layers with
ReLU and a LogSoftmax. Layer norms come first in each block, which trains without a warm-up of weeks;
there is none after the last one, and each feature comes with its magnitude, for how far a unit has strayed
is what it is all about, and a norm would take that away.

Between blocks all cycles of a batch are rows of one matrix: ONNX Runtime then does each linear layer,
bias and ReLU included, as one product.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from cycles.history.sequences import LIMIT, Standard

ARCHITECTURE = 2
"""Counts up where weights of before no longer fit."""

FEEDFORWARD = 4  # widths, as in "Attention Is All You Need"
HIDDEN = -1e9
"""A score that leaves nothing of a cycle; finite, so that no row of scores can become NaN."""


class Block(nn.Module):
    """One encoder layer: attention among the cycles, then each cycle by itself."""

    def __init__(self, width: int, heads: int, dropout: float, window: int) -> None:
        super().__init__()
        self.heads, self.dropout, self.window = heads, dropout, window
        self.before_attention = nn.LayerNorm(width)
        self.attention = nn.Linear(width, 3 * width)
        self.after_attention = nn.Linear(width, width)
        self.forward_part = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, FEEDFORWARD * width),
            nn.ReLU(),
            nn.Linear(FEEDFORWARD * width, width),
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x (B T, D), mask (B, 1, 1, T), 0 where a cycle is real, else hidden -> (B T, D)."""
        d = x.shape[-1]
        parts = self.attention(self.before_attention(x))
        parts = parts.view(-1, self.window, 3 * self.heads, d // self.heads).transpose(1, 2)
        query, key, value = parts.split(self.heads, 1)  # (B, heads, T, D / heads) each
        seen = attend(query, key, value, mask)
        # nothing is dropped inside: luck for every pair of cycles would cost a third of the time
        seen = self.after_attention(seen.transpose(1, 2).reshape(-1, d))
        x = x + functional.dropout(seen, self.dropout, self.training)
        return x + functional.dropout(self.forward_part(x), self.dropout, self.training)


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """Scaled dot-product attention, (B, heads, T, D / heads) each.

    Where it is exported, it is spelled out: the exporter's own spelling guards the scores against NaN in
    two more passes over them and splits the scaling in two.
    """
    if not torch.onnx.is_in_onnx_export():
        return functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    scores = (query * key.shape[-1] ** -0.5) @ key.transpose(2, 3) + mask  # (B, heads, T, T)
    return scores.softmax(-1) @ value


class FaultModel(nn.Module):
    """Log-probabilities of no fault and of a fault within the horizon, from standardised windows."""

    def __init__(
        self,
        features: int,
        window: int,
        *,
        width: int,
        heads: int,
        layers: int,
        dropout: float,
        input_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.window, self.input_dropout = window, input_dropout
        self.cycle = nn.Linear(2 * features, width)  # each feature and its magnitude
        self.position = nn.Parameter(torch.randn(window, width) * 0.02)  # from the oldest on
        self.blocks = nn.ModuleList(Block(width, heads, dropout, window) for _ in range(layers))
        self.classifier = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(width, width // 2), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(width // 2, 2),
        )  # fmt: skip

    def forward(self, windows: Tensor, valid: Tensor) -> Tensor:
        """windows (B, T, F), valid (B,) real cycles at the end -> (B, 2)."""
        age = torch.arange(self.window - 1, -1, -1, device=windows.device)  # newest is 0
        real = age[None, :] < valid[:, None]  # (B, T)
        if self.training and self.input_dropout:  # the same features all along a window
            drawn = torch.rand_like(windows[:, :1])
            windows = windows * (drawn >= self.input_dropout) / (1 - self.input_dropout)
        width = self.cycle.out_features
        told = torch.cat([windows, windows.abs()], -1)  # (B, T, 2 F)
        x = self.cycle(told.view(-1, self.cycle.in_features))  # (B T, D)
        x = (x.view(-1, self.window, width) + self.position).view(-1, width)
        mask = torch.where(real, 0.0, HIDDEN)[:, None, None, :].to(x.dtype)
        for block in self.blocks:
            x = block(x, mask)
        x = x.view(-1, self.window, width)
        weight = real.to(x.dtype)[:, :, None] / valid[:, None, None].to(x.dtype)  # (B, T, 1)
        mean = (x * weight).sum(1)  # (B, D)
        return functional.log_softmax(self.classifier(mean).float(), dim=-1)


class Served(nn.Module):
    """What is exported: raw features in. Standardises and narrows to float16 as the dataset did."""

    def __init__(self, model: FaultModel, standard: Standard) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("centre", torch.from_numpy(standard.centre))
        self.register_buffer("scale", torch.from_numpy(standard.scale))

    def forward(self, windows: Tensor, valid: Tensor) -> Tensor:
        """windows (B, T, F) float32 as they were measured, valid (B,) -> (B, 2)."""
        near = ((windows - self.centre) * self.scale).clamp(-LIMIT, LIMIT)
        return torch.as_tensor(self.model(near.half().float(), valid))
