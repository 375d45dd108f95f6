"""What the authors of CODE-CL report of continual learning, to be printed beside our own numbers.

Source: their ICCV 2025 poster (public page of the first author), mean and standard deviation in %, AlexNet on Split
CIFAR-100 (ten tasks) and ResNet-18 on Split miniImageNet (twenty). BWT and cost are read off its curves and bars.

What it calls FWT is not forward transfer in the sense of Lopez-Paz and Ranzato but `metrics.gain_over` of GPM: with
ACC = mean_i A[i, i] + (T − 1)/T BWT, the gain is ΔACC − (T − 1)/T ΔBWT, which gives the poster's numbers to 0.02.

TRGP is disputed: an independent rerun (LibContinual, AlexNet, the same ten tasks) finds 77.77, above CODE-CL's 77.21,
where its own tables and this one have 74.49 and 75.24. The same rerun has 73.94 for GPM, here 72.06.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Reported(NamedTuple):
    """One method: ACC and its deviation, gain over GPM on both benchmarks; on CIFAR-100 BWT, seconds and megabytes."""

    method: str
    cifar_acc: float
    cifar_deviation: float
    cifar_gain: float
    imagenet_acc: float
    imagenet_deviation: float
    imagenet_gain: float
    cifar_bwt: float
    seconds: int
    megabytes: int


CIFAR_TASKS = 10
POSTER = (
    Reported("GPM", 72.06, 0.29, 0.0, 66.26, 1.18, 0.0, -0.27, 586, 276),
    Reported("TRGP", 75.24, 0.29, 2.86, 65.08, 0.94, -1.56, 0.08, 2872, 886),
    Reported("CUBER", 75.30, 0.43, 2.86, 64.25, 0.75, -2.22, 0.14, 7446, 1027),
    Reported("SGP", 75.69, 0.38, 4.74, 68.50, 2.09, 3.37, -1.51, 534, 276),
    Reported("CODE-CL", 77.21, 0.32, 5.92, 71.16, 0.32, 4.17, -1.13, 2314, 501),
)
RERUN = {"GPM": 73.94, "TRGP": 77.77}  # ACC on Split CIFAR-100 by LibContinual


def written(rows: Sequence[Reported] = POSTER) -> str:
    """The table as text, with the rerun's accuracy where there is one.

    >>> print(written(POSTER[:1]).splitlines()[1])
    GPM           72.06 ± 0.29  +0.00  -0.27       73.94   66.26 ± 1.18  +0.00
    """
    lines = ["method     CIFAR-100 ACC   gain    BWT   rerun ACC   miniImageNet   gain"]
    for r in rows:
        rerun = f"{RERUN[r.method]:.2f}" if r.method in RERUN else "–"
        lines.append(
            f"{r.method:10}    {r.cifar_acc:.2f} ± {r.cifar_deviation:.2f}  {r.cifar_gain:+.2f}  {r.cifar_bwt:+.2f}"
            f"{rerun:>12}   {r.imagenet_acc:.2f} ± {r.imagenet_deviation:.2f}  {r.imagenet_gain:+.2f}"
        )
    return "\n".join(lines)
