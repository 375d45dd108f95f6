"""What a notebook needs besides its subject: frame, exercises, copies for students."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.course.build import BUILDS, build
    from workbench.course.lesson import Lesson, begin
    from workbench.course.report import Count, count_mistakes

__all__ = [
    "BUILDS",
    "Count",
    "Lesson",
    "begin",
    "build",
    "count_mistakes",
]

lazy(__name__)
