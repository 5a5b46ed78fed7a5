import { observeGlobals } from './observe/observe-globals.js';
import { pageInspector } from './page-inspector.js';

/** Begins to record the traffic of this page. Call it before @bsv/sdk and socket.io-client are loaded. */
export function observeTransport(): void {
  observeGlobals(window, pageInspector.traffic, window.location.href);
}
