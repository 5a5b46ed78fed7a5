import { WebSocket } from 'undici';
import { observeGlobals } from '../../../packages/console/app/src/inspector/observe/observe-globals.js';
import { TrafficLog } from '../../../packages/console/app/src/inspector/observe/traffic-log.js';
import { createXhrClass } from './fetch-xhr.ts';

/** Changes an answer on its way to the client. */
export type Tamper = (response: Response) => Promise<Response>;

let tamper: Tamper | undefined;
const original = globalThis.fetch;

/** The wire: what the clients' `fetch` goes through, below the observer. */
const wire: typeof fetch = async (...args) => {
  const response = await original(...args);
  return tamper === undefined ? response : await tamper(response);
};

/** What crosses the wire of this suite. */
export const traffic = new TrafficLog();

// A page before its clients are loaded: both @bsv/sdk and engine.io-client keep what they find here. Import this file first.
Object.assign(globalThis, { fetch: wire, WebSocket, XMLHttpRequest: createXhrClass(wire) });
observeGlobals(globalThis, traffic, 'http://localhost/');

/** Lets answers be changed on their way, or no more. */
export function tamperWith(change: Tamper | undefined): void {
  tamper = change;
}
