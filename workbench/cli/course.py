"""`workbench course`: the course for students, teachers and graders, and what a class got wrong."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from workbench.cli.parser import add_command, add_json
from workbench.names import unknown

KINDS = ("student", "solution", "instructor", "nbgrader")


def add(commands: Any) -> None:
    """Its options."""
    text = "build the course for students, teachers or a grader; report what a class got wrong"
    examples = (
        "build student --to handout",
        "build nbgrader --to my-course --force",
        "report my-course/autograded --picture mistakes.svg",
    )
    parser = add_command(commands, "course", course, text, examples)
    parser.add_argument("action", metavar="ACTION", choices=("build", "report"), help="build or report")
    parser.add_argument(
        "what", metavar="WHAT", help=f"build: {', '.join(KINDS)}; report: the folder of what was handed in"
    )
    parser.add_argument("--to", type=Path, metavar="FOLDER", help="build: where to write it (default course-WHAT)")
    parser.add_argument(
        "--force", action="store_true", help="build: keep a folder that is in the way beside the new one"
    )
    parser.add_argument("--picture", type=Path, metavar="FILE.svg", help="report: draw it, too")
    add_json(parser)


def course(arguments: argparse.Namespace) -> None:
    """Build or report."""
    {"build": build_course, "report": report_class}[arguments.action](arguments)


def build_course(arguments: argparse.Namespace) -> None:
    """Write one of the four courses and print its files."""
    kind = arguments.what
    if kind not in KINDS:
        raise unknown("there is no course", kind, KINDS)
    if arguments.picture:
        arguments.parser.error("--picture belongs to report")
    from workbench.course.build import build
    from workbench.shipped import notebooks_folder

    folder = arguments.to or Path(f"course-{kind}")
    paths = build(kind, notebooks_folder(), folder, arguments.force)
    if arguments.json:
        print(json.dumps({"kind": kind, "folder": str(folder), "files": [path.as_posix() for path in paths]}))
        return
    print("\n".join(map(str, paths)))


def report_class(arguments: argparse.Namespace) -> None:
    """Print how many made which mistake."""
    if arguments.to or arguments.force:
        arguments.parser.error("--to and --force belong to build")
    picture, folder = arguments.picture, Path(arguments.what)
    if picture and picture.suffix != ".svg":
        arguments.parser.error(f"a picture is written as SVG: name a file that ends with .svg, got {picture.name}")
    if not folder.is_dir():
        raise NotADirectoryError(f"there is no folder {folder}")
    from workbench.course.report import count_mistakes, table
    from workbench.course.report import picture as drawn

    counts = count_mistakes(folder)
    if picture:
        picture.write_text(drawn(counts), "utf-8")
        print(f"drawn in {picture}", file=sys.stderr)
    print(json.dumps({"exercises": [each._asdict() for each in counts]}) if arguments.json else table(counts))
