"""axe, which finds what people with other eyes, hands or ears cannot use."""

from dataclasses import dataclass

from playwright.sync_api import Page

from config.settings import PROJECT_ROOT
from tests.browser.inbox import Inbox

AXE = PROJECT_ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
RUN = "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
GRAVE = {"serious", "critical"}


@dataclass(frozen=True)
class Look:
    """How somebody has set up their browser."""

    scheme: str
    locale: str

    def __str__(self) -> str:
        return f"{self.scheme}-{self.locale}"

    @property
    def options(self) -> dict[str, str]:
        """For a browser of theirs."""
        return {"color_scheme": self.scheme, "locale": self.locale}

    def says(self, english: str, chinese: str) -> str:
        """What the page calls something there."""
        return english if self.locale == "en-GB" else chinese


LOOKS = (Look("light", "en-GB"), Look("dark", "zh-CN"))


def expect_no_grave_fault(inbox: Inbox, name: str) -> None:
    """Of what is shown now; keeps a picture of it."""
    inbox.shoot(f"accessible/{name}")
    assert _grave_faults(inbox.page) == []


def _grave_faults(page: Page) -> list[str]:
    """Each with the elements that have it."""
    page.evaluate(AXE.read_text())
    return [
        f"{fault['id']}: {fault['help']}: {node['target']} {node['failureSummary']}"
        for fault in page.evaluate(RUN)
        if fault["impact"] in GRAVE
        for node in fault["nodes"]
    ]
