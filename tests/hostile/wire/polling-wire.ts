import type { HttpConnection } from './http-wire.ts';

/** An engine.io session over long polling that asks for nothing but what the caller posts. */
export class PollingConnection {
  private constructor(
    private readonly wire: HttpConnection,
    readonly sid: string,
  ) {}

  /** @param query what follows the usual parameters, such as `&sid=` */
  static async open(wire: HttpConnection, query = ''): Promise<PollingConnection> {
    const path = `/socket.io/?EIO=4&transport=polling${query}`;
    const { status, text } = await wire.exchange({ method: 'GET', path, headers: [] });
    const sid = /"sid":"([^"]+)"/.exec(text)?.[1];
    if (status !== 200 || sid === undefined) throw new Error(`No session was opened: ${status} ${text.slice(0, 200)}`);
    return new PollingConnection(wire, sid);
  }

  /** Posts packets, as text. @returns the status of the answer */
  async post(text: string): Promise<number> {
    const path = `/socket.io/?EIO=4&transport=polling&sid=${this.sid}`;
    const body = Buffer.from(text);
    const headers = [['Content-Type', 'text/plain;charset=UTF-8']] as const;
    return (await this.wire.exchange({ method: 'POST', path, headers, body })).status;
  }
}
