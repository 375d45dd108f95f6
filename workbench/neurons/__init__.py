"""One neuron and one synapse as functions of time: here lives what needs no network."""
