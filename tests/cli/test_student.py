"""`workbench student`."""

from workbench.cli.main import main


def test_a_second_time_needs_force_once_a_file_was_worked_on(capsys, tmp_path):
    assert main(["student", str(tmp_path / "course")]) == 0
    first, second = (tmp_path / "course" / name.rpartition("/")[2] for name in capsys.readouterr().out.split()[:2])
    assert main(["student", str(tmp_path / "course")]) == 0  # nobody worked on them
    first.write_text("my answer")
    second.unlink()
    assert main(["student", str(tmp_path / "course")]) == 1
    assert f"files that were worked on: {first.name}. Nothing was written" in capsys.readouterr().err
    assert first.read_text() == "my answer"
    assert not second.exists()
    for number in (1, 2):
        first.write_text(f"answer {number}")
        assert main(["student", str(tmp_path / "course"), "--force"]) == 0
        assert first.with_name(f"{first.name}.kept-{number}").read_text() == f"answer {number}"
        assert "cells" in first.read_text()
