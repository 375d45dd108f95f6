"""`workbench data`."""

import json

from workbench.cli.main import main


def lines(capsys):
    return capsys.readouterr().out.splitlines()


def test_list_shows_true_sizes(capsys):
    assert main(["data", "list"]) == 0
    found = {line.split()[0]: line for line in lines(capsys)}
    assert " 2.6 MB" in found["fashion-mnist-small"]
    assert " 170.5 MB" in found["cifar-10"]
    assert not any(" 0.0 MB" in line for line in found.values())


def test_list_as_json(capsys):
    assert main(["data", "list", "voices", "--json"]) == 0
    (line,) = lines(capsys)
    (voices,) = json.loads(line)["data"]
    assert voices["status"] == "embedded"
    assert voices["size"] > 500_000
    assert voices["folder"]


def test_verify(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path))
    assert main(["data", "verify", "fashion-mnist-small"]) == 0
    assert lines(capsys) == ["fashion_mnist_5k_1k.npz: good"]
    assert main(["data", "verify", "voices", "shd", "--json"]) == 1
    (line,) = lines(capsys)
    found = json.loads(line)["files"]
    assert [each["problem"] for each in found["voices"]] == [""]
    assert "is not in" in found["shd"][0]["problem"]


def test_fetch_of_what_is_here(capsys):
    assert main(["data", "fetch", "voices"]) == 0
    (path,) = lines(capsys)
    assert main(["data", "fetch", "voices", "--json"]) == 0
    assert json.loads(lines(capsys)[0]) == {"files": {"voices": [path]}}
