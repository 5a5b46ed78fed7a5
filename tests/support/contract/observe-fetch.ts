import { type HttpExchange, reportExchange } from '@messagebox/test-kit/wire-observers';

/**
 * Reports what goes through the global `fetch`: that of the public clients as well, which can't be asked.
 *
 * @returns waits for the answers that are still being read
 */
export function observeFetch(): () => Promise<void> {
  const pending = new Set<Promise<void>>();
  const plain = globalThis.fetch;
  // A proxy, so that everything else of the function stays what it is.
  globalThis.fetch = new Proxy(plain, {
    async apply(target, self, args: Parameters<typeof fetch>) {
      const response = await (Reflect.apply(target, self, args) as Promise<Response>);
      const reading = report(args, response.clone())
        // The client has ended the answer, or the server its connection: there is nothing to judge.
        .catch(() => undefined)
        .finally(() => pending.delete(reading));
      pending.add(reading);
      return response;
    },
  });
  return async () => {
    await Promise.all(pending);
  };
}

async function report([input, init]: Parameters<typeof fetch>, response: Response): Promise<void> {
  const given = input instanceof Request ? input : undefined;
  const url = new URL(given?.url ?? String(input));
  const headers = new Headers(init?.headers ?? given?.headers);
  const exchange: HttpExchange = {
    method: (init?.method ?? given?.method ?? 'GET').toUpperCase(),
    target: `${url.pathname}${url.search}`,
    requestHeaders: Object.fromEntries(headers),
    requestBody: toBytes(init?.body),
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: new Uint8Array(await response.arrayBuffer()),
  };
  reportExchange(exchange);
}

function toBytes(body: unknown): Uint8Array | undefined {
  if (typeof body === 'string') return Buffer.from(body);
  return ArrayBuffer.isView(body) ? new Uint8Array(body.buffer, body.byteOffset, body.byteLength) : undefined;
}
