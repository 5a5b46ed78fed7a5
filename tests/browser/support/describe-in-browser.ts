import { existsSync } from 'node:fs';
import { describeWhen } from '@messagebox/test-support/describe-when';
import { type Browser, chromium } from 'playwright-core';

/** Where systems install Chromium. CHROMIUM_PATH names another one. */
const PLACES = [
  process.env['CHROMIUM_PATH'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];
/** Without a sandbox because containers have none; the rest keeps it from asking servers of its maker. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** `describe` for suites that drive Chromium, which is started once for each. With CI_BROWSER_REQUIRED it must be there. */
export function describeInBrowser(name: string, suite: (browser: () => Browser) => void): void {
  const executablePath = PLACES.find((place) => place !== undefined && existsSync(place));
  const isRequired = Boolean(process.env['CI_BROWSER_REQUIRED']);
  describeWhen(
    executablePath !== undefined,
    name,
    'Chromium (apt-get install chromium, or CHROMIUM_PATH)',
    () => {
      let browser: Browser | undefined;
      beforeAll(async () => {
        browser = await chromium.launch({ executablePath: executablePath as string, args: ARGUMENTS });
      });
      afterAll(() => browser?.close());
      suite(() => {
        if (browser === undefined) throw new Error('Chromium is not running');
        return browser;
      });
    },
    isRequired,
  );
}
