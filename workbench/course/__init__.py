"""What a notebook needs besides its subject: frame, exercises, copies for students."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.course.lesson import Lesson, begin
    from workbench.course.student import write_student_notebooks

__all__ = [
    "Lesson",
    "begin",
    "write_student_notebooks",
]

lazy(__name__)
