"""A language in which every text stands between marks, and what is English beyond them: for tests only."""

import re

WORD = re.compile(r"[a-zà-ÿ]{3,}")
NOT_READ = re.compile(r"<sub>.*?</sub>|<[^>]*>|&\w+;|%\{[^}]*\}")  # indices, marks of HTML, places of numbers
SAME = re.compile(  # in every language: names and symbols
    r"(?<![A-Za-z])(arctan|Fashion-MNIST|Español|English|e-prop|pre|post|cos|sin|max|softmax|conv\d|relu\d|checkpointing"
    r"|Gesture|miniImageNet|Split|hosvd|Local Learning Workbench)(?![a-z])"
)


class Marks:
    """A language in which every text stands between marks; it notes what it is asked for."""

    def __init__(self):
        self.asked = set()

    def get(self, text, default):
        if "⟦" not in text:  # else it is put together of what was said
            self.asked.add(text)
        return f"⟦{text}⟧"


def is_english(text):
    """Whether a text holds words that are no names, beyond what is marked."""
    rest, marked = NOT_READ.sub("", text), 1
    while marked:  # what was said once may have been put into what is said
        rest, marked = re.subn(r"⟦[^⟦⟧]*⟧", "", rest)
    return bool(WORD.search(SAME.sub("", rest)))
