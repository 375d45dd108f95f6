"""Voices as tasks: whose voice is it, when each task is heard by other ears? With any mix."""

from workbench.continual.learning import StreamSetting, adam
from workbench.continual.spiking_tasks import SpikingTasks
from workbench.continual.streams import Task, permuted_channels
from workbench.data.sets.voices import voices
from workbench.experiments.event_tasks import MakeMethod, recordings, spiking_rules
from workbench.experiments.experiment import Experiment
from workbench.experiments.sound import CHUNK, voice_network
from workbench.rule import Steps

TASKS, CLASSES = 5, 5


def voice_task() -> Task:
    """The five voices as one task, `(n, time, channels)` of 60 steps and 128 channels."""
    return recordings("voices", voices())


def voice_tasks_setting(method: MakeMethod, seed: int) -> StreamSetting:
    """Five tasks, each with the channels in another order; 128–100 recurrent–5, one readout for all tasks, Adam of 1e-3
    anew for each, batches of 40. `seed` fixes the orders too."""
    stream = permuted_channels(voice_task(), TASKS, seed)
    network = SpikingTasks(voice_network(classes=CLASSES, seed=seed))
    return StreamSetting(method(network, stream[0].train_x[:40].transpose(0, 1)), stream, adam(), batch_size=40)


VOICE_TASKS = Experiment(
    "voice-tasks",
    "five voices, for each task with the channels in another order; a recurrent spiking network, any mix",
    spiking_rules(CLASSES, Steps(at_once=CHUNK)),
    epochs=5,
    prepare=voice_tasks_setting,
    tasks=TASKS,
)
