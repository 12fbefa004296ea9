"""A browser that opens pages as a reader would, and what no page may have."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: install the extra dev")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FAKE_MICROPHONE = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
PLACES = ("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",)
BROWSER = os.environ.get("CHROME") or next(filter(None, map(shutil.which, (*NAMES, *PLACES))), None)
if BROWSER is None:
    pytest.skip(f"none of {', '.join(NAMES)} is installed", allow_module_level=True)
sync_api.expect.set_options(timeout=30_000)  # a busy machine is slow, which is no fault of the page
# the contrast of a text with the first opaque colour behind it, WCAG 2.2, and what has too little of it
LOW_CONTRAST = """() => {
  const parse = text => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number), full = text.startsWith("color(") ? 255 : 1;
    return [full * r, full * g, full * b, a];
  };
  const linear = v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => [r, g, b].map(v => linear(v / 255))
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const behind = element => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.push(parse(getComputedStyle(e).backgroundColor));
    const over = (base, [r, g, b, a]) => [r, g, b].map((v, i) => a * v + (1 - a) * base[i]);
    return layers.reverse().reduce(over, [255, 255, 255]);
  };
  const bad = [];
  for (const element of document.querySelectorAll("body *")) {
    if (element.closest("script, style, audio, option") || !element.checkVisibility()) continue;
    if (![...element.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
    const style = getComputedStyle(element);
    const fore = element.closest("svg") ? parse(style.fill) : parse(style.color);
    const [high, low] = [light(fore), light(behind(element))].sort((a, b) => b - a);
    const ratio = (high + .05) / (low + .05);
    if (ratio < 4.5) bad.push(`${element.tagName} ${element.textContent.trim().slice(0, 30)} ${ratio.toFixed(2)}`);
  }
  return bad;
}"""
UNLABELLED = """() => [...document.querySelectorAll(
  "button, input, select, a, img, audio, [role=img], [role=region], [role=slider], [role=meter]")]
  .filter(e => !(e.getAttribute("aria-label") || e.getAttribute("alt") || e.textContent.trim() && e.tagName !== "SELECT"
    || [...(e.labels ?? [])].some(label => label.textContent.trim()))).map(e => e.outerHTML.slice(0, 80))"""


@contextmanager
def launched(playwright, microphone: Path | None = None):
    """Yield a browser whose microphone plays a WAV file once; without a file it has no microphone."""
    arguments = ["--no-sandbox"]
    if microphone:
        arguments += [*FAKE_MICROPHONE, f"--use-file-for-fake-audio-capture={microphone}%noloop"]
    browser = playwright.chromium.launch(executable_path=BROWSER, args=arguments)
    yield browser
    browser.close()
