"""The inner loops of `kernels.plain` compiled by numba for the CPU: same arguments, same numbers up to rounding.

Needs the extra `fast` (`pip install local-learning-workbench[fast]`), no compiler. Rules take them by themselves where
they gain something, see `kernels.choice`; `STLLR(kernels=NUMBA)` takes them everywhere. The first call of each loop
compiles it, which takes about a second; later processes find it in numba's cache. What a compiled loop cannot do
(another device, half precision, a reset of one's own) goes to the torch version.
"""

from workbench.kernels.compiled_convolution import convolve
from workbench.kernels.compiled_filters import add_filters
from workbench.kernels.compiled_neurons import fire
from workbench.kernels.compiled_sparse import add_outer, find_events
from workbench.kernels.compiled_traces import filter_synapses, output_side, run_h, weigh_synapses
from workbench.kernels.plain import Kernels

# compiled loops, on the CPU
NUMBA = Kernels(
    find_events, fire, run_h, output_side, add_outer, convolve, add_filters, filter_synapses, weigh_synapses
)
