"""The page of a service in a browser, with a microphone that plays a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from browsers import sync_api

# when samples were sent, when the first probabilities were shown, and which microphone was opened, in the page's time
LOG = """
window.logged = { sent: [], shown: null, tracks: [] };
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) {
  if (typeof data !== "string") logged.sent.push([performance.now(), data.length]);
  return send.call(this, data);
};
const open = navigator.mediaDevices?.getUserMedia;
if (open) navigator.mediaDevices.getUserMedia = async function (asked) {
  const stream = await open.call(this, asked);
  logged.tracks.push(...stream.getAudioTracks());
  return stream;
};
addEventListener("DOMContentLoaded", () => {
  const bars = document.getElementById("live-bars");
  const look = () => { if (/\\d/.test(bars.textContent)) logged.shown ??= performance.now(); };
  new MutationObserver(look).observe(bars, { childList: true, subtree: true, characterData: true });
});
"""


@contextmanager
def opened(browser, address: str, *, allowed: tuple[str, ...] = (), script: str = "", **options) -> Iterator:
    """Yield the page; at the end, check that it has complained of nothing and asked no other host.

    Parameters
    ----------
    browser : Browser
    address : str
        Of the service, with what is behind it.
    allowed : tuple of str
        What a message on the console may contain.
    script : str
        That runs before the page's own.
    **options
        Of the browser's context.
    """
    complaints = []
    hosts = tuple(f"{scheme}://{address.split('/')[2]}/" for scheme in ("http", "ws"))

    def complain(text: str) -> None:
        if not any(part in text for part in allowed):
            complaints.append(text)

    def note(url: str) -> None:
        if not url.startswith((*hosts, "blob:")):
            complaints.append(f"asked for {url}")

    context = browser.new_context(**options)
    context.add_init_script(LOG + script)
    page = context.new_page()
    page.on("console", lambda message: complain(message.text))
    page.on("pageerror", lambda error: complain(str(error)))
    page.on("request", lambda request: note(request.url))
    page.on("websocket", lambda socket: note(socket.url))
    page.on("dialog", lambda dialog: complain(f"dialog {dialog.message}"))
    page.goto(address)
    yield page
    context.close()
    assert complaints == []


def analyse(page, recording: Path | dict) -> None:
    """Give the page a file, and wait for its timeline."""
    page.locator("#choose:enabled").wait_for()
    page.set_input_files("#file", recording)
    name = recording["name"] if isinstance(recording, dict) else recording.name
    sync_api.expect(page.locator("#result-name")).to_have_text(name, timeout=60_000)
    page.locator("#progress").wait_for(state="hidden")


def tab_to(page, wanted: str, most: int = 60) -> None:
    """Press Tab until an element that fits the selector has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate(f"document.activeElement.matches({wanted!r})"):
            return
    raise AssertionError(f"Tab does not reach {wanted}")
