import { observeFetch } from './observe-fetch.js';
import { observeWebSocket } from './observe-websocket.js';
import { observeXhr } from './observe-xhr.js';
import type { TrafficSink } from './traffic.js';

/** The globals that carry traffic. Those which are missing are left out. */
export interface TransportGlobals {
  fetch?: typeof globalThis.fetch;
  WebSocket?: (new (...args: never[]) => object) | undefined;
  XMLHttpRequest?: (new (...args: never[]) => object) | undefined;
}

/**
 * Observes the traffic of a page: replaces `fetch`, `WebSocket` and `XMLHttpRequest` of `globals` by ones that do the same
 * and report to `sink`.
 *
 * Must run before @bsv/sdk and socket.io-client are loaded, because both keep a reference from then on.
 *
 * @param baseUrl what relative URLs are relative to, such as `location.href`
 * @returns a function that restores the globals
 */
export function observeGlobals(globals: TransportGlobals, sink: TrafficSink, baseUrl: string): () => void {
  const { fetch, WebSocket, XMLHttpRequest } = globals;
  if (fetch !== undefined) globals.fetch = observeFetch(fetch, sink, baseUrl);
  if (WebSocket !== undefined) globals.WebSocket = observeWebSocket(WebSocket, sink);
  if (XMLHttpRequest !== undefined) globals.XMLHttpRequest = observeXhr(XMLHttpRequest, sink, baseUrl);
  return () => {
    if (fetch !== undefined) globals.fetch = fetch;
    if (WebSocket !== undefined) globals.WebSocket = WebSocket;
    if (XMLHttpRequest !== undefined) globals.XMLHttpRequest = XMLHttpRequest;
  };
}
