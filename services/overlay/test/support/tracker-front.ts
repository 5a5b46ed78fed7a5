import { EventEmitter, once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseBeef } from '@messagebox/transactions';

/** The treatment of a request. A function answers in place of the tracker. */
export type Treatment =
  | 'pass'
  /** The connection is accepted, and never answered. */
  | 'hang'
  /** The connection is closed without an answer. */
  | 'close'
  /** The tracker gets the request, and its answer is lost. */
  | 'lose'
  | ((path: string) => { readonly status: number; readonly body: string; readonly type?: string });

/** An HTTP server in front of an overlay host, or of none. A test defines how it treats requests. */
export interface TrackerFront {
  readonly url: string;
  /** The txids of all submissions, in order. */
  readonly submitted: readonly string[];
  /** Resolves with the next submission, before it is treated. */
  submission(): Promise<unknown>;
  /** The number of requests, by path. */
  readonly requests: readonly string[];
  /** Sets the host that requests are forwarded to. */
  retarget(url: string): void;
  /** Sets the treatment of later requests. */
  treat(submit: Treatment, lookup?: Treatment): void;
  /** Holds submissions until the returned function is called. */
  hold(): () => void;
  /** Sets the treatments of the next submissions, one by one. Later ones are treated as before. */
  next(...submits: readonly Treatment[]): void;
  close(): Promise<void>;
}

/** @param target the host that requests are forwarded to */
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
      // The tracker is down, so the connection is closed.
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
