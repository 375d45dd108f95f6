"""The symbols on the screen and what they stand for: NOTATION.md in few words, behind every symbol of a label.

The browser shows an entry where a label holds the symbol: on hover, on touch, and when the keyboard comes to the
control (static/accessibility.js).
"""

from workbench.language import say

GLOSSARY: dict[str, str] = {
    # time
    "T": "number of time steps of a recording",
    "t": "time step",
    "K": "number of last steps that learn",
    "τ": "time constant: after it 37 % of a trace are left",
    # neurons and traces
    "i": "number of the post-synaptic neuron, of a weight w_ij",
    "j": "number of the pre-synaptic neuron or input, of a weight w_ij",
    "u": "membrane potential before the reset",
    "u⁺": "membrane potential after the reset",
    "I": "input current",
    "γ": "decay of the membrane: the fraction kept from one step to the next",
    "v": "distance of the membrane from the threshold, u − v_th",
    "v_th": "threshold: the neuron fires when u is above it",
    "x": "input spikes, of the pre-synaptic neuron",
    "z": "output spikes, of the post-synaptic neuron",
    "Ψ": "secondary activation: the slope that a rule uses in place of a spike's, which has none",
    "ψ": "value of Ψ at the present membrane potential: how near the neuron is to firing",
    "q": "pre-synaptic trace: input spikes, fading, with those of the present step",
    "h": "post-synaptic trace: values of ψ, fading, without that of the present step",
    "λ_pre": "decay of the pre-synaptic trace q",
    "λ_post": "decay of the post-synaptic trace h",
    "α_pre": "weight of the causal term (pre before post)",
    "α_post": "weight of the non-causal term (post before pre)",
    "δ": "learning signal: how the loss grows with the neuron's activity",
    "m": "learning signal that a layer makes itself (TESS), with the sign of δ: negative means 'fire more'",
    "κ": "decay of the readout, by which e-prop filters its eligibility",
    "A₊": "weight gained by a pair in which pre came first, without delay",
    "A₋": "weight lost by a pair in which post came first, without delay",
    "τ₊": "time constant of the causal side of the window",
    "τ₋": "time constant of the non-causal side of the window",
    "η": "learning rate",
    # space
    "B": "fixed waves, one row for each class",
    "C": "number of classes",
    "n": "number of latents, the pooled activities of a layer",
    "φ": "phase of the waves",
    "y": "class of the sample",
    "l": "number of a layer",
    "D": "change of an update when a part of the network or of the input is replaced",
    # direction
    "α": "aperture: how far from the middle a direction is still claimed",
    "σ₁": "standard deviation of a cloud along its longest axis",
    "σ₂": "standard deviation of a cloud along its second axis",
    "Θ": "quota: the share of the space that a conceptor claims",
    # memory
    "ε": "energy: the share of the squared singular values that is kept",
}


def glossary() -> dict[str, str]:
    """The symbols in the language of the page."""
    return {symbol: say(meaning) for symbol, meaning in GLOSSARY.items()}
