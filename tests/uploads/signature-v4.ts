import { createHash, createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** The one account of a test's storage. */
export const ACCOUNT = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' } as const;

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

/**
 * Why a request is not authentic by AWS Signature Version 4, in its headers or presigned; undefined when it is. This follows
 * the public specification, and shares no code with the SDK.
 */
export function findSignatureFault(request: IncomingMessage, now = Date.now()): string | undefined {
  const url = new URL(request.url ?? '/', 'http://storage');
  const presigned = url.searchParams.get('X-Amz-Signature');
  const given = presigned === null ? readHeader(request) : readQuery(url);
  if (given === undefined) return 'AccessDenied';
  const { credential, signedHeaders, signature, date, expiresSeconds, payloadHash } = given;
  const [accessKeyId, day = '', region = '', service = ''] = credential.split('/');
  if (accessKeyId !== ACCOUNT.accessKeyId) return 'InvalidAccessKeyId';
  if (parseDate(date) + expiresSeconds * 1_000 < now) return 'AccessDenied';
  if (!signedHeaders.includes('host')) return 'SignatureDoesNotMatch';
  const query = [...url.searchParams]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
  const headers = signedHeaders.map((name) => `${name}:${String(request.headers[name] ?? '').trim()}\n`).join('');
  const canonical = [request.method, url.pathname, query, headers, signedHeaders.join(';'), payloadHash].join('\n');
  const scope = [day, region, service, 'aws4_request'].join('/');
  const toSign = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => hmac(secret, part),
    `AWS4${ACCOUNT.secretAccessKey}`,
  );
  return hmac(key, toSign).toString('hex') === signature ? undefined : 'SignatureDoesNotMatch';
}

interface GivenSignature {
  readonly credential: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** Such as 20261130T120000Z. */
  readonly date: string;
  readonly expiresSeconds: number;
  readonly payloadHash: string;
}

function readQuery({ searchParams }: URL): GivenSignature {
  const get = (name: string) => searchParams.get(name) ?? '';
  return {
    credential: get('X-Amz-Credential'),
    signedHeaders: get('X-Amz-SignedHeaders').split(';'),
    signature: get('X-Amz-Signature'),
    date: get('X-Amz-Date'),
    expiresSeconds: Number(get('X-Amz-Expires')),
    payloadHash: 'UNSIGNED-PAYLOAD',
  };
}

function readHeader({ headers }: IncomingMessage): GivenSignature | undefined {
  const fields = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
    headers.authorization ?? '',
  );
  if (fields === null) return undefined;
  const [, credential = '', names = '', signature = ''] = fields;
  return {
    credential,
    signedHeaders: names.split(';'),
    signature,
    date: String(headers['x-amz-date']),
    expiresSeconds: 900,
    payloadHash: String(headers['x-amz-content-sha256']),
  };
}

function parseDate(date: string): number {
  return Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}
