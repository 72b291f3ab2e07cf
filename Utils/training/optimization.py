"""How training changes the weights: optimizer, learning rate, clipping, averaging."""

import copy
import math

import torch

LAST_SHARE = 0.01      # share of the learning rate that is left at the end of a cosine
EMA_WARMUP = 10        # the average forgets the first steps faster: (1 + i) / (10 + i)


class Updates:
    """Updates the weights of a model.

    model: nn.Module on its device. config: the training options of Config. `averaged`
    is a second model with the moving average of the weights, which is the one to use;
    None without --ema.
    """

    def __init__(self, model, config):
        self.model, self.config = model, config
        self.optimizer = build_optimizer(model, config)
        self.averaged = None
        if config.ema is not None:
            self.averaged = copy.deepcopy(model).requires_grad_(False)
        # Listed once: walking through the modules takes longer than averaging their weights.
        self._parameters = list(model.parameters())
        self._averages = list(self.averaged.parameters()) if self.averaged else []

    def step(self, loss, epoch, batch, batches):
        """Follow the gradient of `loss`, that of batch `batch` of the `batches` of an epoch."""
        done = epoch * batches + batch
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.config, epoch, done,
                                        self.config.num_epoch * batches)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.config.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self._parameters, self.config.clip_norm)
        self.optimizer.step()
        if self.averaged is not None:
            self._average(done)

    @torch.no_grad()
    def _average(self, done):
        decay = min(self.config.ema, (1 + done) / (EMA_WARMUP + done))
        torch._foreach_lerp_(self._averages, self._parameters, 1 - decay)

    def state(self):
        """Its part of a checkpoint: the weights to use.

        If these are averages, the trained weights as well.
        """
        trained = {"optimizer": self.optimizer.state_dict()}
        if self.averaged is None:
            return {"state_dict": self.model.state_dict(), **trained}
        return {"state_dict": self.averaged.state_dict(),
                "trained_state_dict": self.model.state_dict(), **trained}


def build_optimizer(model, config):
    """Adam, or AdamW without decay on tensors of one dimension: biases, norms and scales."""
    if config.optimizer == "adam":
        return torch.optim.Adam(model.parameters(), config.train_lr,
                                weight_decay=config.weight_decay, fused=True)
    parameters = list(model.parameters())
    groups = [{"params": [p for p in parameters if p.dim() > 1]},
              {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, config.train_lr,
                             weight_decay=config.weight_decay, fused=True)


def learning_rate(config, epoch, done, total):
    """The learning rate of a step.

    done: steps before it; total: steps of the whole training.
    step: multiplied by step_gamma after every step_size epochs. cosine: half a cosine
    down to LAST_SHARE. Both rise linearly during warm-up.
    """
    if done < config.warmup_steps:
        return config.train_lr * (done + 1) / config.warmup_steps
    if config.schedule == "step":
        return config.train_lr * config.step_gamma ** (epoch // config.step_size)
    turn = (done - config.warmup_steps) / max(1, total - config.warmup_steps)
    wave = (1 + math.cos(math.pi * turn)) / 2
    return config.train_lr * (LAST_SHARE + (1 - LAST_SHARE) * wave)
