"""The page of numbers is read back by Prometheus' own parser and says what the kernel manager says."""

from collections import Counter
from types import SimpleNamespace

from prometheus_client.parser import text_string_to_metric_families

from workbench.serving.metrics import exposition


def numbers(manager):
    families = text_string_to_metric_families(exposition(manager).decode())
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


def test_the_page_says_what_the_manager_says_each_time():
    manager = SimpleNamespace(places=7, taken=2, visits=11, turned_away=3, ended=Counter(idle=5, died=1))
    found = numbers(manager)
    expected = {
        ("workbench_places",): 7,
        ("workbench_places_taken",): 2,
        ("workbench_visits_total",): 11,
        ("workbench_turned_away_total",): 3,
        ("workbench_ended_total", "idle"): 5,
        ("workbench_ended_total", "died"): 1,
    }
    assert expected.items() <= found.items()
    manager.taken = 3
    assert numbers(manager)["workbench_places_taken",] == 3


def test_the_process_is_told_too():
    manager = SimpleNamespace(places=1, taken=0, visits=0, turned_away=0, ended=Counter())
    assert numbers(manager)["process_resident_memory_bytes",] > 1e6
