"""The optimizer for weight matrices: momentum whose update is made orthogonal (Muon, Keller Jordan 2024)."""

import torch


def orthogonalize(g, steps=5):
    """The nearest semi-orthogonal matrix, roughly: Newton-Schulz with Keller Jordan's coefficients."""
    x = g.bfloat16()
    tall = x.size(0) > x.size(1)
    x = x.T if tall else x
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return (x.T if tall else x).float()


class Muon(torch.optim.Optimizer):
    """Momentum, orthogonalised: for weight matrices; convolutions are flattened to (out, in * k * k)."""

    def __init__(self, params, lr=0.02, momentum=0.95):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                buffer = self.state[p].setdefault("momentum", torch.zeros_like(p))
                buffer.lerp_(p.grad, 1 - group["momentum"])
                update = p.grad.lerp(buffer, group["momentum"]).flatten(1)
                scale = max(1, update.size(0) / update.size(1)) ** 0.5
                p.add_(orthogonalize(update).view_as(p), alpha=-group["lr"] * scale)
