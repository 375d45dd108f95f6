"""`workbench student`: copies of the notebooks without solutions."""

import argparse
from pathlib import Path
from typing import Any

from workbench.cli.parser import add_command


def add(commands: Any) -> None:
    """Its options."""
    text = "write copies of the notebooks without solutions"
    parser = add_command(commands, "student", student, text, ("course", "course --force"))
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where to write them")
    parser.add_argument(
        "--force", action="store_true", help="replace files that were worked on; what they held is kept beside them"
    )


def student(arguments: argparse.Namespace) -> None:
    """Write the students' notebooks and print their paths."""
    from workbench.course.student import write_student_notebooks
    from workbench.serving import notebooks_folder

    paths = write_student_notebooks(notebooks_folder(), arguments.folder, arguments.force)
    print("\n".join(map(str, paths)))
