import {
  request as httpRequest,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type RequestOptions,
} from 'node:http';
import { AuthFetch, CompletedProtoWallet, PrivateKey, type ProtoWallet } from '@bsv/sdk';

/** The serialisation of a request in the SDK, which its types keep private. */
interface Serializer {
  serializeRequest(
    method: string,
    headers: Record<string, string>,
    body: unknown,
    url: URL,
    requestNonce: number[],
  ): Promise<{ toArray(): number[] }>;
}

export const AUTH_PROTOCOL: [2, string] = [2, 'auth message signature'];

/** A client that consists of the SDK only. */
export class SdkClient {
  readonly wallet: CompletedProtoWallet;
  readonly identityKey: string;
  readonly authFetch: AuthFetch;

  constructor(readonly privateKey: PrivateKey = PrivateKey.fromRandom()) {
    this.wallet = new CompletedProtoWallet(privateKey);
    this.identityKey = privateKey.toPublicKey().toString();
    this.authFetch = new AuthFetch(this.wallet);
  }

  fetch(url: string, config?: Parameters<AuthFetch['fetch']>[1]): Promise<Response> {
    return this.authFetch.fetch(url, config);
  }

  /** The payload that AuthFetch would sign. */
  async payload(
    method: string,
    url: string,
    headers: Record<string, string>,
    body: unknown,
    requestId: Uint8Array,
  ): Promise<number[]> {
    const serializer = this.authFetch as unknown as Serializer;
    const writer = await serializer.serializeRequest(method, headers, body, new URL(url), Array.from(requestId));
    return writer.toArray();
  }
}

export async function signWithSdk(
  wallet: ProtoWallet,
  data: number[],
  keyID: string,
  counterparty: string,
): Promise<number[]> {
  const { signature } = await wallet.createSignature({ data, protocolID: AUTH_PROTOCOL, keyID, counterparty });
  return signature;
}

/** Verifies a signature with the SDK. Returns false for an invalid signature, for which the SDK throws. */
export async function verifyWithSdk(
  wallet: ProtoWallet,
  data: number[],
  signature: number[],
  keyID: string,
  counterparty: string,
): Promise<boolean> {
  try {
    const { valid } = await wallet.verifySignature({ data, signature, protocolID: AUTH_PROTOCOL, keyID, counterparty });
    return valid;
  } catch {
    return false;
  }
}

export interface PlainResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Sends one request with node:http, which, unlike fetch, sends exactly the given headers and bytes. */
export function sendPlainRequest(
  url: string,
  options: RequestOptions & { headers?: OutgoingHttpHeaders },
  body?: string | Uint8Array,
): Promise<PlainResponse> {
  return new Promise((resolve, reject) => {
    const req = httpRequest(url, options, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('error', reject);
      res.on('end', () => {
        resolve({ status: res.statusCode ?? 0, headers: res.headers, text: Buffer.concat(chunks).toString('utf8') });
      });
    });
    req.on('error', reject);
    req.end(body);
  });
}
