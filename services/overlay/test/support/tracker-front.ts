import { EventEmitter, once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseBeef } from '@messagebox/wallet';

/** What becomes of a request. A function answers in place of the tracker. */
export type Treatment =
  | 'pass'
  /** Connected, and never answered. */
  | 'hang'
  /** The connection ends without an answer. */
  | 'close'
  /** The tracker gets it, and its answer is lost. */
  | 'lose'
  | ((path: string) => { readonly status: number; readonly body: string; readonly type?: string });

/** An HTTP server in front of an overlay host, or of nothing, that treats requests as a test says. */
export interface TrackerFront {
  readonly url: string;
  /** Ids of the transactions that were submitted, in order, whatever became of them. */
  readonly submitted: readonly string[];
  /** Resolves with the next submission, before anything becomes of it. */
  submission(): Promise<unknown>;
  /** Requests that were made, by path. */
  readonly requests: readonly string[];
  /** Where requests are passed on to from now on. */
  retarget(url: string): void;
  /** From now on. */
  treat(submit: Treatment, lookup?: Treatment): void;
  /** Nothing becomes of submissions until what is returned is called. */
  hold(): () => void;
  /** The next submissions, one by one; then again as `treat` says. */
  next(...submits: readonly Treatment[]): void;
  close(): Promise<void>;
}

/** @param target where requests are passed on to */
export async function startTrackerFront(target?: string): Promise<TrackerFront> {
  let passTo = target;
  const submitted: string[] = [];
  const requests: string[] = [];
  const events = new EventEmitter();
  let held: Promise<void> | undefined;
  const next: Treatment[] = [];
  let treatments: { submit: Treatment; lookup: Treatment } = { submit: 'pass', lookup: 'pass' };

  const server = createServer(async (request, response) => {
    const path = request.url ?? '';
    requests.push(path);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const isSubmit = path === '/submit';
    if (isSubmit) {
      submitted.push(parseBeef(body).subject.txid);
      events.emit('submission');
      await held;
    }
    const treatment = (isSubmit ? next.shift() : undefined) ?? (isSubmit ? treatments.submit : treatments.lookup);
    if (treatment === 'hang') return;
    if (treatment === 'close') {
      response.destroy();
      return;
    }
    if (typeof treatment === 'function') {
      const { status, body: text, type = 'application/json' } = treatment(path);
      response.writeHead(status, { 'content-type': type }).end(text);
      return;
    }
    const headers = Object.entries(request.headers).flatMap(([name, value]) =>
      /^(x-|content-type)/.test(name) && typeof value === 'string' ? [[name, value] as [string, string]] : [],
    );
    try {
      const answer = await fetch(`${passTo}${path}`, { method: 'POST', headers, body });
      const bytes = Buffer.from(await answer.arrayBuffer());
      if (treatment === 'lose') response.destroy();
      else send(response, answer, bytes);
    } catch {
      // The tracker is gone, and who asks is told so as by a network.
      response.destroy();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    submitted,
    submission: () => once(events, 'submission'),
    requests,
    retarget(url) {
      passTo = url;
    },
    treat(submit, lookup = 'pass') {
      treatments = { submit, lookup };
    },
    hold() {
      let release = () => {};
      held = new Promise((resolve) => {
        release = resolve;
      });
      return release;
    },
    next(...submits) {
      next.push(...submits);
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Answers with a status and an overlay host's error. */
export function refusing(status: number, description = 'not today'): Treatment {
  return () => ({ status, body: JSON.stringify({ status: 'error', code: 'ERR_TEST', description }) });
}

/** Answers with 200 and this text. */
export function answering(body: string, type?: string): Treatment {
  return () => ({ status: 200, body, ...(type === undefined ? {} : { type }) });
}

function send(response: ServerResponse, answer: Response, bytes: Buffer): void {
  const type = answer.headers.get('content-type') ?? 'application/json';
  response.writeHead(answer.status, { 'content-type': type }).end(bytes);
}
