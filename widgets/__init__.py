"""Interactive views of the workbench: every class here draws what a function of `workbench` computes."""
