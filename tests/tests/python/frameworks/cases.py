"""Runs the graphs in the folders of a folder in a framework: cases.py torch|jax DEVICE LIBRARY FOLDER.

The folders are as those of ../suite.py, which this uses, with the plugins as the framework has them.
"""

import dataclasses
import os
import sys
import traceback

framework, device, library, folder = sys.argv[1:5]
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import numpy as np  # noqa: E402
import suite  # noqa: E402

import plugin_runtime  # noqa: E402
from plugin_runtime.expressions import evaluate  # noqa: E402


class Operators:
    """A library's plugins as operators of PyTorch."""

    def __init__(self, plugins):
        import torch

        self.plugins, self.torch, self.operators = plugins, torch, plugins.torch()
        # Fresh memory holds NaN or the largest number.
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = True

    def __iter__(self):
        return iter(self.plugins)

    def __getitem__(self, key):
        plugin = next(plugin for plugin in self.plugins if (plugin.id, plugin.version) == key)
        operator = getattr(getattr(self.operators, plugin.namespace), plugin.name)
        kinds = {attribute.name: attribute.kind for attribute in plugin.attributes}
        as_given = {"bytes": list, "bool": bool, "bools": lambda values: [bool(value) for value in values]}

        def call(*inputs, **attributes):
            attributes = {name: as_given.get(kinds[name], lambda v: v)(value) for name, value in attributes.items()}
            returned = operator(*inputs, **attributes)
            returned = () if returned is None else returned if isinstance(returned, (tuple, list)) else (returned,)
            rest = iter(returned)
            found = tuple(next(rest) if alias is None else inputs[alias] for alias in plugin.aliases)
            return found if plugin.outputs > 1 else found[0]

        return call


class Functions:
    """A library's plugins as functions for JAX, with data-dependent outputs at their true length."""

    def __init__(self, plugins):
        import jax

        jax.config.update("jax_enable_x64", True)
        self.plugins, self.functions = plugins, plugins.jax()
        types = plugin_runtime.jax.TYPES
        self.names = {jax.numpy.dtype(name): dtype for dtype, name in types.items()}

    def __iter__(self):
        # Nothing is updated in place.
        return (dataclasses.replace(plugin, aliases=(None,) * plugin.outputs) for plugin in self.plugins)

    def __getitem__(self, key):
        plugin = next(plugin for plugin in self.plugins if (plugin.id, plugin.version) == key)
        function = getattr(getattr(self.functions, plugin.namespace), plugin.name)

        def call(*inputs, **attributes):
            before = [np.asarray(array).tobytes() for array in inputs]
            found = function(*inputs, **attributes)
            assert before == [np.asarray(array).tobytes() for array in inputs], "an input was changed"
            if plugin.outputs == 1:
                return found
            described = [(self.names[array.dtype], array.shape) for array in inputs]
            outputs = self.plugins.library.outputs(plugin, described, attributes)
            sizes = [int(found[size.output]) for size in outputs.sizes]
            values = evaluate(outputs.nodes, lambda i, axis: inputs[i].shape[axis], lambda k: sizes[k])
            return tuple(
                front(array, values[output.shape[0]]) if output.data_dependent else array
                for array, output in zip(found, outputs.outputs)
            )

        return call


def front(array, extent):
    assert not np.asarray(array[extent:]).any(), "it isn't 0 behind what was found"
    return array[:extent]


class Jax:
    """Arrays of JAX."""

    def __init__(self):
        import jax

        self.jax, self.device = jax, jax.devices("gpu" if device == "cuda" else device)[0]

    def given(self, array, code):
        return self.jax.device_put(array.view(self.jax.numpy.bfloat16) if code == suite.BF16 else array, self.device)

    def cast(self, array, code):
        return array.astype(self.jax.numpy.bfloat16 if code == suite.BF16 else suite.NUMPY[code])

    def copy(self, array):
        return array

    def to_numpy(self, array):
        assert isinstance(array, self.jax.Array), type(array)
        return np.asarray(array)


plugins = plugin_runtime.load(library)
if framework == "torch":
    plugins, module = Operators(plugins), suite.Torch(device)
else:
    plugins, module = Functions(plugins), Jax()
for name in sorted(os.listdir(folder)):
    try:
        suite.run_all(plugins, module, os.path.join(folder, name))
    except Exception:
        with open(os.path.join(folder, name, "error"), "w") as file:
            file.write(traceback.format_exc())
