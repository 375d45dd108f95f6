"""What made a number, in words."""

import torch

from workbench.sweeps import machine
from workbench.sweeps.machine import device_name, made_by, processor


def test_it_names_this_machine():
    made = made_by()
    assert made["device"] == device_name(None) == device_name("cpu") == "cpu"
    assert made["torch"] == torch.__version__
    assert made["threads"] == torch.get_num_threads()


def test_the_processor_is_read_where_the_system_says_it(monkeypatch, tmp_path):
    said = tmp_path / "cpuinfo"
    said.write_text("processor\t: 0\nmodel name\t: Fast CPU 9000 @ 3 GHz\nmodel name\t: other\n")
    monkeypatch.setattr(machine, "CPU_INFO", said)
    assert processor().startswith("Fast CPU 9000 @ 3 GHz (")
    monkeypatch.setattr(machine, "CPU_INFO", tmp_path / "none")
    assert processor().endswith(")")
