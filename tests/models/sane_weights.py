# SPDX-License-Identifier: GPL-3.0-or-later
"""Random weights that make an untrained CNN's outputs neither vanish nor explode.

Only then does comparing two runs of a network (before and after Fovea wrote it) prove anything:
every weight tensor has to leave its mark on the output.
"""

import torch
from torch import nn

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
NORMS = BATCH_NORMS + (nn.LayerNorm, nn.GroupNorm, nn.InstanceNorm2d)
TRANSPOSED_CONVS = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d) + TRANSPOSED_CONVS
CALIBRATION_BATCH = 4


def draw_norms_and_scales(model):
    """Norm weights and layer scales from U(0.5, 1.5), norm biases from U(-0.5, 0.5), in place."""
    for module in model.modules():
        if isinstance(module, NORMS) and module.weight is not None:
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
        layer_scale = getattr(module, "layer_scale", None)
        if isinstance(layer_scale, nn.Parameter):
            nn.init.uniform_(layer_scale, 0.5, 1.5)


def weight_rows(module):
    """A view of the weights with one row per output channel."""
    transposed = isinstance(module, TRANSPOSED_CONVS)
    return (module.weight.transpose(0, 1) if transposed else module.weight).detach().flatten(1)


def strengthen_faint_weights(model):
    """Weights whose rows have a mean norm below 1 are scaled to He's sqrt(2).

    torchvision starts some layers so small that they, and every layer before them, hardly count.
    """
    for module in model.modules():
        if isinstance(module, WEIGHTED):
            mean_norm = weight_rows(module).norm(dim=1).mean()
            if mean_norm < 1:
                with torch.no_grad():
                    module.weight.mul_(2**0.5 / mean_norm)


def draw_faint_biases(model):
    """Biases near zero (torchvision's usual start) become up to 0.3 of the norm of their row.

    A tensor of zeros would be the same after any scaling, so no comparison could miss it.
    """
    for module in model.modules():
        if isinstance(module, WEIGHTED) and module.bias is not None:
            row_norms = weight_rows(module).norm(dim=1)
            if module.bias.detach().abs().max() < 0.1 * row_norms.mean():
                with torch.no_grad():
                    module.bias.uniform_(-0.3, 0.3).mul_(row_norms)


def random_images(side):
    """4 x 3 x side x side, uniform in [0, 1)."""
    return torch.rand(CALIBRATION_BATCH, 3, side, side)


def centre_convolutions(model, side):
    """Shifts each bias so that its channel's mean over one batch of random images is that bias.

    For models without norms: there the images' common mean would drown what tells them apart.
    """

    def centre(conv, _inputs, output):
        excess = output.mean(dim=(0, 2, 3)) - conv.bias
        conv.bias.sub_(excess)
        return output - excess[:, None, None]

    convs = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
    hooks = [conv.register_forward_hook(centre) for conv in convs if conv.bias is not None]
    with torch.no_grad():
        model.eval()(random_images(side))
    for hook in hooks:
        hook.remove()


def calibrate_batch_norms(model, side):
    """Running statistics := statistics of one batch of random images.

    Only the batch norms run in train mode, so dropout and stochastic depth stay off.
    """
    norms = [module for module in model.modules() if isinstance(module, BATCH_NORMS)]
    usual_momenta = [norm.momentum for norm in norms]
    model.eval()
    for norm in norms:
        norm.momentum = 1.0
        norm.train()
    with torch.no_grad():
        model(random_images(side))
    for norm, momentum in zip(norms, usual_momenta):
        norm.momentum = momentum


def prepare(model, side):
    """Draws and calibrates everything from torch's current random state; leaves eval mode."""
    draw_norms_and_scales(model)
    strengthen_faint_weights(model)
    draw_faint_biases(model)
    if any(isinstance(module, NORMS) for module in model.modules()):
        calibrate_batch_norms(model, side)
    else:
        centre_convolutions(model, side)
    return model.eval()
