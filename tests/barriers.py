"""What axe-core finds on a page that shuts people out."""

from importlib.resources import files

RUN = """() => axe.run(document, {resultTypes: ["violations"]}).then(({violations}) => violations
  .filter(({impact}) => impact === "serious" || impact === "critical")
  .map(({id, help, nodes}) => `${id}: ${help}: ${nodes.slice(0, 3).map(({html}) => html.slice(0, 99)).join(" | ")}`))"""


def barriers(page) -> list[str]:
    """The serious and critical findings on a page, in words."""
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text("utf-8"))
    return page.evaluate(RUN)
