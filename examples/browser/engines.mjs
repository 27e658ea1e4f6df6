// The three engines behind one interface, for the flows that have to work in each of them.
import { chromium, firefox } from "playwright-core";
import { join } from "node:path";
import { startDriver } from "./webdriver.mjs";

const directory = process.env.BROWSER_ENGINES;

// launchChromium starts a headless Chromium that asks nobody else for anything.
export function launchChromium() {
  return chromium.launch({
    executablePath: join(directory, "chromium"),
    args: [
      "--no-sandbox",
      "--disable-quic",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

// launchFirefox starts Debian's Firefox, unchanged, and speaks WebDriver BiDi with it.
function launchFirefox() {
  return firefox.launch({ channel: "moz-firefox", executablePath: join(directory, "firefox-esr") });
}

// engines has a function for each engine that starts it: {open, close}. open returns a visitor with an empty profile.
export const engines = {
  Chromium: () => startPlaywright(launchChromium),
  Firefox: () => startPlaywright(launchFirefox),
  WebKitGTK: () => startDriver(directory),
};

async function startPlaywright(launch) {
  const browser = await launch();
  return {
    async open() {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
      return new PageVisitor(await context.newPage());
    },
    close: () => browser.close(),
  };
}

// PageVisitor does what a person does on a page. Names are accessible names.
class PageVisitor {
  #page;

  constructor(page) {
    this.#page = page;
    page.setDefaultTimeout(60_000);
  }

  open(url) {
    return this.#page.goto(url);
  }

  reload() {
    return this.#page.reload();
  }

  evaluate(source) {
    return this.#page.evaluate(`(${source})()`);
  }

  click(role, name) {
    return this.#page.getByRole(role, { name, exact: true }).click();
  }

  fill(name, text) {
    return this.#page.getByRole("textbox", { name, exact: true }).fill(text);
  }

  value(name) {
    return this.#page.getByRole("textbox", { name, exact: true }).inputValue();
  }

  // see waits until the page shows a text.
  see(text) {
    return this.#page.waitForFunction((text) => document.body.innerText.includes(text), text, { polling: 50 });
  }

  screenshot() {
    return this.#page.screenshot();
  }

  close() {
    return this.#page.context().close();
  }
}
