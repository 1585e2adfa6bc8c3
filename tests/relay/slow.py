"""The first load of the page on slow phone networks, as Chromium simulates them: when a code can be typed.

    BINARY=… python3 tests/relay/slow.py
"""

import os

from browser import Browser
from page import NARROW, Scene

# Names and figures of Chromium's own presets: milliseconds for each request, and kilobytes a second.
NETWORKS = {"Slow 4G, which was Fast 3G": (562.5, 180), "3G, which was Slow 3G": (2000, 50)}
USABLE = """
const looking = setInterval(() => {
  if (!document.querySelector("form.pair input[name=code]")) return;
  window.usable = performance.now();
  clearInterval(looking);
}, 5);
"""


def main(binary):
    scene = Scene(binary)
    try:
        for name, (latency, rate) in NETWORKS.items():
            browser = Browser(*NARROW)
            try:
                browser.cdp("Page.addScriptToEvaluateOnNewDocument", source=USABLE)
                browser.cdp("Network.enable")
                browser.cdp("Network.emulateNetworkConditions", offline=False, latency=latency,
                            downloadThroughput=rate * 1000, uploadThroughput=rate * 500)
                browser.open(f"http://127.0.0.1:{scene.port}/")
                usable = browser.wait("a code can be typed", lambda: browser.run("return window.usable"))
                sizes = browser.run("return performance.getEntries().map(it => it.transferSize || 0)")
                print(f"{name}: usable after {usable / 1000:.1f} s, {len([it for it in sizes if it])} requests, {sum(sizes)} bytes",
                      flush=True)
            finally:
                browser.close()
    finally:
        scene.end()


if __name__ == "__main__":
    main(os.environ.get("BINARY", "target/release/codex-app-server"))
