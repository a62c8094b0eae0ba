"""Vectors that know how they will be coded: a short training through the codes, taught by the exact scores.

Codes of one or two bits move lists a little. Some of it can be won back by moving the vectors before they are
coded: each step codes the vectors of a batch of sources and of candidate targets (and the other way round in
turn) as they will be coded, compares the scores with those of the exact vectors,

    loss = Σ_i KL( softmax(s_i / τ_i) ‖ softmax(ŝ_i / τ_i) ),   τ_i: the spread of the exact scores of i's list,

and moves the vectors as if coding were the identity (straight-through estimator). Candidates are the exact
lists of the batch, the batch's own training arcs where they are given, and nodes drawn by chance. Only exact
scores and training arcs teach; nothing that is judged on is looked at. Small steps matter: at 0.02 root mean
squares a step, signs lose more than they win.

References:
    Bengio, Léonard and Courville, Estimating or Propagating Gradients Through Stochastic Neurons, 2013.
    Jacob et al., Quantization and Training of Neural Networks, CVPR 2018, section 3 (simulated quantization).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from thence.base.errors import ConfigError, FitError
from thence.base.progress import Progress, silent
from thence.base.rng import generator
from thence.compress.quantize.cost import Validate, measure
from thence.compress.quantize.kinds import KINDS
from thence.compress.quantize.make import bytes_ratio, quantize
from thence.compress.quantize.quantized import SIDES, QuantizedEmbeddings
from thence.encode.embeddings import Embeddings
from thence.graph.arcs import Arcs

AWARE = ("int4", "int2", "rabitq")
"""Kinds whose codes can be made anew at each step."""


@dataclass(frozen=True)
class AwareConfig:
    """How vectors are taught.

    Args:
        steps: batches.
        batch: nodes a batch, sources and targets in turn.
        listed: answers of each exact list.
        drawn: further candidates a batch.
        learning_rate: of Adam, in root mean squares of the vectors.

    Raises:
        ConfigError: one is below one, or the rate is not positive.
    """

    steps: int = 300
    batch: int = 128
    listed: int = 20
    drawn: int = 1024
    learning_rate: float = 0.004

    def __post_init__(self) -> None:
        if min(self.steps, self.batch, self.listed, self.drawn) < 1 or not self.learning_rate > 0:
            raise ConfigError(f"{self} cannot be taught", fix="All are at least 1, the rate above 0.")


def quantize_aware(
    embeddings: Embeddings,
    kind: str,
    config: AwareConfig | None = None,
    *,
    arcs: Arcs | None = None,
    validate: Validate | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> QuantizedEmbeddings:
    """Quantize as :func:`~thence.compress.quantize.quantize`, after a short training through the codes.

    The trained codes are returned where they are better than the untrained: in ``validate``'s figure where it
    is given, in recall@20 otherwise.

    Args:
        embeddings: what is to be kept, and the teacher.
        kind: ``"int4"``, ``"int2"`` or ``"rabitq"``.
        config: how it is taught.
        arcs: training arcs, whose targets are candidates of their sources too.
        validate: from a scorer to HitRate@10 on validation cases.
        seed: of batches and codes.
        progress: told after each step.

    Returns:
        Quantized embeddings; ``metrics["recall@20_untrained"]`` is that of the codes before.

    Raises:
        ConfigError: the kind cannot be taught.
        FitError: the loss is not finite.
    """
    if kind not in AWARE:
        raise ConfigError(f"{kind!r} cannot be trained through", fix=f"Choose one of {', '.join(AWARE)}.")
    plain = quantize(embeddings, kind, validate=validate, seed=seed)
    moved = _taught(embeddings, plain, config or AwareConfig(), arcs, seed, progress)
    codes = {side: KINDS[kind].fit(vectors, seed) for side, vectors in zip(SIDES, moved, strict=True)}
    trained = replace(plain, **codes)
    metrics = measure(trained, embeddings, validate=validate, seed=seed)
    metrics |= {"bytes_ratio": bytes_ratio(trained, embeddings)}
    key = "recall@20" if validate is None else "HitRate@10"
    best = trained.with_metrics(metrics) if metrics[key] > plain.metrics[key] else plain
    return best.with_metrics({**best.metrics, "recall@20_untrained": plain.metrics["recall@20"]})


def _taught(
    exact: Embeddings,
    plain: QuantizedEmbeddings,
    config: AwareConfig,
    arcs: Arcs | None,
    seed: int,
    progress: Progress,
) -> list[np.ndarray]:
    """Vectors of both sides in the space of the codes, moved."""
    import torch

    assert plain.space is not None
    starts = [plain.space.into(getattr(exact, side), side) for side in SIDES]
    moved = [torch.from_numpy(start.copy()).requires_grad_() for start in starts]
    size = float(np.sqrt(np.mean([np.square(start).mean() for start in starts])))
    optimizer = torch.optim.Adam(moved, lr=config.learning_rate * max(size, 1e-12))
    code = _coder(plain.kind, seed)
    num, chance = len(exact.ids), generator(seed, "aware")
    added = [np.zeros(num, np.float32) if each is None else each for each in (plain.own, plain.bias)]
    lists = [_lists(score, num, config.listed) for score in (exact.scores, exact.scores_into)]
    for step in range(config.steps):
        ask, answer = step % 2, 1 - step % 2  # what follows and what leads here, in turn
        asked = chance.choice(num, min(config.batch, num), replace=False)
        known = [] if arcs is None else [(arcs.into if ask else arcs.out)(node) for node in asked]
        drawn = chance.integers(0, num, config.drawn)
        answers = np.unique(np.concatenate([lists[ask][asked].ravel(), drawn, *known]))
        teacher = starts[ask][asked] @ starts[answer][answers].T + added[answer][answers]
        teacher[asked[:, None] == answers] = -np.inf  # nothing follows itself
        ours = code(moved[ask][asked]) @ code(moved[answer][answers]).T
        ours = ours + torch.from_numpy(added[answer][answers])
        loss = _loss(torch.from_numpy(teacher), ours, config.listed)
        if not torch.isfinite(loss):
            raise FitError(f"the loss is {loss.item()} at step {step + 1}", fix="Lower the learning rate.")
        optimizer.zero_grad()
        loss.backward()
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * size * (1 - step / config.steps)
        optimizer.step()
        progress("quantize aware", step + 1, config.steps)
    return [vectors.detach().numpy() for vectors in moved]


def _coder(kind: str, seed: int) -> Callable[[Any], Any]:
    """Vectors as their codes stand for, with the gradient of the identity."""

    def code(vectors: Any) -> Any:
        import torch

        coded = KINDS[kind].fit(vectors.detach().numpy(), seed).decode(slice(None))
        return vectors + (torch.from_numpy(coded) - vectors).detach()

    return code


def _loss(teacher: Any, ours: Any, listed: int) -> Any:
    """Mean over sources of KL(teacher ‖ ours), at a temperature of each source's own."""
    import torch

    finite = torch.isfinite(teacher)
    best = (
        torch.where(finite, teacher, teacher[finite].min())
        .topk(min(2 * listed, teacher.shape[1]), dim=1)
        .values
    )
    spread = best.std(dim=1, keepdim=True).clamp(min=1e-6)
    wanted = torch.log_softmax(teacher / spread, dim=1)
    found = torch.log_softmax(torch.where(finite, ours, -torch.inf) / spread, dim=1)
    weight = wanted.exp()
    return torch.where(finite, weight * (wanted - found), torch.zeros(())).sum(dim=1).mean()


def _lists(score: Callable[[Any], np.ndarray], num: int, listed: int, batch: int = 256) -> np.ndarray:
    """``[num, listed]`` int64: the best answers of each node."""
    found = np.empty((num, min(listed, num)), np.int64)
    for start in range(0, num, batch):
        block = score(np.arange(start, min(start + batch, num)))
        found[start : start + batch] = np.argpartition(block, num - found.shape[1], axis=1)[
            :, -found.shape[1] :
        ]
    return found
