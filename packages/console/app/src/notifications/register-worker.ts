/** The script of the service worker, beside the page: its scope is the console. */
const WORKER_URL = new URL('./sw.js', window.location.href.split(/[?#]/)[0]).href;
/** The name that the Content-Security-Policy allows. */
const POLICY_NAME = 'messagebox-worker';

/** Trusted Types, as far as they are needed here. Browsers without them take a string. */
interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

let trustedUrl: string | undefined;

/** Registers the service worker that shows notifications. */
export async function registerWorker(): Promise<ServiceWorkerRegistration> {
  await navigator.serviceWorker.register(getTrustedUrl());
  return navigator.serviceWorker.ready;
}

/** The address of the worker's script, which is the only one that the policy makes trusted. A policy is made once. */
function getTrustedUrl(): string {
  const { trustedTypes } = window as { trustedTypes?: TrustedTypes };
  trustedUrl ??=
    trustedTypes === undefined
      ? WORKER_URL
      : trustedTypes
          .createPolicy(POLICY_NAME, {
            createScriptURL: (url) => {
              if (url === WORKER_URL) return url;
              throw new TypeError('Only the service worker may be loaded as a script.');
            },
          })
          .createScriptURL(WORKER_URL);
  return trustedUrl;
}
