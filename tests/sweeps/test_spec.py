"""What a sweep is made of."""

import json

import pytest
from tiny import TINY
from tiny_streams import HEADS

from workbench.experiments import named
from workbench.names import UnknownName
from workbench.sweeps.cell import Cell
from workbench.sweeps.spec import cells, read_spec


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setattr(named, "EXPERIMENTS", {"tiny": TINY, "heads": HEADS})


def test_every_list_is_taken_with_every_other():
    found = cells([{"experiment": "tiny", "rules": ["stllr", "bptt"], "seeds": 2, "epochs": [1, 2], "per_class": 4}])
    assert len(found) == len(set(found)) == 8
    assert found[0] == Cell("tiny", "stllr", 0, 1, per_class=4)
    assert {cell.epochs for cell in found} == {1, 2}
    assert [cell.seed for cell in found] == [0] * 4 + [1] * 4


def test_what_is_not_said_is_the_experiments_own():
    assert cells([{"experiment": "tiny"}]) == [Cell("tiny", "stllr", 0, 2), Cell("tiny", "bptt", 0, 2)]


def test_a_cell_that_two_tables_name_comes_once():
    assert len(cells([{"experiment": "tiny"}, {"experiment": ["tiny", "heads"], "rules": "stllr"}][:1] * 2)) == 2


def test_toml_and_json_say_the_same(tmp_path):
    toml, other, plain = tmp_path / "a.toml", tmp_path / "a.json", tmp_path / "b.toml"
    toml.write_text(
        '[[sweep]]\nexperiment = "tiny"\nseeds = [3, 5]\n[[sweep]]\nexperiment = "heads"\nrules = ["gpm"]\n'
    )
    other.write_text(
        json.dumps({"sweep": [{"experiment": "tiny", "seeds": [3, 5]}, {"experiment": "heads", "rules": "gpm"}]})
    )
    plain.write_text('experiment = "tiny"\nseeds = [3, 5]\n')
    assert read_spec(toml) == read_spec(other)
    assert read_spec(plain) == read_spec(toml)[:4]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"experiment": "tiny", "rule": "stllr"}, "a sweep has no 'rule'; did you mean 'rules'"),
        ({"rules": ["stllr"]}, "names its experiment"),
        ({"experiment": "tyni"}, "there is no experiment 'tyni'"),
        ({"experiment": "tiny", "rules": ["bpt"]}, "tiny has no rule 'bpt'"),
        ({"experiment": "tiny", "seeds": -1}, "seeds must be a list of whole numbers"),
        ({"experiment": "tiny", "seeds": []}, "seeds must be a list of whole numbers"),
        ({"experiment": "tiny", "seeds": [0.5]}, "seeds must be a list of whole numbers"),
        ({"experiment": "tiny", "epochs": 1.5}, "epochs must be a positive whole number, got 1.5"),
        ({"experiment": "tiny", "learning_rate": "high"}, "learning_rate must be a positive number, got 'high'"),
    ],
)
def test_what_is_wrong_is_said(table, message):
    with pytest.raises(ValueError, match=message):
        cells([table])


def test_a_wrong_file_is_named(tmp_path):
    path = tmp_path / "a.toml"
    with pytest.raises(FileNotFoundError, match=r"there is no file .*a\.toml"):
        read_spec(path)
    path.write_text("experiment = ")
    with pytest.raises(ValueError, match=r"a\.toml cannot be read"):
        read_spec(path)
    path.write_text('experiment = "tyni"')
    with pytest.raises(UnknownName, match=r"a\.toml: there is no experiment 'tyni'"):
        read_spec(path)
    path.with_suffix(".json").write_text('["sound"]')
    with pytest.raises(ValueError, match="a sweep is a table or a list of tables"):
        read_spec(path.with_suffix(".json"))
