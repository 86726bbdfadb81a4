# SPDX-License-Identifier: GPL-3.0-or-later
"""What PyTorch itself says about a model's layers: name, kind and output shape at several sides."""

import torch


def shape_of(output):
    """Shape as a list of ints (batch first), or None where a layer gives no tensor."""
    return list(output.shape) if isinstance(output, torch.Tensor) else None


def layers_at(model, side):
    """Runs one 1 x 3 x side x side image; leaf modules in execution order, repeated if reused."""
    rows = []

    def recorder(name, module):
        def record(_module, _inputs, output):
            rows.append(
                {"name": name, "kind": type(module).__name__, "out_shape": shape_of(output)}
            )

        return record

    leaves = [
        (name, module) for name, module in model.named_modules() if not any(module.children())
    ]
    hooks = [module.register_forward_hook(recorder(name, module)) for name, module in leaves]
    try:
        with torch.no_grad():
            output = model(torch.rand(1, 3, side, side))
        return {"output": shape_of(output), "layers": rows}
    except (RuntimeError, ValueError) as error:
        return {"error": str(error).splitlines()[0]}
    finally:
        for hook in hooks:
            hook.remove()


def truth_of(model, name, sides):
    """{"model", "sides": {"64": {"output", "layers"} or {"error"}}}; the model is in eval mode."""
    return {"model": name, "sides": {str(side): layers_at(model, side) for side in sorted(sides)}}
